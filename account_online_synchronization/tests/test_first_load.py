from datetime import date, timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..models.account_online_progress import Reporter
from ..models.ir_websocket import accountants_of
from ..sync.fetch import FetchProgress
from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
class TestFirstLoad(OnlineSyncCommon):
    """What the screen of the first load shows: progress, the bank's requests, the result."""

    def choose_and_confirm(self, link=None, **values):
        selection = self.env["account.online.account.selection"]._create_for(link or self.connect(), refresh=True)
        selection.line_ids.write(values)
        return selection.action_confirm()

    def screen(self, link):
        link.invalidate_recordset()
        return link.get_first_load()

    def summary(self, link):
        (account,) = self.screen(link)["accounts"]
        return account["summary"]

    # -------------------------------------------------------------------------
    # THE WAY THERE
    # -------------------------------------------------------------------------

    def test_synchronize_opens_the_screen_and_the_server_fetches(self):
        self.proxy.book("T1", "1.00")
        action = self.choose_and_confirm()
        self.assertEqual(action["tag"], "account_online_synchronization.first_load")
        link = self.Link.browse(action["params"]["link_id"])
        self.assertEqual(self.screen(link)["state"], "waiting")
        self.fetch_planned()
        self.assertEqual(self.screen(link)["state"], "done")

    def test_the_screen_can_be_opened_again_from_the_connection(self):
        link = self.connect_journal()
        self.assertEqual(self.screen(link)["state"], "none")
        self.assertEqual(link.action_open_first_load()["params"]["link_id"], link.id)

    def test_users_who_are_not_accountants_do_not_see_it(self):
        link = self.connect_journal()
        clerk = new_test_user(self.env, "clerk", groups="account.group_account_invoice", company_id=self.company.id)
        with self.assertRaises(AccessError):
            link.with_user(clerk).get_first_load()

    # -------------------------------------------------------------------------
    # HOW FAR IT IS
    # -------------------------------------------------------------------------

    def test_each_page_and_each_chunk_is_reported(self):
        for number in range(120):
            self.proxy.book(f"T{number}", "1.00", self.days_ago(number % 30))
        steps = []

        def note(reporter, **_options):
            steps.append((reporter._values["step"], reporter._values["transactions"], reporter._values["stored"]))

        self.choose_and_confirm()
        with (
            patch.object(Reporter, "_report", note),
            patch("odoo.addons.account_online_synchronization.books.apply.CHUNK", 50),
        ):
            self.fetch_planned()
        self.assertEqual(
            steps,
            [
                ("fetch", 50, 0),
                ("fetch", 100, 0),
                ("fetch", 120, 0),
                ("store", 120, 50),
                ("store", 120, 100),
                ("done", 120, 120),
            ],
        )

    def test_progress_is_reported_at_most_once_a_second(self):
        link = self.connect_journal()
        run = self.env["account.online.run"].sudo().create({"account_online_link_id": link.id})
        reporter = Reporter(link.account_online_account_ids, run)
        with patch.object(Reporter, "_write") as write, self.enter_registry_test_mode():
            for _number in range(1000):
                reporter.fetched(FetchProgress())
            self.assertEqual(write.call_count, 1)
            reporter.done(0)
            self.assertEqual(write.call_count, 2, "the end is told at once")

    def test_a_failed_progress_report_is_not_a_failure(self):
        link = self.connect_journal()
        run = self.env["account.online.run"].sudo().create({"account_online_link_id": link.id})
        reporter = Reporter(link.account_online_account_ids, run)
        # Why it fails: other transactions do not see a run that is not committed.
        reporter.fetched(FetchProgress())
        self.assertFalse(self.env["account.online.progress"].sudo().search([("run_id", "=", run.id)]))

    def test_reported_progress_is_shown_and_sent(self):
        link = self.connect_journal(start_date=self.today() - timedelta(days=100))
        account = link.account_online_account_ids
        run = self.env["account.online.run"].sudo().create({"account_online_link_id": link.id})
        sent = []
        with (
            self.enter_registry_test_mode(),
            patch.object(self.registry["bus.bus"], "_sendone", lambda _bus, *message: sent.append(message)),
        ):
            Reporter(account, run).fetched(FetchProgress(3, 150, self.today() - timedelta(days=60), self.today()))
        self.env.invalidate_all()
        (shown,) = self.screen(link)["accounts"]
        self.assertEqual((shown["progress"]["step"], shown["progress"]["percent"]), ("fetch", 30))
        self.assertIn("received from the bank so far: 150", shown["progress"]["text"])
        channel, kind, message = sent[-1]
        self.assertEqual(channel, accountants_of(self.company))
        self.assertEqual((kind, message), ("account_online_synchronization/progress", {"link_id": link.id}))

    def test_where_the_end_is_not_known_no_percentage_is_made_up(self):
        account = self.connect_journal().account_online_account_ids
        progress = self.env["account.online.progress"].new(
            {"step": "fetch", "transactions": 5, "first_day": "2026-05-01"}
        )
        self.assertIs(progress._percent(account), False)
        progress.update({"step": "store", "stored": 1, "transactions": 4})
        self.assertEqual(progress._percent(account), 62)

    # -------------------------------------------------------------------------
    # WHAT THE BANK WANTS, AND WHAT GOES WRONG
    # -------------------------------------------------------------------------

    def test_the_page_of_a_challenge_is_one_click_away_and_nothing_is_requested_twice(self):
        self.proxy.answers["connections.refresh"] = {"state": "challenge", "page_url": "/code"}
        action = self.choose_and_confirm()
        self.assertEqual(self.address_of_bank(action["params"]["challenge"]), "/code")
        self.assertEqual(self.screen(self.Link.browse(action["params"]["link_id"]))["state"], "challenge")
        self.assertEqual(self.requested_operations().count("connections.refresh"), 1)

    def test_an_error_is_shown_with_its_button(self):
        link = self.connect_journal()
        codes = {"Update Credentials": "credentials_rejected"}
        for remedy, method, label in (
            ("retry", "action_fetch_transactions", "Try Again"),
            ("answer_challenge", "action_fetch_transactions", "Answer the Bank"),
            ("renew", "action_renew", "Renew"),
            ("reconnect", "action_reconnect", "Reconnect"),
            ("reactivate", "action_reactivate", "Reactivate"),
            ("renew", "action_update_credentials", "Update Credentials"),
        ):
            code = codes.get(label, f"code_of_{remedy}")
            self.proxy.fail("connections.refresh", code, remedy, reference="E-7KQ2")
            self.synchronize(link)
            shown = self.screen(link)
            self.assertEqual(shown["state"], "failed")
            self.assertEqual(
                {name: shown["error"][name] for name in ("message", "reference", "method", "label")},
                {"message": f"Sentence of {code}.", "reference": "E-7KQ2", "method": method, "label": label},
            )

    def test_users_who_may_not_renew_see_whom_to_ask(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "consent_expired", "renew")
        self.synchronize(link)
        bookkeeper = new_test_user(
            self.env, "bookkeeper", groups="account.group_account_basic", company_id=self.company.id
        )
        error = link.with_user(bookkeeper).get_first_load()["error"]
        self.assertFalse(error["method"])
        self.assertIn("ask an accounting administrator", error["help"])

    def test_the_choice_stays_when_the_bank_fails(self):
        self.proxy.fail("connections.refresh")
        action = self.choose_and_confirm()
        link = self.Link.browse(action["params"]["link_id"])
        self.assertTrue(link.journal_ids)
        self.assertEqual(self.screen(link)["state"], "failed")

    # -------------------------------------------------------------------------
    # WHAT CAME OF IT
    # -------------------------------------------------------------------------

    def test_the_summary_counts_days_and_sums(self):
        self.proxy.accounts["A1"]["balance"] = "100.00"
        self.proxy.book("T1", "10.00", date(2026, 3, 2))
        self.proxy.book("T2", "-4.00", date(2026, 5, 4))
        self.proxy.book("T3", "-1.50", date(2026, 5, 20))
        link = self.connect_journal()
        self.synchronize(link)
        summary = self.summary(link)
        money = self.company.currency_id.format
        self.assertEqual(
            {name: summary[name] for name in ("imported", "first_day", "last_day", "money_in", "money_out")},
            {
                "imported": 3,
                "first_day": "03/02/2026",
                "last_day": "05/20/2026",
                "money_in": money(10),
                "money_out": money(-5.5),
            },
        )
        self.assertEqual(
            [(bar["label"], bar["number"]) for bar in summary["bars"]],
            [("Mar 2026", 1), ("Apr 2026", 0), ("May 2026", 2)],
        )
        self.assertEqual(summary["opening"], money(100))
        self.assertEqual(summary["missing_opening"], money(100))
        self.assertEqual((summary["bank_balance"], summary["journal_balance"]), (money(104.5), money(104.5)))
        self.assertFalse(summary["difference"])

    def test_left_out_transactions_are_shown_with_the_reason(self):
        self.company.fiscalyear_lock_date = date(2026, 5, 10)
        self.proxy.book("OLD", "1.00", date(2026, 4, 29))
        self.proxy.book("LOCKED", "1.00", date(2026, 5, 9))
        self.proxy.book("BAD", "1.001")
        self.proxy.book("PENDING", "1.00", status="pending")
        self.proxy.book("GOOD", "1.00")
        link = self.connect_journal(start_date=date(2026, 5, 1))
        self.synchronize(link)
        summary = self.summary(link)
        self.assertEqual(summary["imported"], 1)
        self.assertEqual([item["number"] for item in summary["left_out"]], [1, 1, 1, 1])
        for item, word in zip(
            summary["left_out"], ("start date", "locked", "pending", "could not be imported"), strict=True
        ):
            self.assertIn(word, item["reason"])

    def test_typed_lines_are_recognised_and_do_not_count_as_imported(self):
        self.Line.create({"journal_id": self.journal.id, "date": "2026-05-20", "amount": 7, "payment_ref": "Typed"})
        self.proxy.book("T1", "7.00")
        link = self.connect_journal()
        self.synchronize(link)
        summary = self.summary(link)
        self.assertEqual((summary["adopted"], summary["imported"], summary["bars"]), (1, 0, []))

    def test_each_account_has_its_own_numbers(self):
        self.proxy.add_account("A2")
        self.proxy.book("T1", "1.00")
        self.proxy.book("U1", "1.00", account_id="A2")
        self.proxy.book("U2", "1.00", account_id="A2")
        action = self.choose_and_confirm()
        self.fetch_planned()
        link = self.Link.browse(action["params"]["link_id"])
        self.assertEqual([account["summary"]["imported"] for account in self.screen(link)["accounts"]], [1, 2])

    def test_an_interrupted_load_counts_what_it_has_stored_before(self):
        for number in range(6):
            self.proxy.book(f"T{number}", "1.00")
        link = self.connect_journal()
        self.env["account.online.run"].sudo().create(
            {"account_online_link_id": link.id, "state": "planned", "is_deferred": True}
        )
        deadline = "odoo.addons.account_online_synchronization.books.batch.time.monotonic"
        with patch("odoo.addons.account_online_synchronization.books.apply.CHUNK", 2):
            with (
                patch.object(self.registry["account.online.link"], "_deadline", lambda _link: 0),
                patch(deadline, side_effect=[0, *[1] * 99]),
            ):
                self.fetch_planned()
            self.assertEqual(self.screen(link)["state"], "waiting")
            self.fetch_planned()
        summary = self.summary(link)
        self.assertEqual((summary["imported"], summary["bars"][0]["number"]), (6, 6))

    def test_a_short_run_later_leaves_the_summary_in_place(self):
        self.proxy.book("T1", "1.00")
        link = self.connect_journal()
        self.synchronize(link)
        self.synchronize(link)
        self.assertEqual(self.summary(link)["imported"], 1)

    def test_short_runs_keep_no_loads(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.synchronize(link)
        self.assertEqual(self.env["account.online.load"].sudo().search_count([("run_id", "in", link.run_ids.ids)]), 1)

    def test_years_are_shown_by_year(self):
        load = self.env["account.online.load"]
        months = {date(2020 + number // 12, number % 12 + 1, 1): 1 for number in range(36)}
        bars = load._bars(months)
        self.assertEqual([(bar["label"], bar["number"]) for bar in bars], [("2020", 12), ("2021", 12), ("2022", 12)])

    def test_the_next_synchronization_is_shown(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.assertIn("Next automatic synchronization", self.screen(link)["next"])
        link.auto_sync = False
        self.assertIn("is off", self.screen(link)["next"])

    # -------------------------------------------------------------------------
    # THE WAY ON
    # -------------------------------------------------------------------------

    def test_without_the_reconciliation_view_the_list_of_transactions_is_opened(self):
        self.without_our_reconciliation()
        link = self.connect_journal()
        action = link.action_open_reconciliation(self.journal.id)
        self.assertEqual(action["res_model"], "account.bank.statement.line")
        self.assertEqual(action["domain"], [("journal_id", "=", self.journal.id)])

    def test_where_it_is_installed_the_reconciliation_view_is_opened(self):
        self.without_our_reconciliation()
        action = self.env["ir.actions.act_window"].create(
            {"name": "Reconcile", "res_model": "account.bank.statement.line", "view_mode": "kanban,list"}
        )
        self.env["ir.model.data"].create(
            {
                "module": "account_reconcile_oca",
                "name": "action_bank_statement_line_reconcile",
                "model": action._name,
                "res_id": action.id,
            }
        )
        link = self.connect_journal()
        opened = link.action_open_reconciliation(self.journal.id)
        self.assertEqual((opened["id"], opened["context"]["active_id"]), (action.id, self.journal.id))
        self.assertTrue(self.screen(link)["is_reconciled_here"])

    def test_a_failed_bookmark_of_the_service_is_an_error_like_others(self):
        link = self.connect_journal()
        self.proxy.fail("transactions.list", "x")
        self.synchronize(link)
        self.assertEqual(self.screen(link)["error"]["message"], "Sentence of x.")
