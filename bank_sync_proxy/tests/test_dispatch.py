import json
from dataclasses import replace
from datetime import date, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.addons.bank_sync_common.tools.bounded_http import time_left
from odoo.tests import tagged

from ..models import bank_sync_api
from ..models.bank_sync_error import REQUEST_SECONDS
from ..providers import parts
from ..providers.errors import TransientError
from ..providers.parts import AnswerLimit
from ..providers.sandbox import Sandbox
from .common import ProxyCase


@tagged("post_install", "-at_install")
class TestDispatch(ProxyCase):
    """The operations of docs/protocol.md, asked as a database asks them."""

    def transactions(self, connection, account, **payload):
        """All pages."""
        found, cursor = [], None
        while True:
            page = self.ask("transactions.list", connection_id=connection, account_id=account, cursor=cursor, **payload)
            self.assertNotIn("error", page)
            found += page["transactions"]
            cursor = page["next_cursor"]
            if not page["has_more"]:
                return found

    def test_a_connection_from_its_start_to_its_transactions(self):
        connection = self.connect()
        seen = self.ask("connections.get", connection_id=connection)["connection"]
        self.assertEqual(seen["state"], "connected")
        self.assertEqual(seen["institution"]["name"], "Demo Bank")
        self.assertEqual(seen["provider"], {"code": "sandbox", "label": "Demo Bank"})
        accounts = self.ask("accounts.list", connection_id=connection)["accounts"]
        self.assertEqual([account["type"] for account in accounts], ["current", "savings", "credit_card"])
        found = self.transactions(connection, accounts[0]["id"])
        self.assertGreater(len(found), 200)
        self.assertEqual(len({transaction["id"] for transaction in found}), len(found))

    def test_only_an_answer_over_the_network_is_limited(self):
        connection = self.connect()
        account = self.ask("accounts.list", connection_id=connection)["accounts"][0]["id"]
        payload = {"connection_id": connection, "account_id": account}
        with (
            patch.object(bank_sync_api, "ANSWER_LIMIT", AnswerLimit(1000, 1000)),
            patch.object(parts, "FEW_ROWS", 0),
        ):
            answer = self.ask("transactions.list", **payload)
            self.assertFailure(answer, "answer_too_large", "contact_support")
            here = json.loads(self.api_model._dispatch_to_json(self.client_record, "transactions.list", payload))
            self.assertEqual(len(here["transactions"]), 100)

    def test_the_database_itself_is_always_active(self):
        self.assertEqual(self.ask("clients.status")["state"], "active")

    def test_a_consent_that_was_not_finished(self):
        answer = self.start()
        seen = self.ask("connections.get", connection_id=answer["connection_id"])["connection"]
        self.assertEqual(seen["state"], "pending")
        failure = self.ask("accounts.list", connection_id=answer["connection_id"])
        self.assertFailure(failure, "connection_unfinished", "reconnect")

    def test_an_unfinished_connection_is_resumed_by_a_renewal(self):
        answer = self.start(institution=None)
        renewed = self.ask("connections.renew", connection_id=answer["connection_id"], return_url="/x")
        self.assertEqual(renewed["connection_id"], answer["connection_id"])
        self.assertTrue(self.visit_of(renewed).may_choose)
        self.visit_of(renewed)._choose_institution("sandbox.demo")
        again = self.ask("connections.renew", connection_id=answer["connection_id"], return_url="/x")
        self.assertTrue(self.visit_of(again).may_choose)
        self.assertEqual(self.visit_of(again)._challenge().kind, "credentials")

    def test_unfinished_connections_are_cleaned_up_after_a_week(self):
        unfinished, finished = self.connection(self.start()), self.connect()
        self.env.flush_all()
        self.env.cr.execute("UPDATE bank_sync_connection SET create_date = create_date - make_interval(days => 8)")
        self.env.invalidate_all()
        self.env["bank.sync.connection"]._gc_unfinished()
        self.assertFalse(unfinished.exists())
        self.assertEqual(self.ask("connections.get", connection_id=finished)["connection"]["state"], "connected")

    def test_another_client_s_connection_does_not_exist(self):
        connection = self.connect()
        for operation in (
            "connections.get",
            "connections.renew",
            "connections.refresh",
            "connections.delete",
            "accounts.list",
            "transactions.list",
        ):
            answer = self.ask(operation, self.other_client, connection_id=connection, return_url="/x", account_id="x")
            self.assertFailure(answer, "unknown_connection", "reconnect")
        unknown = self.ask("connections.get", self.other_client, connection_id="never-existed")
        self.assertEqual(answer["error"]["message"], unknown["error"]["message"])
        self.assertEqual(self.ask("connections.get", connection_id=connection)["connection"]["state"], "connected")

    def test_nothing_new_is_seen_before_a_refresh(self):
        with freeze_time("2026-05-04 08:00:00"):
            connection = self.connect()
            account = self.ask("accounts.list", connection_id=connection)["accounts"][0]["id"]
            before = self.transactions(connection, account)
        with freeze_time("2026-05-06 18:00:00"):
            self.assertEqual(self.transactions(connection, account), before)
            answer = self.ask("connections.refresh", connection_id=connection, user_present=False)
            self.assertEqual((answer["state"], answer["refreshed_at"]), ("done", "2026-05-06T18:00:00Z"))
            self.assertNotEqual(self.transactions(connection, account), before)

    def test_a_refresh_gives_the_accounts_that_it_has_listed(self):
        with freeze_time("2026-05-04 08:00:00"):
            connection = self.connect()
            before = self.ask("accounts.list", connection_id=connection)["accounts"]
        with freeze_time("2026-05-06 18:00:00"):
            answer = self.ask("connections.refresh", connection_id=connection)
            self.assertEqual(set(answer), {"state", "refreshed_at", "accounts"})
            self.assertEqual(answer["accounts"], self.ask("accounts.list", connection_id=connection)["accounts"])
        self.assertNotEqual(answer["accounts"], before)
        self.assertEqual({account["balance_at"] for account in answer["accounts"]}, {"2026-05-06T18:00:00Z"})

    def test_a_refresh_that_does_not_list_the_accounts_gives_none(self):
        connection = self.connect()
        refresh = Sandbox.refresh
        with patch.object(Sandbox, "refresh", lambda *args, **kwargs: replace(refresh(*args, **kwargs), accounts=None)):
            self.assertNotIn("accounts", self.ask("connections.refresh", connection_id=connection))

    def test_since_limits_what_is_given(self):
        connection = self.connect()
        account = self.ask("accounts.list", connection_id=connection)["accounts"][0]["id"]
        since = (date.today() - timedelta(days=20)).isoformat()
        found = self.transactions(connection, account, since=since, limit=7)
        self.assertTrue(found)
        self.assertGreaterEqual(min(t["booking_date"] for t in found if t["booking_date"]), since)

    def test_one_day_later_brings_the_next_day(self):
        connection = self.connect()
        before = self.ask("connections.get", connection_id=connection)["connection"]["refreshed_at"]
        self.provider.action_one_day_later()
        after = self.ask("connections.refresh", connection_id=connection)["refreshed_at"]
        self.assertEqual(date.fromisoformat(after[:10]) - date.fromisoformat(before[:10]), timedelta(days=1))

    def test_a_bank_that_wants_a_code_at_every_refresh(self):
        connection = self.connect("demo-code")
        unattended = self.ask("connections.refresh", connection_id=connection, user_present=False)
        self.assertFailure(unattended, "challenge_required", "answer_challenge")
        answer = self.ask("connections.refresh", connection_id=connection, user_present=True, return_url="/x")
        self.assertEqual(answer["state"], "challenge")
        visit = self.visit_of(answer)
        self.answer_all(visit)
        self.assertEqual((visit.state, visit.connection_id.identifier), ("done", connection))

    def test_a_bank_that_answers_only_while_a_user_is_present(self):
        connection = self.connect("demo-attended")
        unattended = self.ask("connections.refresh", connection_id=connection, user_present=False)
        self.assertFailure(unattended, "auto_sync_forbidden", "disable_auto_sync")
        attended = self.ask("connections.refresh", connection_id=connection, user_present=True, return_url="/x")
        self.assertEqual(attended["state"], "done")

    def test_a_consent_runs_out_and_is_renewed_in_place(self):
        with freeze_time("2026-01-05 08:00:00"):
            connection = self.connect()
            accounts = [a["id"] for a in self.ask("accounts.list", connection_id=connection)["accounts"]]
        with freeze_time("2026-07-05 08:00:00"):
            self.assertEqual(self.ask("connections.get", connection_id=connection)["connection"]["state"], "expired")
            failure = self.ask("connections.refresh", connection_id=connection)
            self.assertFailure(failure, "consent_expired", "renew")
            answer = self.ask("connections.renew", connection_id=connection, reason="consent", return_url="/x")
            self.answer_all(self.visit_of(answer))
            self.assertEqual(answer["connection_id"], connection)
            self.assertEqual(self.ask("connections.get", connection_id=connection)["connection"]["state"], "connected")
            self.assertEqual(
                [a["id"] for a in self.ask("accounts.list", connection_id=connection)["accounts"]], accounts
            )

    def test_a_renewal_that_is_not_finished_leaves_the_connection_as_it_was(self):
        connection = self.connect()
        self.ask("connections.renew", connection_id=connection, reason="credentials", return_url="/x")
        self.assertTrue(self.ask("accounts.list", connection_id=connection)["accounts"])

    def test_an_account_outside_the_consent(self):
        connection = self.connect(accounts=1)
        self.assertEqual(len(self.ask("accounts.list", connection_id=connection)["accounts"]), 1)
        answer = self.ask("transactions.list", connection_id=connection, account_id="another")
        self.assertFailure(answer, "unknown_account", "renew")

    def test_deleting_forgets_the_consent_and_may_be_repeated(self):
        connection = self.connect()
        for _attempt in range(2):
            self.assertEqual(self.ask("connections.delete", connection_id=connection), {"deleted": True})
        record = self.env["bank.sync.connection"].search([("identifier", "=", connection)])
        self.assertFalse(record.secret_state)
        for operation in ("accounts.list", "connections.refresh", "connections.renew"):
            answer = self.ask(operation, connection_id=connection, return_url="/x")
            self.assertFailure(answer, "connection_disconnected", "reconnect")

    def test_a_provider_that_fails_does_not_keep_a_user_from_leaving(self):
        connection = self.connect()
        with patch.object(Sandbox, "revoke", side_effect=TransientError("provider_unavailable")):
            self.assertEqual(self.ask("connections.delete", connection_id=connection), {"deleted": True})

    def test_a_failure_is_an_answer_with_a_record_and_without_secrets(self):
        connection = self.connect()
        error = TransientError(
            "institution_unavailable", 'body: {"access_token": "s3cret"}', provider="sandbox", status=503
        )
        with patch.object(Sandbox, "refresh", side_effect=error):
            answer = self.ask("connections.refresh", connection_id=connection, return_url="/nonce/s3cret")
        self.assertFailure(answer, "institution_unavailable", "retry")
        record = self.env["bank.sync.error"].search([("reference", "=", answer["error"]["reference"])])
        self.assertRecordValues(
            record,
            [{"operation": "connections.refresh", "provider_code": "sandbox", "client_id": self.client_record.id}],
        )
        self.assertEqual(record.connection_id.identifier, connection)
        self.assertIn("503", record.detail)
        self.assertNotIn("s3cret", f"{record.read()}")

    def test_an_unexpected_exception_is_an_answer_too_and_undoes_what_was_begun(self):
        def fail(adapter, *_arguments, **_parameters):
            self.env["bank.sync.client"].search([]).name = "half done"
            raise ZeroDivisionError("oops")

        connection = self.connect()
        with patch.object(Sandbox, "accounts", fail), self.assertLogs("odoo.addons.bank_sync_proxy", "ERROR"):
            answer = self.ask("accounts.list", connection_id=connection)
        self.assertFailure(answer, "unexpected_answer", "contact_support")
        record = self.env["bank.sync.error"].search([("reference", "=", answer["error"]["reference"])])
        self.assertIn("ZeroDivisionError: oops", record.detail)
        self.assertNotIn("ZeroDivisionError", answer["error"]["message"])
        self.assertNotEqual(self.client_record.name, "half done")

    def test_an_answer_that_is_not_json_is_a_recorded_failure(self):
        connection = self.connect()
        for value in (float("nan"), {1, 2}):
            with (
                self.subTest(value=value),
                patch.object(type(self.api_model), "_accounts_list", lambda *_arguments, value=value: {"more": value}),
                self.assertLogs("odoo.addons.bank_sync_proxy", "ERROR"),
            ):
                answer = self.ask("accounts.list", connection_id=connection)
                self.assertFailure(answer, "unexpected_answer", "contact_support")

    def test_the_embedded_database_gets_the_same_answer_as_json(self):
        payload = {"connection_id": self.connect()}
        for operation in ("accounts.list", "no.such_operation"):
            answer = self.ask(operation, **payload)
            content = json.loads(self.api_model._dispatch_to_json(self.client_record, operation, payload))
            for one in (answer, content):
                one.get("error", {}).pop("reference", None)
            self.assertEqual(content, answer)

    def test_requests_that_make_no_sense(self):
        connection = self.connect()
        for operation, payload in (
            ("no.such_operation", {}),
            ("__init__", {}),
            ("connections.get", {}),
            ("connections.get", {"connection_id": 7}),
            ("connections.get", {"connection_id": "a\x00b"}),
            ("connections.start", {"institution_id": "sandbox.demo"}),
            ("transactions.list", {"connection_id": connection}),
            ("transactions.list", {"connection_id": connection, "account_id": "x", "since": "yesterday"}),
            ("transactions.list", {"connection_id": connection, "account_id": "x", "limit": "many"}),
            ("institutions.search", {"cursor": "rubbish"}),
            ("institutions.search", {"query": {"a": object()}}),
        ):
            with self.subTest(operation=operation, payload=payload):
                self.assertFailure(self.ask(operation, **payload), "invalid_request", "contact_support")
        self.assertFailure(
            self.api_model._dispatch(self.client_record, "connections.get", ["x"]), "invalid_request", "contact_support"
        )

    def test_an_unknown_institution(self):
        answer = self.ask("connections.start", institution_id="sandbox.none", return_url="/x")
        self.assertFailure(answer, "unknown_institution", "contact_support")

    def test_the_way_back_stays_on_this_host(self):
        for url in (
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "\\/evil.example",
            "javascript:alert(1)",
            "back",
            "/a\r\nSet-Cookie: x=1",
        ):
            with self.subTest(url=url):
                answer = self.ask("connections.start", institution_id="sandbox.demo", return_url=url)
                self.assertFailure(answer, "invalid_request", "contact_support")

    def test_all_requests_to_a_bank_end_before_the_database_gives_up(self):
        connection, left = self.connect(), []
        with patch.object(Sandbox, "accounts", lambda adapter, state: left.append(time_left()) or []):
            self.ask("accounts.list", connection_id=connection)
        self.assertTrue(0 < left[0] <= REQUEST_SECONDS < 120)

    def test_a_provider_that_is_switched_off(self):
        connection = self.connect()
        self.provider.active = False
        answer = self.ask("accounts.list", connection_id=connection)
        self.assertFailure(answer, "provider_not_configured", "contact_support")
