import uuid

from odoo import api, fields, models


class BankSyncClient(models.Model):
    """A database that asks this proxy. It sees its own connections and nothing else."""

    _name = "bank.sync.client"
    _description = "Bank Synchronization Client"
    _order = "id"

    name = fields.Char(required=True)
    identifier = fields.Char(
        string="Client ID", required=True, readonly=True, copy=False, default=lambda self: uuid.uuid4().hex
    )
    database_uuid = fields.Char(string="Database UUID", required=True, copy=False)
    is_embedded = fields.Boolean(
        string="This Database", readonly=True, copy=False, help="The proxy's own database, asked without a network."
    )
    state = fields.Selection(
        selection=[
            ("phone_required", "Phone Number Required"),
            ("active", "Active"),
            ("blocked", "Blocked"),
            ("disconnected", "Disconnected"),
        ],
        required=True,
        default="active",
        copy=False,
    )
    connection_ids = fields.One2many(comodel_name="bank.sync.connection", inverse_name="client_id")
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
        """:return: this database as a client of its own proxy, made at the first need"""
        client_sudo = self.sudo()
        database_uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        domain = [("is_embedded", "=", True), ("database_uuid", "=", database_uuid)]
        return client_sudo.search(domain, limit=1) or client_sudo.create(
            {"name": self.env.cr.dbname, "database_uuid": database_uuid, "is_embedded": True}
        )
