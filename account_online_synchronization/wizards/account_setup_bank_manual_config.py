from odoo import models


class AccountSetupBankManualConfig(models.TransientModel):
    _inherit = "account.setup.bank.manual.config"

    def validate(self):
        """*Create*: after the bank search, open the dashboard with the new journal."""
        action = super().validate()
        if not self.env.context.get("bank_is_not_listed"):
            return action
        dashboard = self.env["ir.actions.act_window"]._for_xml_id("account.open_account_journal_dashboard_kanban")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "The journal %s is ready. Enter its transactions yourself, or import the files of your bank; once "
                    "the bank is listed, use Connect bank on its card.",
                    self.linked_journal_id.name,
                ),
                "next": {**dashboard, "target": "main"},
            },
        }
