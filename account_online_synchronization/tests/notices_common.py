from datetime import timedelta

from odoo.tests import new_test_user

from .common import OnlineSyncCommon


class NoticesCommon(OnlineSyncCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = cls.new_user("accountant", "account.group_account_basic")
        cls.manager = cls.new_user("manager", "account.group_account_manager")

    @classmethod
    def new_user(cls, login, *groups):
        return new_test_user(
            cls.env,
            login=login,
            email=f"{login}@example.com",
            groups=",".join(groups),
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )

    def ending(self, days, **values):
        """A link that fills the journal, whose consent is valid for ``days`` days from today on."""
        end = self.today() + timedelta(days=days)
        return self.connect_journal(
            **{"expiring_synchronization_date": end, "responsible_user_id": self.accountant.id, **values}
        )

    def ending_another(self, days):
        """A second link, with a separate journal."""
        link = self.connect(
            expiring_synchronization_date=self.today() + timedelta(days=days), responsible_user_id=self.accountant.id
        )
        link.account_online_account_ids._link_journal(link.account_online_account_ids._create_journal())
        return link

    def run_notices(self):
        with self.enter_registry_test_mode():
            self.env.ref("account_online_synchronization.ir_cron_notify_expiring").method_direct_trigger()
        self.env.invalidate_all()

    def mails(self, link):
        """E-mails of the template, without Odoo's notifications about activities."""
        return self.env["mail.mail"].search([("body_html", "like", f'res_id={link.id}">Renew<')], order="id")

    def activities(self, link):
        return link.activity_ids.sorted("id")

    def meet_error(self, link, action="renew", code=None):
        self.proxy.fail("connections.refresh", code or f"code_of_{action}", action, reference="E-7KQ2")
        self.synchronize(link)

    def succeed(self, link):
        self.proxy.failures.clear()
        self.synchronize(link)
