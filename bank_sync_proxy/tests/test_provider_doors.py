import json
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from urllib.parse import urlencode

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tests.common import HOST, _super_send

from ..providers import PROVIDERS, provider_class
from ..providers.sandbox_signatures import SIGNATURE_HEADER, sign_webhook
from . import test_adapters
from .common import PagesCase
from .pure.contract import NOW, OFFLINE, script_class
from .pure.scripted import Case

SECRET = "a secret of this test"
OLD = timedelta(minutes=10)


class DemoScript:
    """The Demo Bank, as the scripts of the contract suite describe the other providers."""

    code = "sandbox"
    institution = "demo-redirect"
    callback = {}

    def sign_webhook(self, body, age=timedelta(0), genuine=True):
        content = json.dumps(body).encode()
        moment = int((NOW - age).timestamp())
        return {SIGNATURE_HEADER: sign_webhook(SECRET if genuine else "another", moment, content)}, content

    def expect_key(self):
        pass


class DoorsCase(PagesCase):
    """Every registered provider, with its scripted server; a new one is covered automatically."""

    # Why not imported by its name: a class that a file knows runs with the file.
    switch_on, play = test_adapters.TestAdapters.switch_on, test_adapters.TestAdapters.play

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        # Why: Odoo's own compares the time-out with a number, and ours are two, to connect and to read.
        if request.url.startswith(f"http://{HOST}:"):
            return _super_send(session, request, **options)
        raise AssertionError(f"{request.url} is neither this server nor the scripted one")

    def providers(self):
        return self.env["bank.sync.provider"].with_context(active_test=False)

    @contextmanager
    def provider_at_work(self, code):
        """:return: its script; the clock is frozen"""
        with ExitStack() as stack:
            if code in OFFLINE:
                script = DemoScript()
                self.provider.setting_ids.filtered(lambda setting: setting.name == "webhook_secret").value = SECRET
            else:
                script = script_class(code)()
                stack.enter_context(closing(script.server))
            stack.enter_context(freeze_time(NOW))
            if code not in OFFLINE:
                self.switch_on(script)
            yield script

    def errors(self, operation):
        return self.env["bank.sync.error"].search([("operation", "=", operation)])


