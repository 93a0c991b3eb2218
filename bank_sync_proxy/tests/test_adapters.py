import logging
from contextlib import closing
from importlib.util import find_spec

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tests.common import HOST, _super_send

from ..providers.types import Challenge
from .common import ProxyCase

# Why here: `cryptography` keeps the class of moments that it sees first, and in a frozen time that is not the real one.
from .pure import teller_server  # noqa: F401
from .pure.contract import NOW, script_class
from .pure.scripted import Case


@tagged("post_install", "-at_install")
class TestAdapters(ProxyCase):
    """Each adapter once from end to end: through the protocol and the visit, over real HTTP, to its scripted server.

    What is asked in which words is the business of the contract suite (pure/test_contract.py).
    """

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        # Why: Odoo's own compares the time-out with a number, and ours are two, to connect and to read.
        if request.url.startswith(f"http://{HOST}:"):
            return _super_send(session, request, **options)
        raise AssertionError(f"{request.url} is not the scripted server")

    def walk(self, code, revoked=False):
        """Connect, read, refresh, renew, disconnect.

        :param bool revoked: before the renewal the key, or the consent, is revoked at the bank
        """
        script = script_class(code)()
        with closing(script.server), freeze_time(NOW):
            self.switch_on(script)
            connection = self.connect_bank(script)
            self.read_accounts(script, connection)
            self.read_transactions(script, connection)
            self.refresh(script, connection)
            if revoked:
                self.be_refused(script, connection)
            self.renew(script, connection)
            self.disconnect(script, connection)
            script.server.check_all()

    def switch_on(self, script):
        provider = self.env["bank.sync.provider"].with_context(active_test=False).search([("code", "=", script.code)])
        values = {**script.settings, "base_url": script.server.base_url}
        provider.setting_ids = [
            (0, 0, {"name": "base_url", "type": "text", "plain_value": script.server.base_url}),
        ]
        for setting in provider.setting_ids:
            setting.value = values.get(setting.name, setting.plain_value)
        # What a test of the keys asks is not part of these scripts.
        provider.write({"keys_state": "work", "active": True})
        self.env["bank.sync.institution"].search([("provider_id", "=", provider.id)]).unlink()
        self.env["bank.sync.institution"].create(
            {
                "name": "The Bank",
                "identifier": f"{script.code}.{script.institution}",
                "provider_institution": script.institution,
                "provider_id": provider.id,
                "country_code": script.country,
                "status": "stable",
            }
        )

    def play(self, script, name):
        """Expect what is asked for in a case, without the words: state and address are Odoo's here."""
        exchanges = [
            {key: value for key, value in e.items() if key != "with"} for e in Case(script.code, name).exchanges
        ]
        script.server.expect(exchanges)
        return Case(script.code, name).gives

    def ask_well(self, operation, **payload):
        answer = self.ask(operation, **payload)
        record = answer.get("error") and self.env["bank.sync.error"].search([], limit=1)
        self.assertNotIn("error", answer, record and record.detail)
        return answer

    def go_through(self, script, answer):
        """Do on the pages what a user does."""
        visit = self.visit_of(answer)
        for _step in range(5):
            if visit.state != "open":
                break
            if challenge := visit._challenge():
                self.assertIsInstance(challenge, Challenge)
                self.assertFalse(challenge.error)
                values = {**{field.name: field.value for field in challenge.fields}, **script.answers}
                visit._answer({name: [value] for name, value in values.items()})
            else:
                state = visit._stored()["redirect"]["data"]["state"]
                visit._complete({**script.callback, "state": state})
        self.assertEqual(visit.state, "done", visit.error_id.detail)

    def connect_bank(self, script):
        gives = self.play(script, "connect")
        answer = self.ask_well(
            "connections.start", institution_id=f"{script.code}.{script.institution}", return_url="/", language="fr_BE"
        )
        self.go_through(script, answer)
        connection = self.ask_well("connections.get", connection_id=answer["connection_id"])["connection"]
        self.assertEqual(connection["state"], "connected")
        expiry = connection["consent_expires_at"]
        self.assertEqual(expiry and expiry.replace("Z", "+00:00"), gives["consent_expires_at"])
        record = self.connection(answer)
        self.assertEqual(record.provider_reference or None, gives.get("reference"))
        for secret in script.secrets:
            self.assertNotIn(secret, f"{record.read()}{record.visit_ids.read()}")
        return connection["id"]

    def read_accounts(self, script, connection):
        gives = self.play(script, "accounts")
        accounts = self.ask_well("accounts.list", connection_id=connection)["accounts"]
        self.assertEqual(
            [(account["id"], account["balance"]) for account in accounts],
            [(account["id"], account["balance"]) for account in gives["accounts"]],
        )

    def read_transactions(self, script, connection):
        gives = self.play(script, "paging")
        case, found, cursor = Case(script.code, "paging"), [], None
        for _page in range(gives["pages"]):
            page = self.ask_well(
                "transactions.list",
                connection_id=connection,
                account_id=script.account,
                since=case.given["since"],
                cursor=cursor,
            )
            found += page["transactions"]
            cursor = page["next_cursor"]
        self.assertFalse(page["has_more"])
        self.assertEqual(
            [(transaction["id"], transaction["amount"]) for transaction in found],
            [(transaction["id"], transaction["amount"]) for transaction in gives["transactions"]],
        )

    def refresh(self, script, connection):
        gives = self.play(script, "refresh")
        answer = self.ask_well("connections.refresh", connection_id=connection)
        self.assertEqual(answer["state"], "done")
        self.assertEqual(
            answer["refreshed_at"].replace("Z", "+00:00"), gives.get("refreshed_at", NOW.isoformat(timespec="seconds"))
        )
        if "accounts" in answer:
            state = self.connection({"connection_id": connection})._read_state()
            self.assertEqual([account["id"] for account in answer["accounts"]], list(state["accounts"]))

    def be_refused(self, script, connection):
        gives = self.play(script, "consent_revoked")
        error = self.ask("transactions.list", connection_id=connection, account_id=script.account)["error"]
        self.assertEqual((error["code"], error["action"]), (gives["code"], "renew"))

    def renew(self, script, connection):
        gives = self.play(script, "renewal")
        answer = self.ask_well(
            "connections.renew", connection_id=connection, reason="consent", return_url="/", language="fr_BE"
        )
        self.go_through(script, answer)
        state = self.connection(answer)._read_state()
        self.assertEqual(set(state["accounts"]), set(gives["ids"]))

    def disconnect(self, script, connection):
        exchanges = Case(script.code, "revoke").exchanges
        old, new = script.renewed
        script.server.expect([{**e, "ask": e["ask"].replace(old, new) if old else e["ask"]} for e in exchanges])
        self.ask_well("connections.delete", connection_id=connection)

    def test_unreadable_row_is_recorded_for_support(self):
        script = script_class("enable_banking")()
        with closing(script.server), freeze_time(NOW):
            self.switch_on(script)
            connection = self.connect_bank(script)
            self.play(script, "undocumented")
            with self.assertLogs("odoo.addons.bank_sync_proxy.models.bank_sync_api", logging.WARNING):
                page = self.ask_well("transactions.list", connection_id=connection, account_id=script.account)
        self.assertEqual([(row["id"], row["problem"]) for row in page["transactions"]], [("r1", "no amount: '1,00'")])
        record = self.env["bank.sync.error"].search([], limit=1)
        self.assertEqual(
            (record.code, record.actor, record.operation), ("unexpected_answer", "us", "transactions.list")
        )
        self.assertIn("1 of 1 transactions", record.detail)

    def test_present_user_s_data_is_sent_to_the_bank_and_not_stored(self):
        script = script_class("enable_banking")()
        user = {"ip_address": "8.8.8.8", "agent": "Firefox"}
        with closing(script.server), freeze_time(NOW):
            self.switch_on(script)
            connection = self.connect_bank(script)
            for name, sent in (("empty", "8.8.8.8"), ("undocumented", "8.8.8.8"), ("rate_limited", "8.8.8.8")):
                self.play(script, name)
                self.ask("transactions.list", connection_id=connection, account_id=script.account, user=user)
                self.assertEqual(script.server.asked[-1].headers["Psu-Ip-Address"], sent)
            self.play(script, "empty")
            self.ask("transactions.list", connection_id=connection, account_id=script.account)
            self.assertNotIn("Psu-Ip-Address", script.server.asked[-1].headers)
        self.assertNotIn("8.8.8.8", f"{self.env['bank.sync.error'].search([]).read()}")

    # Written out, because Odoo runs only the test methods of the class itself.

    def test_bunq(self):
        self.walk("bunq", revoked=True)

    def test_enable_banking(self):
        self.walk("enable_banking")

    def test_fints(self):
        if not find_spec("fints"):
            self.skipTest("the optional library fints is not installed: it wants Python 3.11")
        self.walk("fints")

    def test_fints_forgets_a_refused_pin(self):
        if not find_spec("fints"):
            self.skipTest("the optional library fints is not installed: it wants Python 3.11")
        script = script_class("fints")()
        with closing(script.server), freeze_time(NOW):
            self.switch_on(script)
            connection = self.connect_bank(script)
            refused = Case("fints", "refused").exchanges
            script.server.expect([{"ask": refused[0]["ask"], "says": refused[0]["says"]}])
            for _attempt in range(3):
                error = self.ask("connections.refresh", connection_id=connection)["error"]
                self.assertEqual(error["code"], "credentials_rejected")
            script.server.check_all()
            record = self.env["bank.sync.connection"].search([("identifier", "=", connection)])
            self.assertEqual((record.state, record._read_state()["pin"]), ("connected", ""))

    def test_gocardless(self):
        self.walk("gocardless")

    def test_mollie(self):
        self.walk("mollie", revoked=True)

    def test_paypal(self):
        self.walk("paypal", revoked=True)

    def test_plaid(self):
        self.walk("plaid")

    def test_ponto(self):
        self.walk("ponto")

    def test_qonto(self):
        self.walk("qonto")

    def test_revolut_business(self):
        self.walk("revolut_business", revoked=True)

    def test_salt_edge(self):
        self.walk("salt_edge")

    def test_simplefin(self):
        self.walk("simplefin")

    def test_stripe(self):
        self.walk("stripe", revoked=True)

    def test_teller(self):
        self.walk("teller", revoked=True)

    def test_yodlee(self):
        self.walk("yodlee")
