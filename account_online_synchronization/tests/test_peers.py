from datetime import date, datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestTwelveBehaviours(OnlineSyncCommon):
    """Twelve things that go wrong where bank feeds go wrong, each as what a user wants instead."""

    def run_schedule(self):
        with self.enter_registry_test_mode():
            self.env.ref("account_online_synchronization.ir_cron_synchronize").method_direct_trigger()
        self.env.invalidate_all()

    def test_01_after_three_days_without_the_bank_everything_is_there_once(self):
        link = self.connect_journal()
        self.proxy.book("BEFORE", "1.00", date(2026, 5, 20))
        self.run_schedule()
        self.proxy.fail("connections.refresh", "institution_unavailable")
        moment = datetime(2026, 5, 20, 22)
        while moment < datetime(2026, 5, 23, 12):
            self.proxy.book(f"T{moment:%d%H}", "10.00", moment.date())
            with freeze_time(moment):
                self.run_schedule()
            moment += timedelta(hours=12)
        self.assertEqual(str(link.account_online_account_ids.last_sync), "2026-05-20")
        self.proxy.failures.clear()
        self.proxy.answers["connections.refresh"]["refreshed_at"] = "2026-05-23T22:00:00Z"
        with freeze_time(moment + timedelta(hours=12)):
            self.run_schedule()
            self.run_schedule()
        self.assertEqual(len(self.lines()), 7)
        self.assertEqual(
            set(self.lines().mapped("online_transaction_identifier")),
            {"BEFORE"}
            | {f"T{day}{hour}" for day, hour in [(20, 22), (21, 10), (21, 22), (22, 10), (22, 22), (23, 10)]},
        )
        states = link.run_ids.sorted("id").mapped("state")
        self.assertEqual(states, ["done", *["failed"] * 6, "done"])
        self.assertEqual(link.run_ids.sorted("id")[-1].imported, 6)

    def test_02_what_cannot_be_written_for_one_bank_does_not_stop_the_others(self):
        broken = self.connect_journal()
        other_journal = self.env["account.journal"].create({"name": "Other", "type": "bank", "code": "OTH"})
        self.proxy.add_account("A2")
        healthy = self.connect()
        healthy.account_online_account_ids.filtered(lambda one: one.name == "Account A2")._link_journal(other_journal)
        self.proxy.book("BAD", "1.00")
        self.proxy.book("GOOD", "2.00", account_id="A2")
        with self.refused("BAD", "It cannot be written."):
            self.run_schedule()
        self.assertEqual((len(self.lines()), len(self.lines(other_journal))), (0, 1))
        self.assertTrue(broken.run_ids and healthy.run_ids)

    def test_03_one_id_twice_in_an_answer_is_one_line_and_no_trouble(self):
        self.proxy.book("T1", "1.00")
        self.proxy.book("T1", "1.00")
        self.proxy.book("T2", "2.00")
        run = self.synchronize(self.connect_journal())
        self.assertEqual((run.state, self.lines().mapped("amount")), ("done", [1, 2]))

    def test_04_a_pending_payment_that_is_booked_under_another_id_is_one_line(self):
        link = self.connect_journal()
        self.proxy.book("PENDING", "-5.00", status="pending")
        self.synchronize(link)
        self.proxy.transactions["A1"].clear()
        self.proxy.book("BOOKED", "-5.00")
        self.synchronize(link)
        self.assertEqual(self.lines().mapped("online_transaction_identifier"), ["BOOKED"])
        self.assertFalse(self.beside())

    def test_05_a_line_that_the_user_deleted_stays_deleted(self):
        self.proxy.book("T1", "1.00")
        link = self.connect_journal()
        self.synchronize(link)
        self.delete(self.lines())
        self.synchronize(link)
        self.assertFalse(self.lines())

    def test_06_lines_of_a_locked_period_are_never_moved_to_another_day(self):
        self.company.fiscalyear_lock_date = "2026-03-31"
        for day in (date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 1)):
            self.proxy.book(f"T{day:%m%d}", "1.00", day)
        run = self.synchronize(self.connect_journal())
        self.assertEqual(self.lines().mapped("date"), [date(2026, 4, 1)])
        self.assertEqual(self.lines().move_id.mapped("date"), [date(2026, 4, 1)])
        self.assertEqual((run.skipped_locked, len(self.beside("left_out"))), (2, 2))

    def test_07_the_bank_s_day_is_the_journal_s_day_in_every_time_zone(self):
        link = self.connect_journal()
        zones = ("America/New_York", "Pacific/Pago_Pago", "Pacific/Kiritimati")
        for number, zone in enumerate(zones):
            self.env.user.tz = zone
            self.proxy.book(f"T{number}", "1.00", date(2026, 5, 12))
            with freeze_time(f"2026-05-20 {number * 11:02}:30:00"):
                link.with_context(tz=zone)._synchronize(user_present=True)
        self.assertEqual(self.lines().mapped("date"), [date(2026, 5, 12)] * 3)

    def test_08_a_refused_login_is_reported_to_the_user_and_leaves_no_gap(self):
        link = self.connect_journal()
        self.synchronize(link)
        last_sync = link.account_online_account_ids.last_sync
        self.proxy.book("T1", "1.00")
        self.proxy.fail("transactions.list", "credentials_rejected", "renew", reference="E-1")
        with freeze_time("2026-05-25 10:00:00"):
            action = link.action_fetch_transactions()
        self.assertEqual(action["params"]["message"], "Sentence of credentials_rejected.")
        self.assertRecordValues(link, [{"state": "error", "error_action": "renew", "error_reference": "E-1"}])
        self.assertIn("Sentence of credentials_rejected.", str(link.message_ids.mapped("body")))
        self.assertEqual(link.account_online_account_ids.last_sync, last_sync)
        self.proxy.failures.clear()
        with freeze_time("2026-05-26 10:00:00"):
            self.synchronize(link)
        self.assertEqual(len(self.lines()), 1)

    def test_09_ninety_days_of_history_cost_one_request(self):
        self.proxy.page_size = 500
        for days in range(90):
            self.proxy.book(f"T{days}", "1.00", self.days_ago(days))
        link = self.connect_journal(start_date=self.days_ago(90), periodicity="day")
        self.proxy.requests.clear()
        self.synchronize(link)
        self.assertEqual(self.requested_operations(), ["connections.refresh", "accounts.list", "transactions.list"])
        self.assertEqual((len(self.lines()), len(self.statements())), (90, 90))

    def test_09_accounts_that_come_with_the_news_are_not_requested_again(self):
        link = self.connect_journal()
        account = {**self.proxy.accounts["A1"], "balance": "12.00"}
        self.proxy.answers["connections.refresh"]["accounts"] = [account]
        self.proxy.requests.clear()
        self.synchronize(link)
        self.assertEqual(self.requested_operations(), ["connections.refresh", "transactions.list"])
        self.assertEqual(link.account_online_account_ids.balance, 12.0)

    def test_10a_an_amount_in_another_currency_is_never_booked_as_ours(self):
        self.assertFalse(self.journal.currency_id)
        self.proxy.book("T1", "-10.00", currency="EUR" if self.proxy.currency != "EUR" else "USD")
        run = self.synchronize(self.connect_journal())
        self.assertFalse(self.lines())
        self.assertIn("but the account is in", run.parked_text)

    def test_10b_the_payee_is_recognised_by_the_account_number(self):
        self.env["res.partner.bank"].create({"partner_id": self.partner_a.id, "acc_number": "BE71 0961 2345 6769"})
        self.proxy.accounts["A1"]["number"] = "BE68 5390 0754 7034"
        self.proxy.book("T1", "-10.00", counterparty={"name": "A", "account_number": "BE71096123456769"})
        self.synchronize(self.connect_journal())
        self.assertRecordValues(self.lines(), [{"account_number": "BE71096123456769", "partner_id": self.partner_a.id}])

    def test_11_every_bank_keeps_to_its_schedule_and_its_trouble_is_its_own(self):
        link = self.connect_journal()
        self.run_schedule()
        self.assertGreater(link.next_refresh, datetime(2026, 5, 20, 20))
        self.proxy.requests.clear()
        with freeze_time("2026-05-20 12:00:00"):
            self.run_schedule()
        self.assertEqual(self.requested_operations(), [])
        self.proxy.fail("connections.refresh", "provider_unavailable")
        with freeze_time("2026-05-20 22:30:00"):
            self.run_schedule()
        self.assertEqual(link.state, "error")
        self.assertEqual(str(link.next_refresh), "2026-05-20 22:35:00")

    def test_12_no_accountant_reads_a_secret(self):
        self.proxy.answers["connections.refresh"]["access_token"] = "s3cret"
        link = self.connect_journal()
        run = self.synchronize(link)
        accountant = new_test_user(
            self.env,
            login="accountant",
            groups="account.group_account_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        secret = {
            link: ["connection_identifier"],
            link.account_online_account_ids: ["online_identifier", "sync_cursor"],
            run: ["raw_answers", "raw_answers_text"],
        }
        for record, names in secret.items():
            for name in names:
                with self.subTest(f"{record._name}.{name}"), self.assertRaises(AccessError):
                    record.with_user(accountant).read([name])
            readable = record.with_user(accountant).read()[0]
            self.assertNotIn("s3cret", str(readable))
            self.assertFalse(set(names) & set(readable))
        self.assertNotIn("s3cret", run.raw_answers_text)
        attachments = (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [("res_model", "=", "account.online.run"), ("res_field", "=", "raw_answers"), ("res_id", "=", run.id)]
            )
        )
        self.assertTrue(attachments)
        with self.assertRaises(AccessError):
            attachments.with_user(accountant).read(["datas"])
