import time
from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .common import DAY, OnlineSyncCommon

HUGE = "x" * 10_000_000


def nested(depth):
    value = {}
    for _level in range(depth):
        value = {"more": [value]}
    return value


class BadInputCommon(OnlineSyncCommon):
    def setUp(self):
        super().setUp()
        self.proxy.book("GOOD", "7.00")
        self.link = self.connect_journal()
        self.account = self.link.account_online_account_ids

    def assert_only_the_good_one(self, run=None):
        """Whatever else came, it does not stop the valid transaction."""
        run = run or self.synchronize(self.link)
        self.env.flush_all()
        self.assertEqual(run.state, "done", run.error_message)
        self.assertEqual(self.lines().mapped("online_transaction_identifier"), ["GOOD"])
        return run


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestBadTransactions(BadInputCommon):
    """Each bad transaction is parked with a reason; the good ones go in."""

    def assert_parked(self, *values):
        """Each of these stays out with a reason that a person can read, and is parked once however often it comes."""
        for number, changes in enumerate(values):
            self.proxy.book(f"B{number}", "1.00").update(changes)
        self.assert_only_the_good_one()
        # Why: all of it is to come again, whatever day it is of.
        self.account.last_sync = False
        run = self.assert_only_the_good_one()
        self.assertEqual(run.parked, len(values), run.parked_text)
        self.assertEqual(len(self.beside("parked")), len(values))
        self.assertTrue(all(one.reason for one in self.beside("parked")))

    def test_amounts_that_are_no_decimal_number(self):
        amounts = [
            "a lot",
            None,
            "",
            [],
            {},
            True,
            12.5,
            float("nan"),
            float("inf"),
            "NaN",
            "-Infinity",
            "12,30",
            "1 000",
        ]
        self.assert_parked(*({"amount": amount} for amount in amounts))

    def test_amounts_of_twenty_digits_and_more(self):
        self.assert_parked(
            {"amount": "12345678901234567890"}, {"amount": 10**30}, {"amount": "1e400"}, {"amount": "9" * 5000}
        )

    def test_days_that_are_none(self):
        days = ["1900-01-01", "9999-12-31", "2026-02-30", "yesterday", "2026-05-20T10:00:00Z", 20260520, [], {}, HUGE]
        self.assert_parked(*({"booking_date": day} for day in days))

    def test_currencies_that_are_none(self):
        self.assert_parked(*({"currency": currency} for currency in ("", None, "Euro", "€", 978, [], "JPY")))

    def test_a_status_that_is_none(self):
        self.assert_parked(*({"status": status} for status in ("", None, "BOOK", 1, True, [], {})))

    def test_half_of_the_fields(self):
        for key in ("status", "booking_date", "amount", "currency"):
            del self.proxy.book(f"B{key}", "1.00")[key]
        self.assertEqual(self.assert_only_the_good_one().parked, 4)

    def test_values_that_are_not_transactions(self):
        garbage = [None, "text", 7, 0.5, True, [], [[]], {}, {"a": "b"}]
        self.proxy.transactions["A1"] += garbage
        self.assertEqual(self.assert_only_the_good_one().parked, len(garbage))

    def test_the_reason_names_what_is_wrong_and_is_short(self):
        self.proxy.book("B1", "1.00")["amount"] = HUGE
        run = self.assert_only_the_good_one()
        self.assertIn("amount", run.parked_text)
        self.assertLess(len(run.parked_text), 300)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestOddTransactions(BadInputCommon):
    """What is odd but can be read becomes a line, without what a database or a browser would choke on."""

    def line_of(self, **values):
        self.proxy.transactions["A1"].clear()
        self.proxy.book("T1", "1.00").update(values)
        run = self.synchronize(self.link)
        self.env.flush_all()
        self.assertEqual((run.state, run.parked), ("done", 0))
        return self.lines()

    def test_unknown_keys(self):
        line = self.line_of(invented_tomorrow={"a": [1, 2, {"b": None}]}, **{"": "", "\x00": "\x00", "ключ": 1})
        self.assertEqual(line.amount, 1)

    def test_texts_of_megabytes(self):
        line = self.line_of(remittance=[HUGE, HUGE], counterparty={"name": HUGE, "account_number": HUGE}, raw=HUGE)
        self.assertLess(len(line.payment_ref), 3000)
        self.assertLess(len(str(line.transaction_details)), 50_000)

    def test_control_characters_and_zero_bytes(self):
        line = self.line_of(
            remittance=["a\x00b\x1bc\r\nd\x7f"], counterparty={"name": "\x00\x00"}, end_to_end_id="\x00"
        )
        self.assertEqual((line.payment_ref, line.partner_name, line.ref), ("a b c d", False, False))

    def test_halves_of_characters(self):
        line = self.line_of(remittance=["left \ud83d right"], raw={"\udc80": "\udc80"})
        self.assertEqual(line.payment_ref, "left right")

    def test_marks_that_turn_the_reading_order(self):
        line = self.line_of(remittance=["Invoice \u202e24\u202c \u200f\u2067x"])
        self.assertEqual(line.payment_ref, "Invoice 24 x")

    def test_emoji_stay_whole(self):
        line = self.line_of(remittance=["🍕 for 👩\u200d👩\u200d👧"])
        self.assertEqual(line.payment_ref, "🍕 for 👩\u200d👩\u200d👧")

    def test_right_to_left_writing_stays(self):
        self.assertEqual(self.line_of(remittance=["فاتورة 42"]).payment_ref, "فاتورة 42")

    def test_endless_nesting(self):
        line = self.line_of(raw=nested(150), counterparty=nested(150), remittance=[nested(150)])
        self.assertEqual(line.payment_ref, "/")

    def test_texts_of_the_wrong_type(self):
        line = self.line_of(
            remittance=42, counterparty=["Azure"], creditor_reference={"a": 1}, value_date=[], pending_id=7
        )
        self.assertEqual((line.payment_ref, line.partner_name, line.ref), ("42", False, False))

    def test_a_foreign_amount_that_is_a_word_is_parked_and_not_dropped(self):
        self.proxy.book("T1", "1.00", foreign_amount="some", foreign_currency="GBP")
        self.assertEqual(self.assert_only_the_good_one().parked, 1)

    def test_an_id_of_the_wrong_type(self):
        self.assertEqual(self.line_of(id=12345).online_transaction_identifier, "12345")

    def test_an_id_of_megabytes(self):
        self.line_of(id=HUGE)
        self.synchronize(self.link)
        self.assertEqual(len(self.lines()), 1)

    def test_a_pending_one_of_garbage_is_shown_or_parked(self):
        self.proxy.book("P1", "-1.00", status="pending").update(booking_date=None, remittance={"a": 1}, id=[])
        self.proxy.book("P2", "a lot", status="pending", currency=None)
        self.assert_only_the_good_one()
        self.assertEqual(set(self.beside().mapped("state")), {"pending", "parked"})


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestBadAnswers(BadInputCommon):
    """An answer that is none is an error in a sentence; nothing moves on, and the next run has it all."""

    def answer(self, operation, answer):
        """The connection service gives this answer.

        :return: the run
        """
        self.proxy.raw_answers[operation] = answer
        run = self.synchronize(self.link)
        self.env.flush_all()
        self.proxy.raw_answers.clear()
        return run

    def assert_nothing_is_lost(self, run):
        self.assertEqual(run.state, "failed")
        self.assertTrue(run.error_message)
        self.assertFalse(self.lines() or self.account.last_sync)
        self.assert_only_the_good_one()

    def test_answers_that_are_no_objects(self):
        for answer in (None, [], "text", 7, 0.5, True, [{}], float("nan")):
            for operation in ("connections.refresh", "accounts.list", "transactions.list"):
                with self.subTest(operation=operation, answer=answer):
                    run = self.answer(operation, answer)
                    self.assertEqual((run.state, run.error_code), ("failed", "unexpected_answer"))
        self.assert_nothing_is_lost(run)

    def test_objects_without_what_was_requested(self):
        for answer in ({}, {"transactions": None}, {"transactions": {}}, {"transactions": "none"}, {"transactions": 0}):
            with self.subTest(answer=answer):
                run = self.answer("transactions.list", answer)
                self.assertEqual(run.error_code, "unexpected_answer")
        self.assert_nothing_is_lost(run)

    def test_numbers_of_thousands_of_digits(self):
        for operation in ("connections.refresh", "accounts.list", "transactions.list"):
            with self.subTest(operation):
                self.assertEqual(self.answer(operation, {"state": "done", "n": 10**5000}).state, "failed")

    def test_nesting_without_end(self):
        for depth in (450, 5000):
            for operation in ("connections.refresh", "accounts.list"):
                with self.subTest(operation=operation, depth=depth):
                    self.answer(operation, {"state": "done", "accounts": [nested(depth)], "more": nested(depth)})
        self.assert_only_the_good_one()

    def test_a_next_page_that_cannot_be_requested(self):
        for cursor in (7, 0.5, True, [], {}, "", None):
            with self.subTest(cursor=cursor):
                run = self.answer("transactions.list", {"transactions": [], "has_more": True, "next_cursor": cursor})
                self.assertIn("does not end", run.error_message)
        self.assert_nothing_is_lost(run)

    def test_a_bookmark_that_cannot_be_used_is_not_used(self):
        for cursor in (7, [], {}, True):
            self.answer("transactions.list", {"transactions": [], "has_more": False, "next_cursor": cursor})
            self.assertFalse(self.account.sync_cursor)
        self.synchronize(self.link)
        self.assertNotIn("cursor", self.proxy.requests[-1][1])

    def test_withdrawn_ids_of_wrong_types(self):
        for removed in (None, 7, "GOOD", True, {"GOOD": 1}, [None, 7, [], {}, ["GOOD"]]):
            with self.subTest(removed=removed):
                page = {**self.proxy._page({"account_id": "A1"}), "removed_ids": removed}
                self.assertEqual(self.answer("transactions.list", page).state, "done")
        self.assert_only_the_good_one()

    def test_a_moment_that_is_none(self):
        for moment in ("soon", 7, [], {}, "0001-01-01", HUGE, float("nan")):
            with self.subTest(moment=str(moment)[:20]):
                self.assertEqual(
                    self.answer("connections.refresh", {"state": "done", "refreshed_at": moment}).state, "done"
                )

    def test_a_clock_that_is_years_ahead_leaves_no_years_out(self):
        self.answer("connections.refresh", {"state": "done", "refreshed_at": "2199-01-01T00:00:00Z"})
        self.assertEqual(self.account.last_sync, DAY)
        self.proxy.book("NEXT", "1.00")
        self.synchronize(self.link)
        self.assertEqual(len(self.lines()), 2)

    def test_a_page_to_open_without_a_valid_address(self):
        for page in (None, 7, [], {}):
            run = self.answer("connections.refresh", {"state": "challenge", "page_url": page})
            self.assertEqual(run.error_code, "challenge_required")


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestBadErrors(BadInputCommon):
    """Even an error message may be malformed."""

    def fail(self, error):
        self.proxy.failures["connections.refresh"] = error
        run = self.synchronize(self.link)
        self.env.flush_all()
        self.assertEqual(run.state, "failed")
        return run

    def test_a_time_to_wait_that_is_none_is_the_usual_one(self):
        for wait in ("an hour", "60", None, -5, 0, True, [], {}, float("nan"), float("inf")):
            with self.subTest(wait=wait):
                self.link.failure_count = 0
                self.fail({"code": "rate_limited", "message": "Wait.", "action": "retry", "retry_after": wait})
                self.assertEqual(str(self.link.next_refresh), "2026-05-20 10:05:00")

    def test_waiting_times_of_years_are_limited(self):
        self.fail({"code": "rate_limited", "message": "Wait.", "action": "retry", "retry_after": 10**12})
        self.assertEqual(self.link.next_refresh.date(), date(2026, 5, 27))

    def test_an_error_that_is_only_a_text(self):
        self.assertEqual(self.fail("It is late.").error_message, "It is late.")

    def test_an_error_without_words(self):
        for error in ({"code": "x"}, [1], 7, True, {"message": None, "code": None, "x": 1}):
            self.assertTrue(self.fail(error).error_message)

    def test_an_error_of_the_wrong_types(self):
        self.fail({"code": ["a"], "message": {"b": 1}, "reference": 7, "action": ["retry"]})
        self.assertEqual(self.link.error_action, "contact_support")

    def test_an_error_with_zero_bytes_and_halves_of_characters(self):
        run = self.fail({"code": "x\x00", "message": "Bad\x00 \ud83d", "reference": "\x00", "action": "retry"})
        self.assertIn("Bad", run.error_message)

    def test_an_error_of_megabytes(self):
        self.assertLess(len(self.fail({"code": "x", "message": HUGE, "reference": HUGE}).error_message), 3000)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestBadAccounts(BadInputCommon):
    """Accounts that can't be read hide none that can."""

    def test_accounts_without_an_id_or_that_are_none(self):
        for garbage in (None, [], "A2", 7, {}, {"id": None}, {"id": 7}, {"id": ""}, {"id": []}, {"name": "No id"}):
            self.proxy.accounts[str(garbage)] = garbage
        self.assert_only_the_good_one()
        self.assertEqual(len(self.link.account_online_account_ids), 1)

    def test_a_new_account_whose_words_are_none_of_ours(self):
        for number, value in enumerate(([], {}, [["EUR"]], {"a": 1}, 7, True, "\x00", "\ud83d", HUGE)):
            self.proxy.accounts[f"B{number}"] = {
                "id": f"B{number}",
                **dict.fromkeys(("name", "number", "currency", "type", "balance", "balance_at", "id_scheme"), value),
            }
        self.assert_only_the_good_one()
        self.link.action_fetch_accounts()

    def test_a_known_account_whose_words_are_none_of_ours(self):
        for value in ([], {}, [["EUR"]], {"a": 1}, 7, True, "\x00", "\ud83d", HUGE):
            with self.subTest(value=str(value)[:20]):
                self.proxy.accounts["A1"].update(number=value, type=value, id_scheme=value, balance_at=value)
                self.assert_only_the_good_one()

    def test_a_balance_that_is_a_word_leaves_the_last_one_with_its_moment(self):
        self.synchronize(self.link)
        before = (self.account.balance, self.account.balance_at)
        for balance in ("plenty", None, [], {}, True, 7.5, float("nan"), "1e400", "9" * 30):
            self.proxy.accounts["A1"].update(balance=balance, balance_at="2026-05-20T09:00:00Z")
            self.assert_only_the_good_one()
            self.assertEqual((self.account.balance, self.account.balance_at), before)

    def test_one_account_twice_in_the_answer_is_one(self):
        self.proxy.accounts["again"] = dict(self.proxy.accounts["A1"])
        self.assert_only_the_good_one()
        self.assertEqual(len(self.link.account_online_account_ids), 1)


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestMany(BadInputCommon):
    """A hundred thousand transactions in one answer are no reason to hang."""

    def test_a_hundred_thousand_repeats_and_old_ones(self):
        self.synchronize(self.link)
        self.proxy.page_size = 200_000
        messages = self.proxy.transactions["A1"]
        messages += [messages[0]] * 49_990
        messages += [{**messages[0], "id": f"OLD{number}", "booking_date": "2026-01-01"} for number in range(50_000)]
        for number in range(9):
            self.proxy.book(f"NEW{number}", "1.00")
        page = {"transactions": messages, "removed_ids": [], "has_more": False, "next_cursor": None}
        self.proxy._page = lambda payload: page
        begin = time.monotonic()
        run = self.synchronize(self.link)
        self.assertEqual((run.state, run.fetched, run.imported), ("done", 100_000, 9))
        self.assertEqual(run.skipped_before_start, 50_000)
        self.assertLess(time.monotonic() - begin, 300)
