from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import AccessError


class BankSyncClient(models.Model):
    """What support sees of a client."""

    _name = "bank.sync.client"
    _inherit = ["bank.sync.client"]
    _rec_names_search = ["name", "identifier", "database_uuid", "url", "contact_email"]
    # Support writes notes and changes nothing.
    _mail_post_access = "read"

    # Support must be able to call.
    phone = fields.Char(groups="bank_sync_proxy.group_support")
    last_activity_at = fields.Datetime(
        string="Last Activity",
        compute="_compute_last_activity_at",
        help="The last news of a bank, page of a bank, or failure. Nothing is written at each request.",
    )
    error_ids = fields.One2many(comodel_name="bank.sync.error", inverse_name="client_id", readonly=True)
    suspicion_ids = fields.One2many(comodel_name="bank.sync.suspicion", inverse_name="client_id", readonly=True)
    event_ids = fields.One2many(comodel_name="bank.sync.event", inverse_name="client_id", readonly=True)
    error_count = fields.Integer(compute="_compute_support_counts")
    suspicion_count = fields.Integer(string="Suspicious Activity", compute="_compute_support_counts")
    event_count = fields.Integer(compute="_compute_support_counts")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("error_ids", "suspicion_ids", "event_ids")
    def _compute_support_counts(self):
        for name, model in (
            ("error_count", "bank.sync.error"),
            ("suspicion_count", "bank.sync.suspicion"),
            ("event_count", "bank.sync.event"),
        ):
            groups = self.env[model]._read_group([("client_id", "in", self.ids)], ["client_id"], ["__count"])
            counts = dict(groups)
            for client in self:
                client[name] = counts.get(client, 0)

    @api.depends("connection_ids.refreshed_at", "error_ids")
    def _compute_last_activity_at(self):
        latest = {client.id: client.create_date for client in self}
        for model, moment in (
            ("bank.sync.connection", "refreshed_at:max"),
            ("bank.sync.connection", "create_date:max"),
            ("bank.sync.error", "create_date:max"),
        ):
            for client, last in self.env[model]._read_group([("client_id", "in", self.ids)], ["client_id"], [moment]):
                latest[client.id] = max(filter(None, (latest[client.id], last)), default=False)
        for client in self:
            client.last_activity_at = latest[client.id]

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_ask_phone_again(self):
        self._check_support()
        # sudo: _check_support above has checked the group and read access to the client
        return super(BankSyncClient, as_server(self)).action_ask_phone_again()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _check_support(self):
        """Support may only read clients; its further actions run with superuser rights after this check."""
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group("bank_sync_proxy.group_support")):
            raise AccessError(self.env._("Only the support of the connection service may do this."))
