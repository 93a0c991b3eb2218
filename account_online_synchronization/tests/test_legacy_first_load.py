from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .. import legacy
from ..hooks import columns_in_use
from .common import DAY
from .legacy_common import IBAN, LegacyCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestLegacyFirstLoad(LegacyCommon):
    """What account_online_sync has brought, another provider names otherwise: nothing twice, nothing lost."""

    def book_old(self, number, amount, days, *, shift=0):
        """A transaction that the earlier module imported, and that the new provider reports under another id.

        :param int shift: days by which the new provider dates it later
        """
        line = self.bring(number, amount, self.days_ago(days))
        self.proxy.book(f"new-{number}", amount, self.days_ago(days - shift))
        return line

    def test_no_line_comes_twice_and_new_ones_come(self):
        old = [self.book_old(number, f"{-number}.50", 12 - number) for number in range(1, 9)]
        self.proxy.book("fresh", "-99.00", self.days_ago(1))
        run = self.load()
        self.assertEqual(len(self.lines()), 9)
        self.assertEqual((run.imported, run.adopted), (1, 8))
        self.assertFalse(self.lines().filtered("online_possible_duplicate"))
        self.assertEqual(
            {line.online_transaction_identifier for line in old}, {f"new-{number}" for number in range(1, 9)}
        )
        self.assertEqual([line.payment_ref for line in old], [f"old {number}" for number in range(1, 9)])

    def test_identical_coffees_stay_as_many_as_the_bank_has(self):
        for number in (1, 2):
            self.book_old(number, "-2.50", 4)
        self.proxy.book("third", "-2.50", self.days_ago(4))
        self.load()
        self.assertEqual(self.amounts(), [("2026-05-16", -2.5)] * 3)

    def test_coffees_of_each_day_stay_coffees_of_each_day(self):
        for number in range(1, 7):
            self.book_old(number, "-2.50", 9 - number)
        for days in (2, 1):
            self.proxy.book(f"fresh-{days}", "-2.50", self.days_ago(days))
        self.load()
        self.assertEqual(self.amounts(), [(str(self.days_ago(days)), -2.5) for days in range(8, 0, -1)])

    def test_what_the_new_provider_dates_a_day_later_is_not_brought_again(self):
        lines = [self.book_old(number, "-2.50", 5, shift=1) for number in (1, 2)]
        lines.append(self.book_old(3, "-80.00", 6, shift=-2))
        self.book_old(4, "-1.00", 15)
        self.load()
        self.assertEqual(len(self.lines()), 4)
        self.assertEqual([line.online_transaction_identifier for line in lines], ["new-1", "new-2", "new-3"])
        self.assertFalse(self.lines().filtered("online_possible_duplicate"))

    def test_what_the_bank_booked_late_since_the_last_synchronization_comes(self):
        self.book_old(1, "-10.00", 5)
        self.book_old(2, "-20.00", 2)
        self.proxy.book("late", "-30.00", self.days_ago(4))
        self.load()
        self.assertEqual(sorted(amount for _day, amount in self.amounts()), [-30, -20, -10])

    def test_transactions_older_than_the_lines_are_left_out_and_reported(self):
        self.book_old(1, "-10.00", 5)
        self.proxy.book("older", "-30.00", self.days_ago(5 + 12))
        self.load()
        self.assertEqual(len(self.lines()), 1)
        self.assertEqual(self.beside("left_out").mapped("online_transaction_identifier"), ["older"])

    def test_an_id_of_another_provider_never_means_the_same(self):
        self.bring("42", "-10.00", self.days_ago(3))
        self.proxy.book("42", "-77.00", self.days_ago(3))
        self.load()
        self.assertEqual(sorted(self.lines().mapped("amount")), [-77, -10])
        self.assertEqual(set(self.lines().mapped("online_transaction_identifier")), {"legacy:yodlee:42", "42"})

    def test_a_reconciled_line_is_recognised_without_a_review(self):
        line = self.book_old(1, "-10.00", 5)
        self.reconcile(line)
        reviews = self.reviews()
        self.load()
        self.assertEqual(line.online_transaction_identifier, "new-1")
        self.assertEqual((len(self.lines()), reviews), (1, []))

    def test_a_line_of_the_earlier_module_that_a_user_deletes_does_not_come_back(self):
        line = self.book_old(1, "-10.00", 3)
        self.book_old(2, "-20.00", 2)
        self.take_over()
        self.delete(line)
        self.synchronize(self.connect_again())
        self.assertEqual(self.lines().mapped("amount"), [-20])

    def test_the_next_loads_change_nothing(self):
        self.book_old(5, "-1.00", 12)
        for number in range(1, 5):
            self.book_old(number, "-2.50", number, shift=1)
        self.load()
        before = self.amounts()
        for _again in range(2):
            run = self.synchronize(self.link)
            self.assertFalse(run.imported)
        self.assertEqual((len(before), self.amounts()), (5, before))

    def test_account_without_known_number_continues_in_the_chosen_journal(self):
        self.book_old(1, "-2.50", 4)
        self.book_old(2, "-2.50", 4)
        self.proxy.book("third", "-2.50", self.days_ago(4))
        self.load(number=None, action="existing", journal_id=self.journal.id, start_date=self.days_ago(9))
        account = self.link.account_online_account_ids
        self.assertEqual(len(self.lines()), 3)
        self.assertEqual(self.lines().online_account_id, account)

    def test_another_account_does_not_take_over_what_is_certainly_not_its_own(self):
        line = self.bring("1", "-2.50", self.days_ago(4))
        self.take_over()
        old = line.online_account_id
        self.connect_again(number="DE89370400440532013000", action="existing", journal_id=self.journal.id)
        self.assertEqual(line.online_account_id, old)

    def test_new_lines_go_on_where_the_balance_of_the_old_ones_ends(self):
        self.book_old(1, "100.00", 4)
        self.proxy.book("fresh", "-30.00", self.days_ago(1))
        self.load()
        self.assertEqual(self.lines()[-1].running_balance, 70)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestLegacyReconnect(LegacyCommon):
    """A link of an earlier module is listed, explains itself, and leads to a new connection."""

    def test_the_link_is_disconnected_and_its_journal_is_free(self):
        self.bring("1", "-2.50", self.days_ago(4))
        link = self.take_over()
        account = link.account_online_account_ids
        self.assertEqual((link.name, link.state, link.auto_sync), ("Old Bank", "disconnected", False))
        self.assertEqual((account.last_sync, account.account_number), (DAY, IBAN))
        self.assertFalse(account.journal_ids)
        self.assertEqual(self.journal.bank_statements_source, "undefined")
        self.assertEqual(self.journal._get_online_sync_dashboard_data()[self.journal.id], {"linked": False})
        self.assertEqual(self.journal.bank_statement_creation_groupby, "day")

    def test_the_chatter_says_what_happened_and_what_to_do(self):
        self.bring("1", "-2.50", self.days_ago(4))
        body = self.take_over().message_ids[:1].body
        for words in ("earlier module", "disconnected", "Reconnect", IBAN, self.journal.name, "1 known"):
            self.assertIn(words, body)
        self.assertNotIn("hush", body)

    def test_reconnect_makes_a_new_connection(self):
        link = self.take_over()
        action = link.action_reconnect()
        self.assertEqual((action["path"], action["params"]), ("connect-bank", {"company_id": self.company.id}))
        self.Directory.action_open_bank("I1", action["context"]["active_id"])
        visit = self.env["account.online.authorization"].sudo().search([], order="id desc", limit=1)
        self.assertEqual((visit.kind, visit.link_id.ids, visit.journal_id), ("connect", [], self.journal))
        new, where = visit._finish()[1], self.journal
        self.assertNotEqual(new, link)
        selection = self.env["account.online.account.selection"].search([], order="id desc", limit=1)
        self.assertEqual(selection.line_ids.journal_id, where)

    def test_the_same_journals_are_proposed_by_number(self):
        second = self.journal.copy({"name": "Second", "code": "SEC"})
        masked = self.insert_account("xxxx4321", name="Savings")
        self.fill(second, masked, "week")
        self.take_over()
        self.proxy.add_account("A2", number="BE00 1111 2222 4321")
        self.connect_again()
        proposed = {line.account_number: line.journal_id for line in self.line}
        self.assertEqual(proposed, {IBAN: self.journal, "BE00 1111 2222 4321": second})
        self.assertEqual((self.journal + second).mapped("bank_statement_creation_groupby"), ["day", "week"])

    def test_the_first_load_begins_some_days_before_the_last_line(self):
        self.bring("1", "-2.50", self.days_ago(4))
        self.take_over()
        self.connect_again()
        self.assertEqual(self.line.start_date, self.days_ago(4) + timedelta(days=1 - 10))

    def test_once_its_accounts_have_moved_on_the_link_may_be_deleted_for_good(self):
        self.bring("1", "-2.50", self.days_ago(4))
        link = self.take_over()
        new = self.connect_again()
        self.assertEqual(link.state, "disconnected")
        link.unlink()
        self.env["account.online.migration"]._take_over()
        self.assertFalse(self.Link.search([("legacy_source", "!=", False)]))
        self.assertEqual(self.lines().online_account_id.account_online_link_id, new)

    @mute_logger("odoo.addons.account_online_synchronization.models.account_online_migration")
    def test_a_broken_table_is_reported_and_stops_nothing(self):
        self.env.cr.execute(
            "ALTER TABLE account_online_journal RENAME TO gone;"
            "CREATE VIEW account_online_journal AS SELECT id, (1 / (id - id))::text AS name FROM gone"
        )
        link = self.take_over()
        self.assertEqual(link.name, "Old Bank")
        problem = self.env["account.online.migration"].sudo().search([("kind", "=", "problem")])
        self.assertIn(("account_online_journal", "division by zero"), [(one.source, one.text) for one in problem])

    def test_fields_of_this_addon_are_not_taken_for_those_of_another(self):
        self.assertEqual(columns_in_use(self.env), set())

    def test_an_error_of_the_migration_does_not_stop_the_installation(self):
        Migration = self.env["account.online.migration"]
        with patch.object(legacy, "migrate", side_effect=KeyError("anything")), self.assertLogs("odoo", "ERROR"):
            self.assertIsNone(Migration._take_over())
        self.assertIn("Nothing could be taken over: KeyError", Migration.sudo().search([]).text)
        self.assertTrue(Migration._take_over().links)

    def test_rows_of_no_company_are_shown_to_the_system_only(self):
        row = self.env["account.online.migration"].sudo().create({"kind": "problem", "source": "x"})
        administrator = new_test_user(self.env, login="administrator", groups="account.group_account_manager")
        self.assertFalse(row.with_user(administrator).search([("id", "=", row.id)]))
        administrator.group_ids += self.env.ref("base.group_system")
        self.assertEqual(row.with_user(administrator).search([("id", "=", row.id)]), row)

    def test_rows_of_no_company_belong_to_the_only_company_if_there_is_one(self):
        row = self.env["account.online.migration"].sudo().create({"kind": "problem", "source": "x"})
        self.env["res.company"].create({"name": "Another company"})
        row._give_to_only_company()
        self.assertFalse(row.company_id)
        with patch.object(type(self.env.company), "search", lambda *_args, **_named: self.env.company):
            row._give_to_only_company()
        self.assertEqual(row.company_id, self.env.company)

    def test_secrets_are_blanked_and_copied_nowhere(self):
        link = self.take_over()
        self.env.cr.execute("SELECT ponto_token FROM account_online_provider")
        self.assertEqual(self.env.cr.fetchone(), (None,))
        self.assertNotIn("hush", str(link.sudo().read()))