@tagged("post_install", "-at_install")
class TestEveryWebhook(DoorsCase):
    """News of a provider are believed only as it has signed them, a short while ago, for this body."""

    def examples(self, code):
        """:return: list of (body, its events)"""
        if code in OFFLINE:
            return [
                ({"events": [{"kind": kind, "reference": "consent-77"}]}, [[kind, "consent-77"]])
                for kind in ("transactions.new", "consent.expiring", "connection.disconnected")
            ]
        return [(hook["body"], hook["events"]) for hook in Case(code, "webhook").gives["webhooks"]]

    def connections(self, code, reference):
        """:return: connection of a client with this reference, and one of another client with another reference"""
        provider = self.providers().search([("code", "=", code)])
        institution = self.env["bank.sync.institution"].search([("provider_id", "=", provider.id)], limit=1)
        return [
            self.env["bank.sync.connection"].create(
                {
                    "client_id": client.id,
                    "institution_id": institution.id,
                    "state": "connected",
                    "provider_reference": name,
                }
            )
            for client, name in ((self.client_record, reference), (self.other_client, f"{reference}-of-others"))
        ]

    def send(self, code, headers, body, content_type="application/json", method="POST"):
        return self.opener.request(
            method,
            f"{self.base_url()}/bank_sync/webhook/{code}",
            data=body,
            headers={"Content-Type": content_type, **headers},
            timeout=30,
        ).status_code

    def each(self):
        """Iterate over all providers that send webhooks.

        :return: code, script, (body, events) of the first example with an event
        """
        codes = [code for code, _label, _name in PROVIDERS if provider_class(code).facts.webhooks]
        self.assertGreater(len(codes), 2)
        for code in codes:
            with self.subTest(code), self.provider_at_work(code) as script:
                script.expect_key()
                yield code, script, next(example for example in self.examples(code) if example[1])

    def events(self):
        return self.env["bank.sync.event"].search([])

    def test_genuine_webhook_notifies_only_its_client_and_only_once(self):
        for code, script, (body, [[kind, reference]]) in self.each():
            mine, _other = self.connections(code, reference)
            self.events().unlink()
            for _repeated in range(3):
                self.assertEqual(self.send(code, *script.sign_webhook(body)), 204)
            self.assertRecordValues(
                self.events(), [{"kind": kind, "client_id": mine.client_id.id, "connection_id": mine.id}]
            )

    def test_what_is_forged_old_or_of_another_body_is_refused_and_changes_nothing(self):
        for code, script, (body, [[_kind, reference]]) in self.each():
            connections = self.connections(code, reference)
            self.events().unlink()
            headers, signed = script.sign_webhook(body)
            other_body = json.dumps({"sent": "by somebody"}).encode()
            name = next(iter(headers))
            forged = {
                "no signature": ({}, signed),
                "an empty signature": ({name: ""}, signed),
                "no signature at all": ({name: "é\x7f".encode().decode("latin-1")}, signed),
                "another body": (headers, signed + b" "),
                "a body of nothing": (headers, b""),
                "something else entirely": (headers, other_body),
                "too old": (script.sign_webhook(body, age=OLD)[0], script.sign_webhook(body, age=OLD)[1]),
                "of the future": (script.sign_webhook(body, age=-OLD)[0], script.sign_webhook(body, age=-OLD)[1]),
                "another key": script.sign_webhook(body, genuine=False),
                "the Demo Bank's": (
                    {SIGNATURE_HEADER: sign_webhook("x", int(NOW.timestamp()), signed), name: "x"},
                    signed,
                ),
            }
            for how, (wrong, content) in forged.items():
                with self.subTest(code=code, how=how):
                    before = self.errors("webhook")
                    self.assertEqual(self.send(code, wrong, content), 400)
                    record = self.errors("webhook") - before
                    self.assertEqual(record.provider_code, code)
                    self.assertNotIn(reference, f"{record.read()}")
            self.assertFalse(self.events())
            self.assertEqual({connection.state for connection in connections}, {"connected"})

    def test_a_form_a_body_of_megabytes_and_another_method_are_refused(self):
        for code, script, (body, _events) in self.each():
            self.events().unlink()
            headers, signed = script.sign_webhook(body)
            for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
                self.assertEqual(self.send(code, headers, signed, content_type), 400, content_type)
            self.assertEqual(self.send(code, headers, signed + b" " * 70_000), 413)
            for method in ("GET", "PUT", "DELETE"):
                self.assertIn(self.send(code, headers, signed, method=method), (404, 405), method)
            self.assertFalse(self.events())

    def test_providers_that_are_off_or_send_no_webhooks_accept_none(self):
        for code, _label, _name in PROVIDERS:
            provider = self.providers().search([("code", "=", code)])
            with self.subTest(code), self.provider_at_work(code):
                provider = provider or self.providers().search([("code", "=", code)])
                if not provider_class(code).facts.webhooks:
                    self.assertEqual(self.send(code, {}, b"{}"), 404)
                provider.active = False
                self.assertEqual(self.send(code, {}, b"{}"), 404)

    def test_name_that_postgresql_cannot_search_is_not_a_provider(self):
        self.assertEqual(self.url_open("/bank_sync/webhook/%00", data=b"{}").status_code, 404)

    def test_forgeries_leave_few_records(self):
        with self.provider_at_work("sandbox"):
            for _number in range(105):
                self.send("sandbox", {}, b"{}")
        self.assertEqual(len(self.errors("webhook")), 100)


