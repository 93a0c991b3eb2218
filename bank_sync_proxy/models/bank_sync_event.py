from odoo import api, fields, models


class BankSyncEvent(models.Model):
    """What a database is told without having asked. It only says what to ask about; the database always asks."""

    _name = "bank.sync.event"
    _description = "Bank Synchronization Event"
    _order = "id"

    create_date = fields.Datetime(string="When", readonly=True)
    client_id = fields.Many2one(
        comodel_name="bank.sync.client", required=True, readonly=True, index=True, ondelete="cascade"
    )
    connection_id = fields.Many2one(
        comodel_name="bank.sync.connection", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    kind = fields.Selection(
        selection=[
            ("transactions.new", "New Transactions"),
            ("consent.expiring", "Consent Ends Soon"),
            ("connection.disconnected", "Connection Disconnected"),
            ("client.active", "Client Active"),
            ("client.blocked", "Client Blocked"),
            ("client.disconnected", "Client Disconnected"),
            ("client.phone_required", "Phone Number Required"),
        ],
        required=True,
        readonly=True,
    )

    @api.model
    def _emit(self, client, kind, connection=None):
        """:param str kind: of docs/protocol.md, "Events" """
        return self.sudo().create({"client_id": client.id, "kind": kind, "connection_id": connection and connection.id})
