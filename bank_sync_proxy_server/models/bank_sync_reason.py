from odoo import fields, models


class BankSyncReason(models.Model):
    """A ready-made reason for an intervention of support. It is shown to the database's users."""

    _name = "bank.sync.reason"
    _description = "Ready-Made Reason"
    _inherit = ["bank.sync.server.fields"]
    _order = "sequence, id"

    name = fields.Char(string="Title", required=True, translate=True)
    action = fields.Selection(
        selection=[
            ("block", "Block a Database"),
            ("unblock", "Unblock a Database"),
            ("disconnect", "Disconnect a Database"),
            ("disconnect_connection", "Disconnect a Connection"),
        ],
        string="For",
        required=True,
    )
    text = fields.Text(required=True, translate=True, help="What happened, what it means and what to do.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