@tagged("post_install", "-at_install")
class TestEveryCallback(DoorsCase):
    """The state of a bank's page serves once, one visit, one provider, one browser."""

    def at_the_bank(self, code, script):
        """Walk until the browser is at the bank's own page.

        :return: visit and its state; (None, None) where a provider sends the user nowhere
        """
        if code not in OFFLINE:
            self.play(script, "connect")
        answer = self.start_at(code, script)
        if answer is None:
            return None, None
        self.enter(answer)
        visit = self.visit_of(answer)
        for _step in range(5):
            if visit._redirect():
                return visit, visit._stored()["redirect"]["data"].get("state")
            challenge = visit._challenge()
            if not challenge or challenge.kind == "approval":
                return None, None
            values = {**{field.name: field.value for field in challenge.fields}, **script.answers}
            visit._answer({name: [value] for name, value in values.items()})
        return None, None

    def start_at(self, code, script):
        answer = self.ask(
            "connections.start", institution_id=f"{code}.{script.institution}", return_url="/back", language="fr_BE"
        )
        self.assertNotIn("error", answer)
        return answer

    def each(self):
        """Iterate over all providers that send users to their own page."""
        found = 0
        for code, _label, _name in PROVIDERS:
            with self.provider_at_work(code) as script:
                self.another_browser()
                visit, state = self.at_the_bank(code, script)
                if not visit:
                    continue
                found += 1
                with self.subTest(code):
                    yield code, script, visit, state or self.state_of(visit)
        self.assertGreater(found, 3)

    def state_of(self, visit):
        """The Demo Bank keeps none: its page gets it."""
        return visit._redirect().partition("state=")[2].partition("&")[0]

    def come_back(self, code, state, parameters=()):
        """:param parameters: what the bank sends along, its own idea of the state included"""
        return self.get(f"/bank_sync/callback/{code}?{urlencode({**dict(parameters), 'state': state})}")

    def assertUntouched(self, visit, before):
        visit.invalidate_recordset()
        self.assertEqual((visit.state, visit.step, visit.callback_digest), before)
        self.assertEqual(visit.connection_id.state, "pending")

    def test_forged_state_or_of_another_provider_or_browser_changes_nothing(self):
        for code, script, visit, state in self.each():
            before = (visit.state, visit.step, visit.callback_digest)
            self.assertTrue(visit.callback_digest)
            asked = len(script.server.asked) if code not in OFFLINE else 0
            others = [other for other, _label, _name in PROVIDERS if other != code]
            for wrong in (
                self.come_back(code, ""),
                self.come_back(code, "forged"),
                self.come_back(code, state[:-1]),
                self.come_back(code, f"{state}x"),
                self.come_back(code, state.swapcase() if state.swapcase() != state else "x"),
                self.get(f"/bank_sync/callback/{code}"),
                *(self.come_back(other, state) for other in (*others, "nobody")),
            ):
                self.assertEqual(wrong.status_code, 404)
                self.assertNotIn(visit.public_id, wrong.text)
            cookies = self.opener.cookies.copy()
            self.another_browser()
            self.assertEqual(self.come_back(code, state).status_code, 403)
            self.opener.cookies.update(cookies)
            self.assertUntouched(visit, before)
            if code not in OFFLINE:
                self.assertEqual(len(script.server.asked), asked, "the provider was asked for a forgery")

    def test_a_state_that_is_too_old_changes_nothing(self):
        for code, _script, visit, state in self.each():
            visit.expires_at = NOW.replace(tzinfo=None) - timedelta(seconds=1)
            self.assertEqual(self.come_back(code, state).status_code, 410)
            self.assertEqual((visit.state, visit.connection_id.state), ("open", "pending"))

    def test_a_state_serves_once_whatever_came_with_it(self):
        for code, script, visit, state in self.each():
            if code in OFFLINE:
                self.come_back(code, state, {"code": "invented"})
            else:
                self.come_back(code, state, script.callback)
                self.assertEqual(visit.state, "done", visit.error_id.detail)
            kept = (visit.state, visit.connection_id.state, visit.connection_id.secret_state)
            again = self.come_back(code, state, script.callback)
            self.assertEqual(again.status_code, 404)
            visit.invalidate_recordset()
            self.assertEqual((visit.state, visit.connection_id.state, visit.connection_id.secret_state), kept)

    def test_the_state_of_another_client_s_visit_does_not_finish_this_one(self):
        for code, script, visit, _state in self.each():
            self.come_back(code, "the-state-of-somebody-else", script.callback)
            self.assertEqual((visit.state, visit.connection_id.state), ("open", "pending"))

    def test_a_form_of_megabytes_is_not_read(self):
        for code, _script, visit, state in self.each():
            before = (visit.state, visit.step, visit.callback_digest)
            answer = self.url_open(f"/bank_sync/callback/{code}", data={"state": state, "x": "y" * 10_000})
            self.assertEqual(answer.status_code, 413)
            self.assertUntouched(visit, before)

    def test_an_envelope_that_this_proxy_has_not_sealed_brings_nothing(self):
        for code, script, visit, state in self.each():
            if code in OFFLINE:
                continue
            self.come_back(code, state, {**script.callback, "sealed": "gAAAAA-of-somebody"})
            self.assertNotEqual(visit.connection_id.state, "connected")
