import json
import logging
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..client.errors import ProxyError
from ..sync.status import BUTTON_OF_ACTION, BUTTON_OF_CODE
from .common import OnlineSyncCommon
from .pure.failures import FAILURES

#: What each button of card and form calls; Copy Details works in the browser alone.
METHODS = {
    "synchronize": ("action_synchronize_now", "action_fetch_transactions"),
    "code": ("action_synchronize_now", "action_fetch_transactions"),
    "renew": ("action_renew_online_link", "action_renew"),
    "credentials": ("action_update_online_credentials", "action_update_credentials"),
    "reconnect": ("action_reconnect_online_link", "action_reconnect"),
    "reactivate": ("action_reactivate_online_link", "action_reactivate"),
    "disable_auto_sync": ("action_disable_online_auto_sync", "action_disable_auto_sync"),
    "leave_out": ("action_leave_out_refused_accounts", "action_leave_out_refused"),
    "settings": ("action_open_online_settings", "action_open_settings"),
    "copy": ("online_copy_details", "online_copy_details"),
}


class StatusCommon(OnlineSyncCommon):
    def card(self, user=None):
        self.journal.invalidate_recordset()
        return json.loads(self.journal.with_user(user or self.env.user).kanban_dashboard)["online_sync"]

    def trouble(self, link, code, retry_after=None, **values):
        action = FAILURES[code][0]
        error = ProxyError(code, f"Sentence of {code}.", "E-7KQ2", retry_after, action)
        link._register_error(error)
        link.write(values)
        return link

    def neutralize(self):
        self.env["ir.config_parameter"].sudo().set_param("database.is_neutralized", "True")


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestStatus(StatusCommon):
    """Each failure has one sentence and one button that helps, on the card and in the form."""

    def test_the_status_arrives_in_the_form_and_on_the_card(self):
        link = self.connect_journal()
        for code in ("institution_unavailable", "credentials_rejected", "period_refused"):
            _action, kind, button = FAILURES[code]
            with self.subTest(code=code):
                self.trouble(link, code)
                self.assertEqual(
                    (link.status_kind, link.status_text, link.status_button), (kind, f"Sentence of {code}.", button)
                )
                card = self.card()
                self.assertEqual((card["error"], card["button"]), (link.status_text, button))

    def test_each_button_of_a_failure_is_one_that_card_and_form_know(self):
        self.assertEqual({*BUTTON_OF_ACTION.values(), *BUTTON_OF_CODE.values()}, set(METHODS))

    def test_card_and_form_have_each_button(self):
        card = self.env["account.journal"].get_view(self.env.ref("account.account_journal_dashboard_kanban_view").id)
        form = self.Link.get_view(self.env.ref("account_online_synchronization.account_online_link_view_form").id)
        for button, (on_card, in_form) in METHODS.items():
            self.assertRegex(card["arch"], f"help_with == '{button}'[^<]*?(name=\"{on_card}\"|>)")
            self.assertIn(f'name="{on_card}"', card["arch"])
            self.assertIn(f'"{in_form}"', form["arch"])
            if button != "copy":
                self.assertIn(f"status_button != '{button}'", form["arch"])

    def test_each_button_leads_somewhere(self):
        link = self.connect_journal()
        for code, (_action, _kind, button) in FAILURES.items():
            if button == "copy":
                continue
            with self.subTest(code=code):
                link.auto_sync = True
                self.trouble(link, code)
                action = getattr(self.journal, METHODS[button][0])()
                self.assertIn(action["type"], ("ir.actions.client", "ir.actions.act_url", "ir.actions.act_window"))

    def test_when_all_is_well_nothing_is_said(self):
        link = self.connect_journal(last_refresh="2026-05-20 08:00:00")
        self.assertEqual((link.status_text, link.status_hint, link.status_button), ("", "", "synchronize"))
        card = self.card()
        self.assertEqual((card["error"], card["hint"], card["consent"], card["details"]), ("", "", "", ""))

    def test_a_failed_reconnection_is_reported_and_keeps_reconnect(self):
        link = self.connect_journal(state="disconnected", connection_identifier=False)
        self.proxy.fail("connections.start", "service_slow", "retry")
        link.action_reconnect()
        self.assertEqual((link.state, link.status_text), ("disconnected", "Sentence of service_slow."))
        self.assertEqual(link.status_button, "reconnect")

    def test_a_connection_of_an_earlier_module_is_shown_as_such(self):
        link = self.connect_journal(state="disconnected", legacy_source="account_online_provider")
        self.assertIn("earlier module", link.status_text)

    def test_a_connection_whose_accounts_have_gone_elsewhere_asks_for_nothing(self):
        link = self.connect_journal()
        link._close_replaced()
        self.assertIn("another connection", link.status_text)
        self.assertEqual((link.status_kind, link.status_button), ("info", ""))

    def test_a_copy_for_tests_says_what_it_is_and_that_the_original_goes_on(self):
        self.neutralize()
        link = self.trouble(self.connect_journal(), "institution_unavailable")
        link.write({"state": "disconnected", "connection_identifier": False})
        self.assertIn("copy for tests", link.status_text)
        expected = "reconnect" if "bank.sync.api" in self.env else ""
        self.assertEqual(link.status_button, expected, "a button that would fail is none")

    def test_switching_the_automatic_synchronization_off_settles_what_asked_for_it(self):
        link = self.trouble(self.connect_journal(), "auto_sync_forbidden")
        link.action_disable_auto_sync()
        self.assertRecordValues(link, [{"state": "connected", "auto_sync": False, "error_code": False}])

    def test_switching_it_off_elsewhere_settles_it_as_well_and_nothing_else(self):
        link = self.trouble(self.connect_journal(), "consent_expired")
        link.auto_sync = False
        self.assertEqual(link.error_code, "consent_expired")
        self.trouble(link, "auto_sync_forbidden", auto_sync=True)
        link.auto_sync = False
        self.assertFalse(link.error_code)

    def test_what_support_has_blocked_is_not_offered_to_be_reactivated(self):
        link = self.trouble(self.connect_journal(), "client_blocked")
        service = self.env["account.online.service"]._get()
        service.write({"state": "blocked", "blocked_by": "suspicion", "reason": "Many wrong codes."})
        link.invalidate_recordset()
        self.assertEqual(link.status_button, "reactivate")
        self.assertIn("Many wrong codes.", link.status_hint)
        service.write({"blocked_by": "support", "reason": "Ask Ms Miller."})
        link.invalidate_recordset()
        self.assertEqual(link.status_button, "copy")
        self.assertIn("Ask Ms Miller.", link.status_hint)
        self.assertTrue(self.card()["details"])


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestWhen(StatusCommon):
    """The times at which something ends or is retried are shown in the user's time zone."""

    def setUp(self):
        super().setUp()
        self.env.user.tz = "Asia/Tokyo"
        self.env = self.env(context={**self.env.context, "tz": "Asia/Tokyo"})
        self.Link = self.Link.with_env(self.env)
        self.journal = self.journal.with_env(self.env)

    def hint(self, link):
        return link.status_hint.replace("\N{NARROW NO-BREAK SPACE}", " ")

    def test_a_limit_says_when_it_ends_and_offers_no_button_that_would_fail(self):
        link = self.trouble(self.connect_journal(), "rate_limited", retry_after=3600)
        self.assertEqual(self.hint(link), "Available again from 8:00 PM.")
        self.assertEqual((link.status_button, self.card()["button"]), ("", ""))
        self.assertEqual(self.card()["wait_until"], "2026-05-20 11:00:00")

    def test_once_a_limit_has_ended_the_button_is_back(self):
        link = self.trouble(self.connect_journal(), "rate_limited", retry_after=3600)
        with freeze_time("2026-05-20 11:00:01"):
            link.invalidate_recordset()
            self.assertEqual(link.status_button, "synchronize")
            self.assertEqual(self.card()["wait_until"], "")

    def test_a_limit_of_days_names_the_day(self):
        link = self.trouble(self.connect_journal(), "rate_limited", retry_after=86_400)
        self.assertIn("5/21/26", link.status_hint)

    def test_a_bank_that_is_down_is_tried_again_at_a_moment(self):
        link = self.connect_journal()
        self.proxy.fail("connections.refresh", "institution_unavailable")
        self.synchronize(link)
        self.assertEqual(self.hint(link), "Next attempt at 7:05 PM; missing transactions are fetched then.")
        self.assertEqual(link.status_button, "synchronize")

    def test_no_next_synchronization_is_shown_without_the_automatic_one(self):
        link = self.trouble(self.connect_journal(auto_sync=False), "institution_unavailable")
        self.assertEqual((link.status_hint, link.next_refresh_text), ("", ""))

    def test_the_next_synchronization_is_shown_in_words_with_its_time(self):
        link = self.connect_journal(next_refresh="2026-05-20 14:10:00")
        text = link.next_refresh_text.replace("\N{NARROW NO-BREAK SPACE}", " ")
        self.assertEqual(text, "in 4 hours (11:10 PM)")
        link.next_refresh = "2026-05-20 09:00:00"
        self.assertEqual(link.next_refresh_text, "in a moment")

    def test_a_consent_that_has_ended_by_its_date_asks_for_a_new_one(self):
        link = self.connect_journal(expiring_synchronization_date="2026-05-19")
        self.assertEqual((link.state, link.status_button), ("connected", "renew"))
        self.assertEqual(self.card()["consent"], "ended")

    def test_a_consent_that_ends_soon_leaves_the_button_as_it_is(self):
        self.connect_journal(expiring_synchronization_date="2026-05-26")
        card = self.card()
        self.assertEqual((card["button"], card["consent"], card["renew"]), ("synchronize", "ending", True))

    def test_the_banks_balance_is_shown_with_its_moment_where_it_differs(self):
        self.proxy.book("T1", "5.00")
        link = self.connect_journal()
        self.synchronize(link)
        self.assertEqual(self.card()["bank_balance"], "")
        link.account_online_account_ids.balance = 3
        card = self.card()
        self.assertIn("3.00", card["bank_balance"])
        self.assertIn("2.00", card["difference"])
        self.assertFalse(card["bank_has_more"])
        self.assertEqual(card["bank_balance_at"].replace("\N{NARROW NO-BREAK SPACE}", " "), "5:00 PM")


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestSupportDetails(StatusCommon):
    """What support needs is one click away, and holds no secrets."""

    def test_the_details_name_all_that_support_asks_for(self):
        link = self.trouble(self.connect_journal(), "provider_not_configured")
        lines = link.support_details.splitlines()
        for line in ("Reference: E-7KQ2", "Code: provider_not_configured", "Time: 2026-05-20 10:00:00 UTC"):
            self.assertIn(line, lines)
        self.assertIn("Bank: Scripted Bank", lines)
        self.assertIn("Provider: Scripted", lines)
        self.assertRegex(link.support_details, r"Version: (19\.0\.)?\d+\.\d+\.\d+")

    def test_the_details_hold_no_identifier_of_the_consent(self):
        link = self.trouble(self.connect_journal(connection_identifier="SECRETCONNECTION"), "provider_not_configured")
        self.assertNotIn("SECRETCONNECTION", link.support_details)

    def test_the_card_brings_them_only_where_they_help_and_only_to_accountants(self):
        link = self.connect_journal()
        self.assertFalse(self.card()["details"])
        self.trouble(link, "provider_not_configured")
        self.assertEqual(self.card()["details"], link.support_details)
        invoicing = new_test_user(self.env, "invoicing", groups="account.group_account_invoice")
        self.assertFalse(self.card(invoicing)["details"])


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestDisconnect(StatusCommon):
    """*Disconnect* gives the consent back, and nothing else is lost by it."""

    def test_the_consent_is_given_back_and_everything_imported_stays(self):
        self.proxy.book("T1", "5.00")
        link = self.connect_journal()
        self.synchronize(link)
        action = link._give_consent_back()
        self.assertEqual(self.proxy.requests[-1], ("connections.delete", {"connection_id": "C1"}))
        self.assertRecordValues(
            link, [{"state": "disconnected", "connection_identifier": False, "next_refresh": False}]
        )
        self.assertEqual(self.journal.account_online_link_id, link)
        self.assertEqual(len(self.lines()), 1)
        self.assertEqual(action["params"]["type"], "success")
        self.assertFalse(link._search_due([("id", "=", link.id)]))

    def test_reconnect_takes_it_up_again_without_a_second_line(self):
        self.proxy.book("T1", "5.00")
        link = self.connect_journal()
        self.synchronize(link)
        link._give_consent_back()
        self.address_of_bank(link.action_reconnect())
        self.assertIn("connections.start", self.requested_operations())
        self.proxy.book("T2", "6.00")
        visit = self.env["account.online.authorization"].sudo().search([("link_id", "=", link.id)])
        visit._finish()
        self.assertEqual((link.state, self.journal.account_online_link_id), ("connected", link))
        self.synchronize(link)
        self.assertEqual(len(self.lines()), 2)

    def test_a_service_that_is_out_of_reach_changes_nothing(self):
        link = self.connect_journal()
        self.proxy.fail("connections.delete", "service_unavailable", "retry")
        action = link._give_consent_back()
        self.assertEqual(action["params"]["type"], "danger")
        self.assertIn("still connected", action["params"]["message"])
        self.assertEqual((link.state, link.connection_identifier), ("connected", "C1"))

    def test_a_consent_that_has_ended_already_is_not_an_obstacle(self):
        link = self.connect_journal()
        self.proxy.fail("connections.delete", "unknown_connection", "reconnect")
        with self.assertLogs("odoo.addons.account_online_synchronization", logging.INFO):
            link._give_consent_back()
        self.assertEqual((link.state, link.error_code), ("disconnected", False))

    def test_what_was_planned_is_not_fetched_any_more(self):
        link = self.connect_journal()
        run = (
            self.env["account.online.run"]
            .sudo()
            .create({"account_online_link_id": link.id, "state": "planned", "is_deferred": True})
        )
        link._give_consent_back()
        self.assertEqual(run.state, "interrupted")

    def test_accountants_see_no_button_that_they_may_not_press(self):
        link = self.connect_journal()
        accountant = new_test_user(self.env, "accountant", groups="account.group_account_basic")
        form = self.Link.with_user(accountant).get_view(
            self.env.ref("account_online_synchronization.account_online_link_view_form").id
        )["arch"]
        card = (
            self.env["account.journal"]
            .with_user(accountant)
            .get_view(self.env.ref("account.account_journal_dashboard_kanban_view").id)["arch"]
        )
        for name in ("disconnect", "reconnect", "renew", "update_credentials", "reactivate", "disable_auto_sync"):
            self.assertNotIn(f'name="action_{name}"', form)
            with self.assertRaises(AccessError):
                getattr(link.with_user(accountant), f"action_{name}")()
        for on_card, _in_form in (METHODS[name] for name in ("renew", "reconnect", "credentials", "reactivate")):
            self.assertNotIn(f'name="{on_card}"', card)
        self.assertIn('name="action_fetch_transactions"', form)
        self.assertIn("An accounting administrator has to do this.", card)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestHistory(StatusCommon):
    """The results of the synchronizations of the last days, at a glance."""

    def run_of(self, link, days_ago, **values):
        start = fields.Datetime.now() - timedelta(days=days_ago)
        values = {"state": "done", "started_at": start, "ended_at": start + timedelta(seconds=30), **values}
        return self.env["account.online.run"].sudo().create({"account_online_link_id": link.id, **values})

    def test_each_day_counts_what_came_and_what_failed(self):
        link = self.connect_journal()
        self.run_of(link, 1, imported=3)
        self.run_of(link, 1, imported=4)
        self.run_of(link, 2, state="failed")
        self.run_of(link, 40, imported=100)
        days = link.recent_days
        self.assertEqual(len(days), 30)
        numbers = [(day["imported"], day["failures"], day["runs"]) for day in days]
        self.assertEqual(numbers[-3:], [(0, 1, 1), (7, 0, 2), (0, 0, 0)])
        self.assertEqual(sum(day["imported"] for day in days), 7)

    def test_a_run_knows_how_long_it_took_and_whether_it_failed(self):
        link = self.connect_journal()
        self.assertRecordValues(
            self.run_of(link, 1) + self.run_of(link, 2, state="failed"),
            [{"duration": 30.0, "failures": 0}, {"duration": 30.0, "failures": 1}],
        )
        self.assertEqual(self.run_of(link, 0, state="running", ended_at=False).duration, 0)

    def test_the_pivot_counts_failures_and_shows_the_usual_duration(self):
        link = self.connect_journal()
        self.run_of(link, 1)
        self.run_of(link, 2, state="failed")
        rows = self.env["account.online.run"].formatted_read_group(
            [("account_online_link_id", "=", link.id)], ["account_online_link_id"], ["failures:sum", "duration:avg"]
        )
        self.assertEqual((rows[0]["failures:sum"], rows[0]["duration:avg"]), (1, 30))

    def test_what_failed_can_be_fetched_again_from_its_run(self):
        link = self.connect_journal()
        self.synchronize(link)
        self.proxy.book("T1", "5.00")
        self.assertIn("New transactions: 1.", self.run_of(link, 1, state="failed").action_fetch()["params"]["message"])

    def test_connections_in_trouble_come_first_and_no_empty_column_is_shown(self):
        self.connect_journal()
        self.trouble(self.connect(name="Other"), "consent_expired")
        Link = self.Link.with_context(read_group_expand=True)
        groups = Link.web_read_group([("company_id", "=", self.company.id)], ["state"])["groups"]
        self.assertEqual([group["state"] for group in groups], ["error", "connected"])
