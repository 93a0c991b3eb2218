from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_proxy.models.clean_up import clean_up

#: Databases of one client from which support can choose; older ones are deleted.
MOST = 10
#: A database that was not refused for this long can no longer be accepted. One that is running sends requests daily.
KEEP_DAYS = 30


class BankSyncRefusedDatabase(models.Model):
    """A database that signs with a client's credentials and is not its original: a copy, or the original after a move.

    Support accepts one of them, by the digest in this record, so a copy gains nothing by sending the first request.
    """

    _name = "bank.sync.refused.database"
    _description = "Refused Database"
    _order = "last_at desc, id desc"
    _rec_name = "code"
    _log_access = False

    client_id = fields.Many2one(comodel_name="bank.sync.client", required=True, readonly=True, ondelete="cascade")
    digest = fields.Char(required=True, readonly=True, groups="base.group_system")
    # sudo: shows the beginning of the digest only
    code = fields.Char(
        string="Database Code",
        compute="_compute_code",
        compute_sudo=True,
        help="Users of that database see the same code in the message about the refusal.",
    )
    address = fields.Char(readonly=True, help="Network address of its last request.")
    first_at = fields.Datetime(string="First Refused", required=True, readonly=True)
    last_at = fields.Datetime(string="Last Refused", required=True, readonly=True)

    _client_digest = models.UniqueIndex("(client_id, digest)", "This refused database is already listed.")
    _last_at = models.Index("(last_at)")

    @api.depends("digest")
    def _compute_code(self):
        for database in self:
            database.code = self._code_of(database.digest)

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_accept(self):
        """The database was moved intentionally: this one becomes the original, and the present one is refused."""
        self.ensure_one()
        self.check_access("read")
        self.client_id._check_support()
        # sudo: the lines above have checked read access to both, and support's group
        database = as_server(self)
        client = database.client_id
        client.write({"database_digest": database.digest, "copy_noted_at": False})
        client.message_post(
            body=self.env._(
                "%(user)s accepted that the database was moved: the one with the code %(code)s counts as the original.",
                user=self.env.user.name,
                code=database.code,
            )
        )
        # Why all: an old page or a repeated request must not accept another one, or the same one again later.
        client.refused_database_ids.unlink()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _code_of(self, digest):
        """:return: part of the digest, long enough to distinguish databases, and short enough to be read aloud"""
        return f"{digest[:4]}-{digest[4:8]}-{digest[8:12]}"

    @api.model
    def _note(self, client, digest, address):
        """Record which database was refused, and when; at most once a minute.

        Why not create and write: the links of one database send requests at the same time. With this statement, a
        conflict is a serialization failure, after which Odoo repeats the request.
        """
        self.env.cr.execute(
            "INSERT INTO bank_sync_refused_database AS known (client_id, digest, address, first_at, last_at)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (client_id, digest)"
            " DO UPDATE SET address = EXCLUDED.address, last_at = EXCLUDED.last_at"
            " WHERE known.last_at < EXCLUDED.last_at - interval '1 minute'",
            [client.id, digest, address, *[fields.Datetime.now()] * 2],
        )
        client.invalidate_recordset(["refused_database_ids"])
        self.search([("client_id", "=", client.id)], offset=MOST).unlink()

    @api.autovacuum
    def _gc_refused_databases(self):
        limit = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        return clean_up(self, [("last_at", "<", limit)], order="last_at")
