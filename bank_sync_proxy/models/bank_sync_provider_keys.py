from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.identity import is_identity_confirmed
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import ValidationError

from ..providers import forms, provider_class
from ..providers.base import Provider


class BankSyncProvider(models.Model):
    """A provider's keys, and switching it on: only with tested keys, and never without its list of banks."""

    _inherit = "bank.sync.provider"  # pylint: disable=consider-merging-classes-inherited

    keys_owner = fields.Selection(
        selection=[("proxy", "This proxy"), ("user", "Each user"), ("nobody", "Nobody")],
        string="Keys Belong to",
        compute="_compute_adapter_facts",
        help="This proxy: entered here once. Each user: requested when a bank is connected, and used for that "
        "connection only.",
    )
    has_sandbox = fields.Boolean(
        compute="_compute_adapter_facts", help="Sandbox and production have addresses of their own."
    )
    has_private_key = fields.Boolean(compute="_compute_adapter_facts")
    docs_url = fields.Char(string="Documentation", compute="_compute_adapter_facts")
    keys_state = fields.Selection(
        selection=[("work", "These keys work"), ("refused", "They do not work"), ("unknown", "Not known")],
        readonly=True,
        copy=False,
    )
    keys_message = fields.Text(string="Test of the Keys", readonly=True, copy=False)
    keys_tested_at = fields.Datetime(string="Tested on", readonly=True, copy=False)

    are_keys_locked = fields.Boolean(
        compute="_compute_are_keys_locked", help="Keys are changed only after the password was confirmed."
    )
    can_search_bank = fields.Boolean(compute="_compute_can_search_bank")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends_context("uid")
    def _compute_are_keys_locked(self):
        self.are_keys_locked = not is_identity_confirmed()

    @api.depends_context("uid")
    def _compute_can_search_bank(self):
        self.can_search_bank = bool(self._search_action())

    @api.depends("code")
    def _compute_adapter_facts(self):
        for provider in self:
            adapter = provider_class(provider.code) if provider.code else Provider
            needs_keys = any(setting.required for setting in adapter.settings_needed)
            provider.keys_owner = "nobody" if adapter.demonstration else "proxy" if needs_keys else "user"
            addresses = {getattr(adapter, name, None) for name in ("production_url", "sandbox_url")}
            provider.has_sandbox = len(addresses) > 1
            provider.has_private_key = any(setting.type in forms.FILES for setting in adapter.settings_needed)
            provider.docs_url = adapter.docs_url

    # -------------------------------------------------------------------------
    # CONSTRAINTS
    # -------------------------------------------------------------------------

    @api.constrains("active")
    def _check_keys_have_passed(self):
        for provider in self.filtered("active"):
            if not provider._have_keys_passed():
                raise ValidationError(
                    self.env._(
                        "%s stays off, because its keys have not passed the test yet. Open it, enter the keys and "
                        "press Switch On.",
                        provider.name,
                    )
                )

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        switched_on = self.filtered(lambda provider: not provider.active) if vals.get("active") else self.browse()
        if "environment" in vals:
            # Each setting checks and resets this itself, however it is written.
            self.env["bank.sync.provider.setting"]._check_identity()
            self._forget_test()
        result = super().write(vals)
        if switched_on:
            # Its banks are listed no matter how it is switched on; the action skips lists that were just updated.
            # sudo: triggers a scheduled action of this addon; write access was checked by super
            self.env.ref("bank_sync_proxy.ir_cron_update_directory").sudo()._trigger()
        return result

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_change_keys(self):
        """*Change Keys*: they can be entered once the user has confirmed the password."""
        self.ensure_one()
        self.check_access("write")
        return self._unlock_keys()

    @check_identity
    def _unlock_keys(self):
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_test_keys(self):
        """*Test These Keys*: make a free request to the provider; the form shows the result."""
        self.ensure_one()
        self.check_access("write")
        # Why sudo: failures are recorded, and secrets are read.
        # sudo: write access to the provider was checked above; secrets are read and the result is noted
        provider = as_server(self)
        state, message = provider._test_keys()
        provider.write({"keys_state": state, "keys_message": message, "keys_tested_at": fields.Datetime.now()})
        return True

    def action_switch_on(self):
        """*Switch On*: test the keys, switch on, and list the banks.

        :return: action that shows their number and leads to the search; None if the form shows what is wrong
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: write access was checked above; only the server may write the result of the test and the banks
        provider = as_server(self)
        if provider.keys_owner == "proxy":
            provider.action_test_keys()
            if not provider._have_keys_passed():
                return None
        provider.active = True
        return provider._update_directory(following=self._search_action())

    def action_sign_up(self):
        """*Open the Sign-Up Page* of the provider."""
        self.ensure_one()
        self.check_access("read")
        return {"type": "ir.actions.act_url", "url": self.signup_url, "target": "new"}

    def action_search_bank(self):
        """*Search for Your Bank*, if the addon that connects banks to journals is installed."""
        return self._search_action()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _forget_test(self):
        """Other keys were entered, which are not tested yet: a provider that needs them is switched off."""
        self.check_access("write")
        # sudo: write access was checked above; only the result of a test is reset
        providers = as_server(self)
        providers.filtered("keys_state").write({"keys_state": False, "keys_message": False, "keys_tested_at": False})
        providers.filtered(lambda provider: provider.active and provider.keys_owner == "proxy").write({"active": False})

    def _missing_settings(self):
        # sudo: also shows support which keys are missing, but no value
        return self.sudo().setting_ids.filtered(lambda setting: setting.is_required and not setting.is_set)

    def _can_be_tested(self):
        """:return: whether the keys can be tested without a user's consent"""
        return provider_class(self.code).check_keys is not Provider.check_keys

    def _have_keys_passed(self):
        """:return: whether the keys have passed their test; for keys that can't be tested, whether they are complete:
        their form was checked when they were entered
        """
        if self.keys_owner != "proxy" or self.keys_state == "work":
            return True
        return not self._can_be_tested() and not self._missing_settings()

    def _test_keys(self):
        """:return: (value of ``keys_state``, sentence)"""
        missing = self._missing_settings()
        if missing:
            labels = ", ".join(missing.mapped("title"))
            return "unknown", self.env._("Please enter these first: %s.", labels)
        if not self._can_be_tested():
            return "unknown", self.env._(
                "These keys can't be tested on their own: you will see whether they work when a user connects a bank."
            )
        said, error, record = self.env["bank.sync.error"]._attempt(
            lambda: self._new_adapter().check_keys(), operation="providers.test_keys"
        )
        if error is None:
            return "work", self.env._("These keys work. %(provider)s says: %(said)s.", provider=self.name, said=said)
        return self._refusal(error, record)

    def _refusal(self, error, record):
        """:return: (value of ``keys_state``, sentence) by who must act"""
        names = {"provider": self.name, "detail": error.detail, "reference": record.reference}
        family = type(error).__name__
        if family == "ConfigurationError":
            return "refused", self.env._(
                "%(provider)s does not accept these keys: %(detail)s. Please compare them with its website, and check "
                "whether they are of the same environment. Reference: %(reference)s",
                **names,
            )
        if family == "RateLimited":
            minutes = max(1, round((error.retry_after or 0) / 60))
            return "unknown", self.env._(
                "%(provider)s accepts no more requests at the moment. Please test again in %(minutes)s minutes.",
                provider=self.name,
                minutes=minutes,
            )
        if family == "TransientError":
            return "unknown", self.env._(
                "%(provider)s can't be reached at the moment, so the keys could not be tested. Please try again "
                "later. Reference: %(reference)s",
                **names,
            )
        if family == "ConsentError":
            return "refused", f"{record.message} ({record.reference})"
        return "unknown", self.env._(
            "%(provider)s answered in an unexpected way: %(detail)s. Reference: %(reference)s", **names
        )

    def _search_action(self):
        """:return: action of the search for a bank; None if this database has no such search or the user may not
        connect banks"""
        if "account.online.link" not in self.env or not self.env.user.has_group("account.group_account_manager"):
            return None
        return self.env["ir.actions.client"]._for_xml_id(
            "account_online_synchronization.account_online_link_action_search"
        )
