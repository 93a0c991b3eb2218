from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import ValidationError


class BankSyncProvider(models.Model):
    """Switching a provider on: only with tested keys, and never without its list of banks."""

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
            # However it is switched on, its banks are listed; the action skips lists that were just updated.
            # sudo: triggers a scheduled action of this addon; write access was checked by super
            self.env.ref("bank_sync_proxy.ir_cron_update_directory").sudo()._trigger()
        return result

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_switch_on(self):
        """*Switch On*: test the keys, switch on, and list the banks.

        :return: action that shows their number and leads to their search; None if the form shows what is wrong
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

    def _search_action(self):
        """:return: action of the search for a bank; None if this database has no such search or the user may not
        connect banks"""
        if "account.online.link" not in self.env or not self.env.user.has_group("account.group_account_manager"):
            return None
        return self.env["ir.actions.client"]._for_xml_id(
            "account_online_synchronization.account_online_link_action_search"
        )
