from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError


class BankSyncIntervention(models.TransientModel):
    """Support blocks, unblocks or disconnects: asks why, does it, and leaves who, when, what and why in the chatter.

    Support may only read clients and connections. What is done here is done with superuser rights, and only this.
    """

    _name = "bank.sync.intervention"
    _description = "Intervention of Support"
    _inherit = ["bank.sync.server.fields"]

    action = fields.Selection(
        selection=lambda self: self.env["bank.sync.reason"]._fields["action"].selection, required=True
    )
    client_ids = fields.Many2many(
        comodel_name="bank.sync.client", default=lambda self: self._default_records("bank.sync.client")
    )
    connection_ids = fields.Many2many(
        comodel_name="bank.sync.connection", default=lambda self: self._default_records("bank.sync.connection")
    )
    reason_id = fields.Many2one(
        comodel_name="bank.sync.reason", string="Ready-Made Reason", domain="[('action', '=', action)]"
    )
    reason = fields.Text(compute="_compute_reason", store=True, readonly=False)
    is_reason_required = fields.Boolean(compute="_compute_is_reason_required")
    has_embedded = fields.Boolean(compute="_compute_has_embedded")

    @api.model
    def _default_records(self, model):
        """:return: the records from whose form or list the wizard was opened"""
        context = self.env.context
        return self.env[model].browse(context.get("active_ids") if context.get("active_model") == model else [])

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("reason_id")
    def _compute_reason(self):
        for wizard in self:
            wizard.reason = wizard.reason_id.text or wizard.reason

    @api.depends("action")
    def _compute_is_reason_required(self):
        for wizard in self:
            wizard.is_reason_required = wizard.action != "unblock"

    @api.depends("client_ids", "connection_ids")
    def _compute_has_embedded(self):
        for wizard in self:
            wizard.has_embedded = any((wizard.client_ids | wizard.connection_ids.client_id).mapped("is_embedded"))

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_apply(self):
        self.ensure_one()
        self.env["bank.sync.client"]._check_support()
        reason = (self.reason or "").strip()
        if self.is_reason_required and not reason:
            raise UserError(self.env._("Say why: the users of the database read it."))
        records = self.connection_ids if self.action == "disconnect_connection" else self.client_ids
        if not records:
            raise UserError(self.env._("Choose at least one client or connection."))
        records.check_access("read")
        # sudo: support's group and its read access to each record were checked above; it may do these four things only
        records = as_server(records)
        if self.action == "block":
            records._block(reason, by="support")
        elif self.action == "unblock":
            records.filtered(lambda client: client.state == "blocked")._unblock(reason or None)
        elif self.action == "disconnect":
            records._disconnect(reason)
        elif self.action == "disconnect_connection":
            records.filtered(lambda connection: connection.state != "disconnected")._disconnect_by_support(reason)
        else:
            raise UserError(self.env._("Choose what to do: block, unblock or disconnect."))
        return {"type": "ir.actions.act_window_close"}
