from datetime import date, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..client.client import ProxyClient
from ..client.transport import EmbeddedTransport
from ..sync.refusals import NO_FIRST_DAY
from .common import DAY, OnlineSyncCommon, ScriptedProxy

NOW = "2026-05-20 10:00:00"


class RefusingBank(ScriptedProxy):
    """Goes back ``reach`` days at most, and refuses some accounts and bookmarks, as the proxy reports that.

    The proxy has looked for a shorter period by then, so it answers with ``history_days``; ``self.longer`` holds the
    first days for which it had to.
    """

    def __init__(self, currency):
        super().__init__(currency)
        self.reach = None
        self.refused = {}
        self.takes_bookmarks = True
        self.longer = []

    def _page(self, payload):
        if payload["account_id"] in self.refused:
            code, action = self.refused[payload["account_id"]]
            return {"error": {"code": code, "message": f"Sentence of {code}.", "action": action, "reference": "E-1"}}
        if payload.get("cursor") and not self.takes_bookmarks:
            return {"error": {"code": "bookmark_refused", "message": "x", "action": "retry"}}
        limit = {}
        if self.reach is not None and not payload.get("cursor"):
            first = fields.Date.today() - timedelta(days=self.reach)
            if not payload.get("since") or date.fromisoformat(payload["since"]) < first:
                self.longer.append(payload.get("since"))
                limit = {"history_days": self.reach}
                payload = {**payload, "since": str(first)}
        return {**super()._page(payload), **limit}

    def requests_for(self, account_id="A1"):
        """:return: (since, cursor) of the requests for an account"""
        return [
            (payload.get("since"), payload.get("cursor"))
            for operation, payload in self.requests
            if operation == "transactions.list" and payload["account_id"] == account_id
        ]


