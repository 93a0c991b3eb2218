from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import ValidationError


class BankSyncProvider(models.Model):
    """Switching a provider on: only with keys that have passed, and never without its list of banks."""

    _inherit = "bank.sync.provider"  # pylint: disable=consider-merging-classes-inherited

    can_search_bank = fields.Boolean(compute="_compute_can_search_bank")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends_context("uid")
    def _compute_can_search_bank(self):
        self.can_search_bank = bool(self._search_action())

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
        result = super().write(vals)
        if switched_on:
            # Whichever way it is switched on, its banks get listed; what has just been listed is left out there.
            # sudo: starts a scheduled action of our own; write access was checked by super
            self.env.ref("bank_sync_proxy.ir_cron_update_directory").sudo()._trigger()
        return result

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_switch_on(self):
        """*Switch On*: test the keys, switch on, and list the banks.

        :return: action that tells how many there are and leads to their search; None where the form says what is wrong
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: write access was checked above; the result of the test and the banks are noted by nobody else
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
        """*Search for Your Bank*, where the addon is installed that connects banks to journals."""
        return self._search_action()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _search_action(self):
        """:return: the search for a bank, or None where this database has none or the user may not connect banks"""
        if "account.online.link" not in self.env or not self.env.user.has_group("account.group_account_manager"):
            return None
        return self.env["ir.actions.client"]._for_xml_id(
            "account_online_synchronization.account_online_link_action_search"
        )
