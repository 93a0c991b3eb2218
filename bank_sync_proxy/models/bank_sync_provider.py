from datetime import timezone

from odoo import api, fields, models

from ..providers import PROVIDERS, provider_class
from ..providers.errors import ConfigurationError, ProviderError


class BankSyncProvider(models.Model):
    """A provider that this proxy may use, with the keys it needs."""

    _name = "bank.sync.provider"
    _description = "Bank Provider"
    _order = "sequence, id"

    def _code_selection(self):
        return [(code, label) for code, label, _name in PROVIDERS]

    name = fields.Char(required=True)
    code = fields.Selection(selection="_code_selection", required=True, readonly=True, copy=False)
    sequence = fields.Integer(default=10, help="Where several providers reach the same bank, the first is proposed.")
    active = fields.Boolean(default=True)
    environment = fields.Selection(
        selection=[("sandbox", "Sandbox"), ("production", "Production")], required=True, default="production"
    )
    is_demonstration = fields.Boolean(compute="_compute_is_demonstration")
    setting_ids = fields.One2many(comodel_name="bank.sync.provider.setting", inverse_name="provider_id")
    institution_ids = fields.One2many(comodel_name="bank.sync.institution", inverse_name="provider_id")
    institution_count = fields.Integer(compute="_compute_institution_count")
    directory_updated_at = fields.Datetime(readonly=True, copy=False)

    _code_unique = models.Constraint("UNIQUE(code)", "Each provider exists once.")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("code")
    def _compute_is_demonstration(self):
        for provider in self:
            provider.is_demonstration = bool(provider.code) and provider_class(provider.code).demonstration

    def _compute_institution_count(self):
        counts = dict(
            self.env["bank.sync.institution"]._read_group(
                [("provider_id", "in", self.ids)], groupby=["provider_id"], aggregates=["__count"]
            )
        )
        for provider in self:
            provider.institution_count = counts.get(provider, 0)

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        providers = super().create(vals_list)
        providers._ensure_settings()
        return providers

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_one_day_later(self):
        """Let the Demo Bank's clock move on by a day, so that a demonstration has news."""
        setting = self.setting_ids.filtered(lambda setting: setting.name == "clock_offset_hours")
        setting.ensure_one()
        setting.value = str(int(setting.value or 0) + 24)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _ensure_settings(self):
        """Give each provider the settings that its adapter declares; run again when an adapter declares new ones."""
        for provider in self:
            known = provider.setting_ids.mapped("name")
            provider.setting_ids = [
                fields.Command.create(
                    {
                        "name": setting.name,
                        "label": setting.label,
                        "help": setting.help,
                        "type": setting.type,
                        "sequence": sequence,
                        "plain_value": setting.default or False,
                    }
                )
                for sequence, setting in enumerate(provider_class(provider.code).settings_needed)
                if setting.name not in known
            ]

    def _adapter(self):
        """
        :return: the adapter with its settings, for one operation
        :raise ConfigurationError: when the provider is switched off or not configured
        """
        self.ensure_one()
        if not self.active:
            raise ConfigurationError("provider_not_configured", "switched off", provider=self.code)
        try:
            adapter_class = provider_class(self.code)
        except ImportError as error:
            # An optional library; its message says what is missing.
            raise ConfigurationError("provider_not_configured", str(error), provider=self.code)
        adapter = adapter_class(
            settings=self.setting_ids._as_values(),
            # Why Odoo's: it has no fractions of a second; moments are stored and travel without them.
            clock=lambda: fields.Datetime.now().replace(tzinfo=timezone.utc),
            production=self.environment == "production",
        )
        adapter.check_settings()
        return adapter

    def _now(self):
        """:return: the current moment, aware, by the provider's clock where it is usable"""
        try:
            return self._adapter().now()
        except ProviderError:
            return fields.Datetime.now().replace(tzinfo=timezone.utc)

    def _to_protocol(self):
        """:return: ``{code, label}`` of docs/protocol.md"""
        self.ensure_one()
        return {"code": self.code, "label": self.name}