class RefusalCommon(OnlineSyncCommon):
    def setUp(self):
        super().setUp()
        self.proxy = RefusingBank(self.company.currency_id.name)
        client = ProxyClient(EmbeddedTransport(self.proxy.dispatch))
        self.startPatcher(patch.object(self.registry["account.online.link"], "_get_client", lambda link: client))

    def run_as_scheduled(self, link):
        link.sudo()._synchronize(user_present=False)
        return link.sudo().run_ids.sorted("id")[-1]

    def messages(self, link, words):
        return link.message_ids.filtered(lambda message: words in (message.body or ""))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestHistory(RefusalCommon):
    """A bank that goes back 60 days gives all that it has, says so once, and is not asked for more again."""

    def test_an_account_of_a_short_history_is_complete_and_refused_once(self):
        self.proxy.reach = 60
        for days in (100, 61, 60, 30, 1):
            self.proxy.book(f"T{days}", 10, self.days_ago(days))
        link = self.connect_journal(start_date=self.days_ago(700))
        run = self.synchronize(link)
        account = link.account_online_account_ids[0]
        self.assertEqual(run.state, "done")
        self.assertEqual(self.lines().mapped("payment_ref"), ["Text of T1", "Text of T30", "Text of T60"][::-1])
        self.assertEqual(account.history_days, 60)
        self.assertEqual(len(self.messages(link, "last 60 days only")), 1)
        self.assertIn("last 60 days only", run._summary())
        # Half a year in which the bank is asked twice a day, with a pause that is longer than it goes back.
        del self.proxy.longer[:]
        moment = fields.Datetime.from_string(NOW)
        for hours in (*range(12, 24 * 20, 12), 24 * 150, 24 * 150 + 12):
            with freeze_time(moment + timedelta(hours=hours)):
                self.proxy.refreshed_at = f"{fields.Datetime.now():%Y-%m-%dT%H:%M:%SZ}"
                self.proxy.answers["connections.refresh"]["refreshed_at"] = self.proxy.refreshed_at
                self.assertEqual(self.run_as_scheduled(link).state, "done")
        self.assertEqual(self.proxy.longer, [], "what was refused once is not requested again")
        self.assertEqual(len(self.messages(link, "last 60 days only")), 1)
        self.assertEqual(len(self.lines()), 3)

    def test_days_before_the_history_are_no_days_on_which_something_vanished(self):
        self.proxy.reach = 60
        self.proxy.book("T1", 10, self.days_ago(1))
        link = self.connect_journal(start_date=self.days_ago(700))
        account = link.account_online_account_ids[0]
        self.synchronize(link)
        window = self.fetch_window(account).window
        self.assertEqual(window.since, self.days_ago(10))
        account.sudo().write({"last_sync": False, "history_days": 0})
        window = self.fetch_window(account).window
        self.assertEqual(window.since, self.days_ago(60))

    def test_a_bank_that_takes_no_first_day_gets_requests_without_one(self):
        self.proxy.reach = 0
        link = self.connect_journal(start_date=self.days_ago(700))
        account = link.account_online_account_ids[0]
        account.sudo()._learn_history(0)
        self.assertEqual((account.history_days, account._plan_fetch().since), (NO_FIRST_DAY, None))
        self.assertIn("does not allow a start date", account.history_text)

    def test_a_search_that_was_cut_short_goes_on_where_it_ended(self):
        link = self.connect_journal(start_date=self.days_ago(700))
        self.proxy.fail("transactions.list", "rate_limited", "retry", retry_after=60, history_days=89)
        self.assertEqual(self.synchronize(link).state, "failed")
        self.assertEqual(link.account_online_account_ids[0]._plan_fetch().since, self.days_ago(89))

    def test_an_invalid_number_of_days_is_not_learned(self):
        account = self.connect_journal().account_online_account_ids[0]
        for odd in (None, True, "60", 1.5, -1, 10**9, [60], {}):
            self.assertFalse(account._learn_history(odd))
        self.assertFalse(account.history_days)

    def test_after_a_renewed_consent_the_whole_history_is_requested_again(self):
        link = self.connect_journal()
        account = link.account_online_account_ids[0]
        account.sudo()._learn_history(60)
        connection = self.proxy.dispatch("connections.get", {"connection_id": "C1"})["connection"]
        link.sudo()._update_from_proxy(connection, list(self.proxy.accounts.values()))
        self.assertEqual(account.history_days, 0)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestBookmarks(RefusalCommon):
    """A bookmark that is refused is forgotten, and the days are requested by date once."""

    def setUp(self):
        super().setUp()
        self.proxy.has_bookmarks = True
        self.proxy.book("T1", 10, self.days_ago(3))
        self.link = self.connect_journal()
        self.synchronize(self.link)
        self.account = self.link.account_online_account_ids[0]
        self.assertTrue(self.account.sync_cursor)
        self.proxy.takes_bookmarks = False
        del self.proxy.requests[:]

    def test_a_refused_bookmark_costs_one_request_and_loses_nothing(self):
        self.proxy.book("T2", 20, self.days_ago(1))
        self.assertEqual(self.run_as_scheduled(self.link).state, "done")
        self.assertEqual(self.lines().mapped("amount"), [10, 20])
        self.assertEqual([bool(cursor) for _since, cursor in self.proxy.requests_for()], [True, False])

    def test_a_bank_that_takes_no_bookmark_gets_none_twice_in_a_row(self):
        for _run in range(6):
            self.assertEqual(self.run_as_scheduled(self.link).state, "done")
        with_bookmark = [bool(cursor) for _since, cursor in self.proxy.requests_for()]
        self.assertEqual(with_bookmark, [True, False, False, True, False, False, True, False, False])

    def test_a_refused_bookmark_stays_forgotten_when_the_date_fails_too(self):
        ask = self.proxy._page

        def fail(payload):
            if payload.get("cursor"):
                return ask(payload)
            return {"error": {"code": "institution_unavailable", "message": "x", "action": "retry"}}

        with patch.object(self.proxy, "_page", fail):
            self.assertEqual(self.run_as_scheduled(self.link).state, "failed")
        self.assertFalse(self.account.sync_cursor)
        self.assertEqual(str(self.account.last_sync), str(DAY))
        self.assertEqual(self.run_as_scheduled(self.link).state, "done")
        self.assertEqual([bool(cursor) for _since, cursor in self.proxy.requests_for()], [True, False, False])


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestRefusedAccounts(RefusalCommon):
    """One account that the bank refuses is named and left alone; the others go on."""

    def setUp(self):
        super().setUp()
        self.proxy.add_account("A2")
        self.proxy.book("T1", 10, account_id="A2")
        self.link = self.connect_journal()
        self.closed, self.other = self.link.account_online_account_ids
        self.other_journal = self.other._create_journal()
        self.other._link_journal(self.other_journal)
        self.proxy.refused = {"A1": ("account_refused", "leave_out")}

    def test_the_others_are_stored_and_the_refused_one_is_named(self):
        run = self.synchronize(self.link)
        self.assertEqual((run.state, self.link.state), ("done", "connected"))
        self.assertEqual(self.lines(self.other_journal).mapped("amount"), [10])
        self.assertFalse(self.closed.last_sync)
        self.assertIn(self.closed.display_name, run._summary())
        self.assertEqual((self.link.status_kind, self.link.status_button), ("danger", "leave_out"))
        self.assertIn(f"{self.closed.display_name}: Sentence of account_refused. Reference: E-1", self.link.status_text)
        self.assertEqual(len(self.messages(self.link, "Sentence of account_refused")), 1)

    def test_the_card_of_each_refused_account_speaks_of_its_own(self):
        self.proxy.refused["A2"] = ("period_refused", "contact_support")
        self.synchronize(self.link)
        cards = (self.journal + self.other_journal)._get_online_sync_dashboard_data()
        closed, other = cards[self.journal.id], cards[self.other_journal.id]
        self.assertEqual((closed["error"], closed["button"]), (self.closed._describe_refusal(), "leave_out"))
        self.assertEqual(other["error"], self.other._describe_refusal())
        self.assertNotEqual(other["button"], "leave_out")

    def test_what_is_refused_for_good_is_not_requested_in_each_run(self):
        moment = fields.Datetime.from_string(NOW)
        for hours in range(0, 24 * 30, 12):
            with freeze_time(moment + timedelta(hours=hours)):
                self.run_as_scheduled(self.link)
        self.assertLessEqual(len(self.proxy.requests_for("A1")), 5, "once a week, in case that it was opened again")
        self.assertEqual(len(self.proxy.requests_for("A2")), 60)
        self.assertEqual(len(self.messages(self.link, "Sentence of account_refused")), 1)

    def test_an_account_that_was_opened_again_comes_back(self):
        self.run_as_scheduled(self.link)
        self.proxy.refused = {}
        self.proxy.book("T2", 20)
        with freeze_time("2026-05-28 10:00:00"):
            self.run_as_scheduled(self.link)
            self.assertEqual(self.lines().mapped("amount"), [20])
            self.assertEqual((self.closed.refusal_code, self.link.status_text), (False, ""))

    def test_a_request_of_a_user_is_not_delayed_by_a_refusal(self):
        self.run_as_scheduled(self.link)
        self.proxy.refused = {}
        self.proxy.book("T2", 20)
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount"), [20])

    def test_leaving_out_ends_it_and_keeps_what_is_there(self):
        self.proxy.refused = {}
        self.proxy.book("T2", 20)
        self.synchronize(self.link)
        self.proxy.refused = {"A1": ("account_refused", "leave_out")}
        self.run_as_scheduled(self.link)
        self.assertTrue(self.link.status_activity_id)
        action = self.link.action_leave_out_refused()
        self.assertIn(self.closed.display_name, action["params"]["message"])
        self.assertTrue(self.closed.is_left_out)
        self.assertFalse(self.closed.journal_ids)
        self.assertEqual(self.lines().mapped("amount"), [20])
        self.assertEqual((self.link.status_text, self.link.status_button), ("", "synchronize"))
        self.assertFalse(self.link.status_activity_id.filtered("active"))
        self.assertEqual(self.other.journal_ids, self.other_journal)

    def test_an_account_outside_the_consent_leads_to_the_bank_s_page(self):
        self.proxy.refused = {"A1": ("unknown_account", "renew")}
        self.run_as_scheduled(self.link)
        self.assertEqual(self.link.status_button, "credentials")
        self.link.action_leave_out_refused()
        self.assertEqual(self.closed.journal_ids, self.journal, "only what the bank has closed is left out")

    def test_a_new_consent_requests_again(self):
        self.run_as_scheduled(self.link)
        connection = self.proxy.dispatch("connections.get", {"connection_id": "C1"})["connection"]
        self.link.sudo()._update_from_proxy(connection, list(self.proxy.accounts.values()))
        self.assertFalse(self.closed.refusal_code)

    def test_an_account_with_another_id_is_requested_again(self):
        self.run_as_scheduled(self.link)
        self.closed.sudo()._change_identifier({"id": "A3"})
        self.assertFalse(self.closed.refusal_code)

    def test_who_may_not_connect_may_leave_nothing_out(self):
        self.run_as_scheduled(self.link)
        user = new_test_user(self.env, "clerk", "account.group_account_basic,account.group_account_invoice")
        with self.assertRaises(AccessError):
            self.link.with_user(user).action_leave_out_refused()
        self.assertTrue(self.closed.journal_ids)

    def test_another_failure_is_not_a_refusal_of_the_account(self):
        self.proxy.refused = {"A1": ("institution_unavailable", "retry")}
        self.assertEqual(self.run_as_scheduled(self.link).state, "failed")
        self.assertFalse(self.closed.refusal_code)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestNotes(RefusalCommon):
    """What the service says beside an answer is shown as long as it says so."""

    def test_words_of_the_service_are_shown_until_it_has_none(self):
        link = self.connect_journal()
        answer = self.proxy.answers["connections.refresh"]
        self.proxy.answers["connections.refresh"] = {**answer, "notes": ["Bridge: a bank needs attention", 7, None, ""]}
        self.run_as_scheduled(link)
        self.assertEqual((link.status_kind, link.status_text), ("warning", "Bridge: a bank needs attention"))
        self.assertEqual(link.status_button, "synchronize")
        self.proxy.answers["connections.refresh"] = answer
        self.run_as_scheduled(link)
        self.assertEqual(link.status_text, "")

    def test_notes_of_another_shape_are_none(self):
        link = self.connect_journal()
        answer = self.proxy.answers["connections.refresh"]
        for odd in ("text", {"a": 1}, 7, [["x"]], None):
            self.proxy.answers["connections.refresh"] = {**answer, "notes": odd}
            self.assertEqual(self.run_as_scheduled(link).state, "done")
            self.assertFalse(link.service_notes)
