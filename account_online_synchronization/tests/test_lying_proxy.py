from unittest.mock import patch

from freezegun import freeze_time
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..client.errors import ProxyError
from ..client.messages import parse_transaction
from .common import COMPLETE, THOROUGH, OnlineSyncCommon
from .lies import damaged

SETTINGS = settings(
    max_examples=1000 if THOROUGH else 60 if COMPLETE else 20,
    derandomize=not THOROUGH,
    phases=[Phase.generate, *([Phase.shrink] if THOROUGH else [])],
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
OPERATIONS = ("connections.get", "connections.refresh", "accounts.list", "transactions.list")


class _TakenBack(Exception):
    """Ends an example; nothing of it stays."""


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestLyingProxy(OnlineSyncCommon):
    """The connection service lies: what reaches the books is what it said of this account, or an error with a code."""

    def setUp(self):
        super().setUp()
        self.link = self.connect_journal()
        self.account = self.link.account_online_account_ids
        self.proxy.book("T1", "-12.30", counterparty={"name": "Azure", "account_number": "BE71096123456769"})
        self.proxy.book("T2", "100.00")

    # -------------------------------------------------------------------------
    # GENERATED
    # -------------------------------------------------------------------------

    def lie(self, operation, answer):
        """Synchronize and come back from the bank's pages while one operation is answered like this.

        :return: the run, and the error that the way back ended in, or None
        """
        self.proxy.raw_answers[operation] = answer
        run = self.synchronize(self.link)
        visit = self.env["account.online.authorization"]._remember(
            "consent", "nonce", {"connection_id": "C1"}, self.link
        )
        try:
            visit._finish()
        except ProxyError as error:
            return run, error
        finally:
            self.env.flush_all()
        return run, None

    def assert_right(self, operation, answer):
        run, error = self.lie(operation, answer)
        self.assertIn(run.state, ("done", "failed", "waiting"))
        self.assertFalse(run.error_code in ("import_failed",), run.error_message)
        self.assertEqual(bool(run.error_code), run.state == "failed")
        self.assertTrue(run.error_message or run.state != "failed")
        self.assertTrue(error is None or (error.code and error.message))
        self.assertEqual(self.account.currency_id, self.company.currency_id)
        said = self.amounts_said_of(answer) if operation == "transactions.list" else {-12.3: 1, 100.0: 1}
        for line in self.lines():
            self.assertIn(round(line.amount, 2), said)

    def amounts_said_of(self, answer):
        said, messages = set(), answer.get("transactions") if isinstance(answer, dict) else None
        for message in messages if isinstance(messages, list) else ():
            try:
                said.add(round(float(parse_transaction(message).amount), 2))
            except ValueError:
                continue
        return said

    def test_damaged_answers_reach_the_books_as_they_were_said_or_not_at_all(self):
        others = self.env["res.company"].create({"name": "Another"})
        foreign = self.Link.sudo().create({"name": "Foreign", "company_id": others.id, "connection_identifier": "C2"})
        # Why: pending computations would otherwise be flushed with the next write.
        self.env.flush_all()
        before = foreign.read()

        @SETTINGS
        @given(data=st.data())
        def example(data):
            operation = data.draw(st.sampled_from(OPERATIONS))
            self.proxy.raw_answers.clear()
            payload = {"connection_id": "C1", "account_id": "A1"}
            answer = data.draw(damaged(self.proxy.dispatch(operation, payload)))
            try:
                with self.env.cr.savepoint():
                    self.assert_right(operation, answer)
                    self.assertEqual(foreign.read(), before)
                    raise _TakenBack
            except _TakenBack:
                self.env.invalidate_all()

        with mute_logger("odoo.addons.account_online_synchronization.wizards.account_online_authorization"):
            example()

    # -------------------------------------------------------------------------
    # ANSWERS TO OTHER REQUESTS
    # -------------------------------------------------------------------------

    def test_the_connection_of_another_link_is_not_taken_over(self):
        another = self.env["res.company"].create({"name": "Another"})
        mine = self.link.connection_identifier
        for company in (self.company, another):
            with self.subTest(company.name):
                visit = self.env["account.online.authorization"]._remember(
                    "connect", "nonce", {"connection_id": mine}, None
                )
                visit.company_id = company
                links = self.Link.sudo().search_count([])
                with self.assertRaisesRegex(ProxyError, "the consent of another connection"):
                    visit._finish()
                self.assertEqual(self.Link.sudo().search_count([]), links)

    def test_a_balance_in_another_currency_is_not_a_balance_of_the_account(self):
        self.synchronize(self.link)
        before = (self.account.balance, self.account.balance_at, self.account.currency_id)
        self.proxy.accounts["A1"].update(currency="XAF", balance="9999999.00", balance_at="2026-05-20T09:00:00Z")
        self.synchronize(self.link)
        self.assertEqual((self.account.balance, self.account.balance_at, self.account.currency_id), before)

    def test_the_number_of_another_account_of_this_database_stops_the_import(self):
        another = self.env["res.company"].create({"name": "Another"})
        foreign = self.Link.sudo().create({"name": "Foreign", "company_id": another.id})
        self.env["account.online.account"].sudo().create(
            {
                "name": "Foreign",
                "account_online_link_id": foreign.id,
                "online_identifier": "F1",
                "account_number": "BE68 5390 0754 7034",
                "currency_id": self.account.currency_id.id,
            }
        )
        self.account.account_number = "BE71096123456769"
        self.proxy.accounts["A1"]["number"] = "BE68539007547034"
        run = self.synchronize(self.link)
        self.assertEqual((run.state, run.error_code), ("failed", "account_mixed_up"))
        self.assertNotIn("Foreign", run.error_message)
        self.assertFalse(self.lines())
        self.assertEqual(self.account.account_number, "BE71096123456769")

    def test_a_new_number_that_no_other_account_has_is_taken(self):
        self.account.account_number = "BE71096123456769"
        self.proxy.accounts["A1"]["number"] = "BE68539007547034"
        self.assertEqual(self.synchronize(self.link).state, "done")
        self.assertEqual(self.account.account_number, "BE68539007547034")

    def test_a_consent_that_was_not_given_back_stays_known(self):
        self.proxy.answers["connections.delete"] = {"deleted": False}
        self.link._give_consent_back()
        self.assertTrue(self.link.connection_identifier)
        self.assertNotEqual(self.link.state, "disconnected")

    def test_ever_new_pages_end_in_an_error_and_import_nothing(self):
        count = []

        def page(client, operation, _expect=None, **payload):
            count.append(payload)
            return {"transactions": [], "has_more": True, "next_cursor": f"p{len(count)}"}

        asked = type(self.Link.sudo()._get_client())
        original = asked._request
        with patch.object(
            asked,
            "_request",
            lambda client, operation, *more, **payload: (
                page(client, operation, **payload)
                if operation == "transactions.list"
                else original(client, operation, *more, **payload)
            ),
        ):
            run = self.synchronize(self.link)
        self.assertEqual((run.state, run.error_code), ("failed", "unexpected_answer"))
        self.assertLess(len(count), 2100)
        self.assertFalse(self.account.last_sync)

    # -------------------------------------------------------------------------
    # IDS AND AMOUNTS
    # -------------------------------------------------------------------------

    def test_an_id_like_one_of_our_own_identifiers_is_that_of_an_ordinary_transaction(self):
        hexadecimal = "0123456789abcdef" * 2
        names = ["opening", "legacy:plaid:1", "~7"]
        names += [f"{kind}:{hexadecimal}" for kind in ("unreadable", "pending", "file:csv")] + [f"f1:{hexadecimal}:1"]
        for number, name in enumerate(names, 1):
            self.proxy.book(name, f"-{number}.00")
        self.synchronize(self.link)
        self.assertEqual(self.balances(), [("2026-05-01", 0.0, 59.7)])
        for message in self.proxy.transactions["A1"]:
            message["remittance"] = ["Changed"]
        run = self.synchronize(self.link)
        self.assertEqual((run.imported, run.changed), (0, 9))
        self.assertEqual(set(self.lines().mapped("payment_ref")), {"Changed"})

    def test_the_opening_balance_is_booked_beside_a_transaction_of_that_id(self):
        self.proxy.accounts["A1"]["balance"] = "1000.00"
        self.proxy.book("opening", "-5.00")
        self.synchronize(self.link)
        wizard = self.env["account.online.opening"].browse(self.account.action_book_opening_balance()["res_id"])
        wizard.counterpart_account_id = self.company_data["default_account_revenue"]
        wizard.action_book()
        self.synchronize(self.link)
        self.assertEqual(sorted(self.lines().mapped("amount")), [-12.3, -5.0, 100.0, 912.3])

    def test_ids_that_differ_beyond_the_longest_text_are_two_transactions(self):
        for last in "12":
            self.proxy.book("x" * 600 + last, "-5.00", remittance=["Same"])
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount").count(-5.0), 2)
        self.proxy.removed.append("x" * 600 + "1")
        del self.proxy.transactions["A1"][2]
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount").count(-5.0), 1)

    def test_ids_that_change_case_white_space_and_unicode_form_double_nothing(self):
        self.proxy.book("Caf\u00e9 1", "-5.00")
        self.proxy.book("Caf\u00e9 2", "-5.00")
        self.synchronize(self.link)
        for names in (str.upper, lambda name: name.replace("\u00c9", "E\u0301"), lambda name: f" \u200b{name}  "):
            self.proxy.rename(names)
            self.assertEqual(self.synchronize(self.link).imported, 0)
        self.assertEqual(len(self.lines()), 4)

    def test_a_zero_that_loses_its_sign_is_the_same_amount(self):
        self.proxy.book(None, "-0.00", remittance=["Nothing"])
        self.synchronize(self.link)
        self.proxy.transactions["A1"][-1]["amount"] = "0.00"
        self.assertEqual(self.synchronize(self.link).imported, 0)

    def test_what_is_booked_and_pending_on_different_pages_is_booked(self):
        self.proxy.page_size = 1
        self.proxy.book("P3", "-5.00", status="pending")
        for status in ("pending", "booked", "pending"):
            self.proxy.book("T3", "-5.00", status=status, pending_id="P3")
        self.synchronize(self.link)
        self.assertEqual(self.lines().mapped("amount").count(-5.0), 1)
        self.assertFalse(self.beside())

    def test_a_line_that_the_bank_calls_pending_again_is_not_pending_beside_the_books(self):
        self.synchronize(self.link)
        for message in self.proxy.transactions["A1"]:
            message["status"] = "pending"
        self.synchronize(self.link)
        self.assertEqual(len(self.lines()), 2)
        self.assertEqual((self.account.pending_count, self.account.pending_amount), (0, 0.0))

    # -------------------------------------------------------------------------
    # TEXTS
    # -------------------------------------------------------------------------

    def test_what_the_service_names_is_shown_without_what_turns_the_reading_order(self):
        self.proxy.accounts["A1"].update(name="Acc\u202eount\x00 \ud83d", number="\u2067BE 1")
        self.proxy.capabilities = ["no object"]
        link = self.Link.sudo()._create_from_proxy(
            self.Link._get_client().get_connection("C9"), self.Link._get_client().list_accounts("C9"), self.company
        )
        self.assertEqual(link.account_online_account_ids.mapped("online_name"), ["Acc ount"])
        self.assertTrue(link.auto_sync)

    def test_html_of_the_service_is_shown_as_text(self):
        self.proxy.fail("connections.refresh", message="<img src=x onerror=alert(1)>", code="<b>x</b>")
        self.synchronize(self.link)
        body = self.link.message_ids[0].body
        self.assertIn("&lt;img", body)
        self.assertNotIn("<img", body)

    def test_a_logo_that_is_not_an_image_is_ignored(self):
        for logo in ("javascript:alert(1)", "http://plain.example/x.png", 7, ["x"], {"a": 1}):
            connection = self.Link._get_client().get_connection("C1")
            self.proxy.raw_answers["connections.get"] = {
                "connection": {"id": "C1", "institution": {"name": "X", "logo": logo}, "provider": "none"}
            }
            connection = self.Link._get_client().get_connection("C1")
            self.link._update_from_proxy(connection, [])
            self.assertFalse(self.link.logo)
