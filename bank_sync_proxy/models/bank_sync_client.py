import uuid
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server


class BankSyncClient(models.Model):
    """A database that uses the proxy; here this database itself. It sees its own connections only.

    The proxy for other databases is a separate addon, which extends this model.
    """

    _name = "bank.sync.client"
    _description = "Bank Synchronization Client"
    _inherit = ["bank.sync.server.fields"]
    _order = "id"

    name = fields.Char(required=True)
    identifier = fields.Char(
        string="Client ID", required=True, readonly=True, copy=False, default=lambda self: uuid.uuid4().hex
    )
    database_uuid = fields.Char(string="Database UUID", required=True, readonly=True, copy=False)
    is_embedded = fields.Boolean(
        string="This Database", readonly=True, copy=False, help="The proxy's own database, asked without a network."
    )
    connection_ids = fields.One2many(comodel_name="bank.sync.connection", inverse_name="client_id", readonly=True)
    connection_count = fields.Integer(compute="_compute_connection_count")

    _identifier_unique = models.UniqueIndex("(identifier)", "Client IDs are unique.")
    _embedded_unique = models.UniqueIndex(
        "(database_uuid) WHERE is_embedded IS TRUE", "A database is its own client once."
    )

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("connection_ids")
    def _compute_connection_count(self):
        counts = dict(
            self.env["bank.sync.connection"]._read_group(
                [("client_id", "in", self.ids)], groupby=["client_id"], aggregates=["__count"]
            )
        )
        for client in self:
            client.connection_count = counts.get(client, 0)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _get_embedded(self):
        """:return: this database as a client of its own proxy, created when first needed"""
        # sudo: creates one fixed client, that of this database
        client_sudo = as_server(self)
        # sudo: reads the uuid of this database, which no caller can choose
        database_uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        domain = [("is_embedded", "=", True), ("database_uuid", "=", database_uuid)]
        return client_sudo.search(domain, limit=1) or client_sudo.create(
            {"name": self.env.cr.dbname, "database_uuid": database_uuid, "is_embedded": True}
        )

    def _describe_receiver(self):
        """What a user must know before giving a consent. Extension point: here the data stays on the host of the pages.

        :return: dict: ``name``, ``host``, ``is_here``, ``is_confirmed``, ``is_first`` (no bank was ever connected for
            this database), ``is_doubtful`` (the page asks the user to check)
        """
        self.ensure_one()
        return {
            # Why not the client's name: a renamed database would be shown under its former name.
            "name": self.env.cr.dbname,
            "host": urlsplit(self.get_base_url() or "").netloc,
            "is_here": True,
            "is_confirmed": True,
            "is_first": False,
            "is_doubtful": False,
        }
