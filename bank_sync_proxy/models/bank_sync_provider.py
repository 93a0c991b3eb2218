import secrets
import time
from contextlib import suppress
from datetime import timezone

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server

from ..providers import PROVIDERS, provider_class
from ..providers.errors import ConfigurationError, ProviderError, TransientError

#: Class id of our advisory locks, and the largest number of them that one provider may have.
SLOTS = 0x42535950
MAX_SLOTS = 1000
#: Seconds: how long a request waits for its turn, and after how long a retry makes sense.
PATIENCE = 2
BUSY_FOR = 15


class BankSyncProvider(models.Model):
    """A provider that this proxy may use, with its place in the order, and its list of banks."""

    _name = "bank.sync.provider"
    _description = "Bank Provider"
    _inherit = ["bank.sync.server.fields"]
    _order = "sequence, id"

    def _code_selection(self):
        return [(code, label) for code, label, _name in PROVIDERS]

    name = fields.Char(required=True)
    code = fields.Selection(selection="_code_selection", required=True, readonly=True, copy=False)
    sequence = fields.Integer(default=10, help="If several providers reach the same bank, the first one is proposed.")
    active = fields.Boolean(default=True)
    environment = fields.Selection(
        selection=[("sandbox", "Sandbox"), ("production", "Production")], required=True, default="production"
    )
    max_concurrent = fields.Integer(
        string="Requests at Once",
        default=16,
        help="How many requests to this provider may run at the same time, for all clients together; 0: no limit.",
    )
    is_demonstration = fields.Boolean(compute="_compute_is_demonstration")
    setting_ids = fields.One2many(comodel_name="bank.sync.provider.setting", inverse_name="provider_id")
    institution_ids = fields.One2many(comodel_name="bank.sync.institution", inverse_name="provider_id", readonly=True)
    institution_count = fields.Integer(string="Banks Listed", compute="_compute_institution_count")
    directory_updated_at = fields.Datetime(readonly=True, copy=False)
    directory_error_id = fields.Many2one(
        comodel_name="bank.sync.error",
        string="Last Update Failed",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    directory_error_message = fields.Text(related="directory_error_id.message", string="Why")
    may_accept_shorter = fields.Boolean(readonly=True, copy=False, help="The list has lost most of its banks.")

    _code_unique = models.Constraint("UNIQUE(code)", "Each provider exists once.")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("code")
    def _compute_is_demonstration(self):
        for provider in self:
            provider.is_demonstration = bool(provider.code) and provider_class(provider.code).demonstration

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        providers = super().create(vals_list)
        providers._ensure_settings()
        providers._store_facts()
        return providers

    def write(self, vals):
        result = super().write(vals)
        if {"active", "sequence"} & vals.keys():
            self.env["bank.sync.institution"]._propose()
        return result

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_one_day_later(self):
        """Move the Demo Bank's clock forward by a day, so that a demonstration has new transactions."""
        setting = self.setting_ids.filtered(lambda setting: setting.name == "clock_offset_hours")
        setting.ensure_one()
        self.check_access("write")
        # sudo: the caller may write the provider, and the Demo Bank's clock is not a credential.
        setting.sudo().value = str(int(setting.value or 0) + 24)

    def action_update_directory(self):
        return self._update_directory()

    def action_accept_shorter_directory(self):
        """Accept a list although it has lost most of its banks."""
        return self._update_directory(may_shrink=True)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _update_directory(self, following=None, **options):
        """
        :param dict following: action after a success, instead of the form
        :return: action that shows the result; a failure is shown in the form until the next attempt
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: write access to the provider was checked above; only this update may write banks
        provider = as_server(self)
        provider.env["bank.sync.institution"]._update_directory(provider, **options)
        provider.invalidate_recordset(["institution_count", "institution_country_count", "reach"])
        reload = {"type": "ir.actions.client", "tag": "soft_reload"}
        if provider.directory_error_id:
            return reload
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "title": provider.name,
                "message": provider.reach,
                "next": following or reload,
            },
        }

    def _ensure_settings(self):
        """Create the settings that each provider's adapter declares; run again after an adapter's declaration has
        changed."""
        for provider in self:
            known = provider.setting_ids.grouped("name")
            for sequence, setting in enumerate(provider_class(provider.code).settings_needed):
                values = {
                    "label": setting.label,
                    "help": setting.help,
                    "type": setting.type,
                    "is_required": setting.required,
                    "sequence": sequence,
                }
                if setting.name in known:
                    known[setting.name].write(values)
                else:
                    values |= {"name": setting.name, "plain_value": setting.default or False}
                    provider.setting_ids = [fields.Command.create(values)]
            provider._generate_secrets()

    @api.model
    def _update_settings(self):
        """Called after an update of the addon, whose adapters may declare other settings and facts than before."""
        providers = self.with_context(active_test=False).search([("code", "!=", False)])
        providers._ensure_settings()
        providers._store_facts()

    def _generate_secrets(self):
        """Generate the secrets that are not entered; again in a copied database, which can't read the original's."""
        # sudo: generates random secrets that are neither entered nor shown; nothing comes from a caller
        for setting in as_server(self.setting_ids).filtered(lambda setting: setting._is_generated()):
            # Also if the original of this copy has written it, because then it can't be read.
            if not setting._secret():
                setting.value = secrets.token_urlsafe(32)

    def _take_slot(self):
        """Wait for one of the provider's slots for concurrent requests; it is held until the transaction ends.

        Why advisory locks: they are released with the transaction, however it ends, and apply to all servers that share
        the database. A second call in the same transaction is granted the lock it already holds.

        :raise TransientError: ``provider_busy``
        """
        slots = min(self.max_concurrent, MAX_SLOTS)
        if slots <= 0:
            return
        end = time.monotonic() + PATIENCE
        while True:
            # Each session begins at a different slot, so it finds its own lock first, and rarely another session's.
            self.env.cr.execute(
                "SELECT 1 FROM generate_series(0, %(slots)s - 1) number"
                " WHERE pg_try_advisory_xact_lock(%(class)s, %(first)s + (number + pg_backend_pid()) %% %(slots)s)"
                " LIMIT 1",
                {"slots": slots, "class": SLOTS, "first": self.id * MAX_SLOTS},
            )
            if self.env.cr.fetchone():
                return
            if time.monotonic() >= end:
                raise TransientError(
                    "provider_busy", f"{slots} requests at once", provider=self.code, retry_after=BUSY_FOR
                )
            time.sleep(0.1)

    def _adapter(self):
        """
        :return: the adapter with its settings, for one operation
        :raise ConfigurationError: when the provider is switched off or not configured
        """
        self.ensure_one()
        if not self.active:
            raise ConfigurationError("provider_not_configured", "switched off", provider=self.code)
        return self._new_adapter()

    def _new_adapter(self):
        """:return: as :meth:`_adapter`, also for a provider that is switched off, to test its keys first"""
        try:
            adapter_class = provider_class(self.code)
        except ImportError as error:
            # An optional library; its message says what is missing.
            raise ConfigurationError("provider_not_configured", str(error), provider=self.code)
        adapter = adapter_class(
            settings=self.setting_ids._as_values(),
            # Why Odoo's clock: it has no fractions of a second; times are stored and sent without them.
            clock=lambda: fields.Datetime.now().replace(tzinfo=timezone.utc),
            production=self.environment == "production",
        )
        adapter.check_settings()
        return adapter

    def _now(self):
        """:return: the current moment, aware, by the provider's clock where it is usable"""
        if self.is_demonstration:
            # Why only there: no other clock can be moved, and making an adapter costs queries and decryptions.
            with suppress(ProviderError):
                return self._adapter().now()
        return fields.Datetime.now().replace(tzinfo=timezone.utc)

    def _to_protocol(self):
        """:return: ``{code, label}`` of docs/protocol.md"""
        self.ensure_one()
        return {"code": self.code, "label": self.name}
