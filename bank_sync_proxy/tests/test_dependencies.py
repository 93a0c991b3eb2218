from odoo.tests import TransactionCase, tagged

#: What only text messages need.
NOT_NEEDED = {"sms", "iap", "iap_mail", "phone_validation"}


@tagged("post_install", "-at_install")
class TestDependencies(TransactionCase):
    """An ordinary installation uses the proxy in its own process and needs no part of a proxy for many databases."""

    def required(self, *names):
        """:return: set of the names of all addons that these need, and what those need"""
        modules = self.env["ir.module.module"].search([("name", "in", names)])
        self.assertTrue(modules)
        return set(modules.upstream_dependencies(exclude_states=("unknown",)).mapped("name"))

    def test_an_ordinary_installation_requires_no_text_messages(self):
        required = self.required("account_online_synchronization", "bank_sync_proxy")
        self.assertIn("web", required)
        self.assertFalse(required & NOT_NEEDED)
        self.assertNotIn("bank_sync_proxy_server", required)

    def test_an_ordinary_installation_runs_no_scheduled_action_within_the_hour(self):
        """Urgent work is triggered, so a server without any events stays idle."""
        names = self.env["ir.model.data"].search(
            [("model", "=", "ir.cron"), ("module", "in", ("account_online_synchronization", "bank_sync_proxy"))]
        )
        crons = self.env["ir.cron"].browse(names.mapped("res_id"))
        self.assertIn(self.env.ref("bank_sync_proxy.ir_cron_deliver_events"), crons)
        self.assertFalse(crons.filtered(lambda cron: cron.interval_type == "minutes").mapped("name"))

    def test_a_proxy_alone_requires_no_mail(self):
        self.assertNotIn("mail", self.required("bank_sync_proxy"))
