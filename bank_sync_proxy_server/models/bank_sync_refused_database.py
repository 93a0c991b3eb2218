from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_proxy.models.clean_up import clean_up

#: Databases of one client that support can choose from; those that were refused before them are forgotten.
MOST = 10
#: A database that was not refused for this long can't be accepted any more. One that is running asks every day.
KEEP_DAYS = 30


class BankSyncRefusedDatabase(models.Model):
    """A database that signs with a client's credentials and is not its original: a copy, or the original after a move.

    Support accepts one of them. What it accepts is the digest in this record: a copy that asks first gains nothing.
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
        help="The users of this database read the same code where it says that it was refused.",
    )
    address = fields.Char(readonly=True, help="Where its last request came from.")
    first_at = fields.Datetime(string="First Refused", required=True, readonly=True)
    last_at = fields.Datetime(string="Last Refused", required=True, readonly=True)

    _client_digest = models.UniqueIndex("(client_id, digest)", "A client's database is refused once.")
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
        # Why all: nobody accepts another one, or the same one again later, with a page or a request of before.
        client.refused_database_ids.unlink()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _code_of(self, digest):
        """:return: enough of a digest to tell databases apart, few enough characters to be read aloud"""
        return f"{digest[:4]}-{digest[4:8]}-{digest[8:12]}"

    @api.model
    def _note(self, client, digest, address):
        """Keep which database was refused, and when. Requests within a minute write it once.

        Why not create and write: links of one database ask at the same time. What one request can't see of another is a
        serialization failure here, after which Odoo repeats it.
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
