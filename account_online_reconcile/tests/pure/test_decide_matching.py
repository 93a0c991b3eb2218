"""The whole decision: steps, what is certain, and what keeps it from being booked."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from account_online_reconcile.matching.decide import Books, decide
from account_online_reconcile.matching.facts import EVERYTHING, STEPS, Batch, Line, OpenItem, Payment, Policy
from account_online_reconcile.matching.memory import Booking
from account_online_reconcile.matching.reasons import SENTENCES, say
from account_online_reconcile.matching.rules import Rule, RuleLine

DAY = date(2026, 5, 4)
AZURE, GEMINI = 7, 8
INVOICE = OpenItem(
    1, Decimal("121.00"), number="INV/2026/00042", partner=AZURE, name="Azure Interior", accounts=("BE1",)
)


def line(amount="121.00", label="", key=9, **values):
    return Line(key, DAY, Decimal(amount), label=label, **values)


def decided(one, *candidates, policy=EVERYTHING, **books):
    return decide([one], Books(candidates=list(candidates), **books), policy)[one.key]


def summary(decision):
    return decision.kind, decision.step, [one.key for one in decision.counterparts]


def codes(decision):
    return {reason.code for reason in decision.reasons}


# -------------------------------------------------------------------------------------------------
# Reference
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label", ["Payment INV/2026/0042".replace("0042", "00042"), "inv 2026 42 thank you", "INV202600042"]
)
def test_a_number_and_the_amount_are_booked(label):
    assert summary(decided(line(label=label), INVOICE)) == ("automatic", "reference", [1])


def test_a_structured_reference_and_the_amount_are_booked_for_any_payer():
    invoice = replace(INVOICE, references=("+++010/8068/17183+++",))
    payment = line(label="***010/8068/17183***", name="Somebody Else")
    assert summary(decided(payment, invoice)) == ("automatic", "reference", [1])


def test_a_reference_with_another_amount_is_proposed():
    decision = decided(line("100.00", "INV/2026/00042"), INVOICE)
    assert summary(decision) == ("proposal", "reference", [1])
    assert "part" in codes(decision)


def test_two_invoices_of_one_reference_are_distinguished_by_the_amount():
    items = [
        replace(INVOICE, key=key, amount=Decimal(key), references=("CUST/97",), number=f"INV/{key}") for key in (5, 6)
    ]
    assert summary(decided(line("6", "CUST/97"), *items)) == ("automatic", "reference", [6])


def test_two_invoices_of_one_reference_and_amount_are_ambiguous():
    items = [replace(INVOICE, key=key, references=("CUST/97",), number=f"INV/2026/0000{key}") for key in (5, 6)]
    decision = decided(line(label="CUST/97"), *items)
    assert decision.kind == "proposal"
    assert "ambiguous" in codes(decision)
    assert decision.alternatives


def test_the_same_number_of_two_suppliers_is_distinguished_by_the_partner():
    bills = [
        OpenItem(key, Decimal("-50"), references=("2026-118",), partner=key, name=f"Supplier {key}") for key in (3, 4)
    ]
    assert summary(decided(line("-50", "2026-118", partner=4), *bills)) == ("automatic", "reference", [4])


def test_an_invoice_that_is_named_and_not_paid_makes_it_a_question():
    other = replace(INVOICE, key=2, number="INV/2026/00043", amount=Decimal("60"))
    decision = decided(line(label="INV/2026/00042 + INV/2026/00043"), INVOICE, other)
    assert decision.kind == "proposal"


def test_a_wrong_digit_that_names_another_customers_invoice_is_not_booked():
    mine = replace(INVOICE, key=2, number="INV/2026/00043", partner=GEMINI, name="Gemini", accounts=("BE2",))
    decision = decided(line(label="INV/2026/00042", account="BE2"), INVOICE, mine)
    assert decision.kind == "proposal"
    assert "partner_has_one_too" in codes(decision)


def test_an_end_to_end_id_leads_to_its_batch():
    batch = Batch(3, Decimal("-300"), number="BATCH/2026/0003", end_to_end="B3-2026")
    assert summary(decided(line("-300", end_to_end="b3-2026"), batch)) == ("automatic", "reference", [3])


def test_a_return_is_led_to_the_payment_that_comes_back():
    paid = Payment(3, Decimal("80"), number="PAY00003", end_to_end="E2E-3", is_settled=True, partner=AZURE)
    decision = decided(line("-80", "RETURN MD06", end_to_end="E2E-3"), paid)
    assert summary(decision) == ("proposal", "reference", [3])
    assert codes(decision) == {"returned"}


SETTLED = Payment(
    3, Decimal("80"), number="BNK/2026/00003", references=("INV/2026/00007",), is_settled=True, partner=AZURE
)


def test_a_return_may_name_the_document_that_was_paid():
    decision = decided(line("-80", "Return INV/2026/00007"), SETTLED)
    assert (decision.kind, decision.counterparts[0].kind, decision.counterparts[0].key) == ("proposal", "return", 3)


def test_a_refund_that_names_a_paid_invoice_is_led_to_the_credit_note():
    credit_note = OpenItem(8, Decimal("-80"), number="RINV/2026/00001", partner=AZURE)
    decision = decided(line("-80", "Refund INV/2026/00007", partner=AZURE), SETTLED, credit_note)
    assert summary(decision) == ("proposal", "document", [8])
    assert "names_settled" in codes(decision)


@pytest.mark.parametrize("other", [{"amount": Decimal("81")}, {"currency": "USD"}])
def test_another_amount_or_currency_is_not_a_return(other):
    assert decided(line("-80", "Return INV/2026/00007"), replace(SETTLED, **other)).kind == "none"


def test_one_payment_is_not_returned_twice():
    lines = [line("-80", "Return INV/2026/00007", key=key) for key in (1, 2)]
    decisions = decide(lines, Books(candidates=[SETTLED]), EVERYTHING)
    assert {decision.kind for decision in decisions.values()} == {"proposal"}


def test_a_batch_of_known_payments_is_proposed_as_its_payments():
    payments = [Payment(key, Decimal("-50"), day=DAY, partner=key) for key in (3, 4)]
    batch = Batch(3, Decimal("-100"), payments=(3, 4), day=DAY)
    decision = decided(line("-100", "Collective order"), *payments, batch)
    assert summary(decision) == ("proposal", "document", [3, 4])
    assert {one.kind for one in decision.counterparts} == {"payment"}
    assert codes(decision) == {"batch"}


def test_payments_with_one_end_to_end_id_are_booked_together():
    payments = [Payment(key, Decimal("-50"), partner=key, end_to_end="B7-2026") for key in (3, 4)]
    decision = decided(line("-100", end_to_end="b7-2026"), *payments)
    assert summary(decision) == ("automatic", "reference", [3, 4])


@pytest.mark.parametrize(("account", "kind"), [(656, "automatic"), (None, "proposal")])
def test_the_fee_of_a_payout_needs_an_account(account, kind):
    payout = line("-505", key=1, journal="S", payout="po_1Qx7Yz", fee=Decimal("-5"))
    arrival = line("500", "STRIPE PO1QX7YZ", key=2, journal="B")
    decision = decided(arrival, other_lines=[payout], fee_accounts={"S": account})
    assert summary(decision) == (kind, "transfer", [1])
    assert ("no_fee_account" in codes(decision)) == (account is None)


def test_a_registered_payment_is_what_the_bank_shows_not_its_invoice():
    payment = Payment(3, Decimal("121.00"), partner=AZURE, pays=(1,))
    decision = decided(line(label="INV/2026/00042"), INVOICE, payment)
    assert (decision.kind, decision.counterparts[0].kind) == ("automatic", "payment")


# -------------------------------------------------------------------------------------------------
# Document
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [{"partner": AZURE}, {"account": "be1"}, {"name": "AZURE INTERIOR NV"}])
def test_the_partner_and_the_only_document_of_the_amount_are_booked(who):
    assert summary(decided(line(**who), INVOICE)) == ("automatic", "document", [1])


def test_the_amount_alone_is_never_booked():
    decision = decided(line(name="Somebody"), INVOICE)
    assert summary(decision) == ("proposal", "document", [1])
    assert "amount_only" in codes(decision)


def test_doubts_about_an_amount_do_not_depend_on_the_order_of_the_documents():
    older, newer = (replace(INVOICE, key=key, day=DAY + timedelta(days=days)) for key, days in ((2, -1), (3, 1)))
    assert decided(line(), older, newer) == decided(line(), newer, older)


def test_two_documents_of_the_amount_are_ambiguous():
    decision = decided(line(partner=AZURE), INVOICE, replace(INVOICE, key=2, number="INV/2026/00050"))
    assert (decision.kind, len(decision.alternatives)) == ("proposal", 1)


def test_the_number_of_a_paid_document_keeps_another_one_from_being_booked():
    """The invoice it names is paid: it was paid twice, and the next month's invoice has the same amount."""
    decision = decided(line(label="INV/2026/00017", partner=AZURE), INVOICE)
    assert decision.kind == "proposal"
    assert "names_others" in codes(decision)


def test_an_unknown_structured_reference_prevents_booking():
    invoice = replace(INVOICE, references=("+++010/8068/17183+++",))
    decision = decided(line(label="+++123/4567/89002+++", partner=AZURE), invoice)
    assert decision.kind == "proposal"
    assert "unknown_reference" in codes(decision)


def test_a_document_dated_after_the_payment_is_not_booked_by_its_amount():
    decision = decided(line(partner=AZURE), replace(INVOICE, day=date(2026, 6, 1)))
    assert decision.kind == "proposal"


def test_all_that_is_open_for_the_partner_is_booked():
    other = replace(INVOICE, key=2, number="INV/2026/00043", amount=Decimal("79"))
    assert summary(decided(line("200", partner=AZURE), INVOICE, other)) == ("automatic", "document", [1, 2])


def test_some_of_what_is_open_is_proposed():
    others = [replace(INVOICE, key=key, number=f"INV/2026/0005{key}", amount=Decimal(key)) for key in (2, 3)]
    assert decided(line("5", partner=AZURE), INVOICE, *others).kind == "proposal"


def test_money_that_goes_out_settles_no_invoice():
    assert decided(line("-121.00", "INV/2026/00042", partner=AZURE), INVOICE).kind == "none"


# -------------------------------------------------------------------------------------------------
# Transfer, rule, memory
# -------------------------------------------------------------------------------------------------


def test_a_transfer_between_own_journals_is_booked_and_settles_no_document():
    out, into = line("-121.00", key=1, journal="A", account="BE22"), line(key=2, journal="B", partner=None)
    books = Books(candidates=[INVOICE], accounts={"A": "BE11", "B": "BE22"})
    decisions = decide([out, into], books)
    assert summary(decisions[1]) == ("automatic", "transfer", [2])


FEE = Rule(5, "Fees", is_automatic=True, label="contains", label_value="fee", lines=(RuleLine(account=656),))


def test_an_automated_rule_is_booked():
    assert summary(decided(line("-5", "Account fee"), rules=[FEE])) == ("automatic", "rule", [656])


def test_a_manual_rule_is_proposed():
    assert summary(decided(line("-5", "Account fee"), rules=[replace(FEE, is_automatic=False)])) == (
        "proposal",
        "rule",
        [656],
    )


def test_a_rule_that_leaves_a_rest_is_proposed():
    rule = replace(FEE, lines=(RuleLine(account=656, amount="50"),))
    decision = decided(line("-5", "Account fee"), rules=[rule])
    assert (decision.kind, decision.rest) == ("proposal", Decimal("-2.50"))


def test_a_document_comes_before_a_rule():
    assert decided(line(label="fee INV/2026/00042"), INVOICE, rules=[FEE]).step == "reference"
    assert decided(line(label="fee", partner=AZURE), INVOICE, rules=[FEE]).step == "document"


def test_an_amount_that_happens_to_be_open_does_not_stop_a_rule():
    assert decided(line(label="fee"), INVOICE, rules=[FEE]).step == "rule"


def test_what_was_booked_twice_is_proposed_and_never_booked():
    bookings = [Booking(line("-5", "Spotify", key=key), 620) for key in (1, 2)]
    assert summary(decided(line("-5", "Spotify"), bookings=bookings)) == ("proposal", "memory", [620])


def test_nothing_is_nothing():
    decision = decided(line("-5", "?"))
    assert (decision.kind, decision.step, decision.rest) == ("none", None, Decimal("-5"))


# -------------------------------------------------------------------------------------------------
# Settings, several lines, words
# -------------------------------------------------------------------------------------------------


def test_nothing_is_booked_until_it_is_switched_on():
    decision = decided(line(label="INV/2026/00042"), INVOICE, policy=Policy())
    assert summary(decision) == ("proposal", "reference", [1])
    assert "not_switched_on" in codes(decision)


def test_two_lines_for_one_document_are_booked_for_none():
    lines = [line(label="INV/2026/00042", key=key) for key in (1, 2)]
    decisions = decide(lines, Books(candidates=[INVOICE]))
    assert {decision.kind for decision in decisions.values()} == {"proposal"}
    assert "claimed_twice" in codes(decisions[1])


def test_a_batch_and_one_of_its_payments_are_not_both_booked():
    payment = Payment(3, Decimal("80"), number="PAY/2026/00003", end_to_end="E3")
    batch = Batch(4, Decimal("80"), number="BATCH/2026/00004", end_to_end="B4", payments=(3,))
    lines = [line("80", end_to_end="E3", key=1), line("80", end_to_end="B4", key=2)]
    decisions = decide(lines, Books(candidates=[payment, batch]))
    assert {decision.kind for decision in decisions.values()} == {"proposal"}


def test_every_reason_has_a_sentence():
    import ast
    from pathlib import Path

    used = set()
    for path in (Path(__file__).parents[2] / "matching").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason":
                used |= {one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)}
    used |= {"reference", "end_to_end"}
    assert {code for code in used if isinstance(code, str)} == set(SENTENCES)


def test_a_reason_reads_as_a_sentence():
    decision = decided(line("100.00", "INV/2026/00042"), INVOICE)
    assert [say(reason) for reason in decision.reasons] == [
        "The payment names INV/2026/00042.",
        "The payment is less than what is open: 21.00 EUR would be left open.",
    ]


def test_a_payment_above_the_limit_is_only_proposed():
    invoice = OpenItem(1, Decimal("500.00"), number="INV/2026/00042", partner=7)
    line = Line(9, date(2026, 5, 4), Decimal("500.00"), label="INV/2026/00042")
    for most, kind in ((Decimal("500"), "automatic"), (Decimal("499.99"), "proposal")):
        decision = decide([line], Books(candidates=[invoice]), Policy(steps=frozenset(STEPS), most=most))[9]
        assert decision.kind == kind
    assert decision.reasons[-1].code == "above_limit"


# -------------------------------------------------------------------------------------------------
# A bill of each month
# -------------------------------------------------------------------------------------------------


def bills(*days, **values):
    """Bills of one supplier with one amount; their keys are 1, 2, …"""
    return [
        OpenItem(key, Decimal("-89.90"), number=f"BILL/{key:05}", partner=AZURE, day=day, **values)
        for key, day in enumerate(days, 1)
    ]


def paid_on(*days, **values):
    """Lines that pay such a bill; their keys are 11, 12, …"""
    return [replace(line("-89.90", key=key, **values), day=day) for key, day in enumerate(days, 11)]


def proposed(lines, documents, **options):
    """:return: list of the key of the bill that each line proposes"""
    decisions = decide(lines, Books(candidates=documents), **options)
    assert {decision.kind for decision in decisions.values()} == {"proposal"}
    return [one.key for each in lines for one in decisions[each.key].counterparts]


def months(day, *numbers):
    return [date(2026, number, day) for number in numbers]


def test_among_equal_bills_the_nearest_before_the_payment_is_proposed():
    assert proposed(paid_on(date(2026, 3, 20), partner=AZURE), bills(*months(1, 1, 2, 3, 4))) == [3]


@pytest.mark.parametrize("day", [1, 5, 28])
def test_each_payment_of_a_monthly_bill_proposes_its_own_bill(day):
    lines = paid_on(*months(day, 1, 2, 3), partner=AZURE)
    assert proposed(lines, bills(*months(1, 1, 2, 3))) == [1, 2, 3]


def test_bills_that_are_paid_a_month_later_are_proposed_in_their_order():
    assert proposed(paid_on(*months(3, 2, 3, 4), partner=AZURE), bills(*months(1, 1, 2, 3))) == [1, 2, 3]


def test_payments_and_bills_of_one_day_propose_different_bills():
    lines = paid_on(DAY, DAY, DAY, partner=AZURE)
    assert sorted(proposed(lines, bills(DAY, DAY, DAY))) == [1, 2, 3]


def test_payments_that_name_the_contract_of_all_bills_propose_different_bills():
    lines = paid_on(*months(5, 1, 2, 3), partner=AZURE, label="Contract TEL-2024-4711")
    assert proposed(lines, bills(*months(1, 1, 2, 3), references=("TEL-2024-4711",))) == [1, 2, 3]


def test_payments_without_a_bill_of_their_own_still_propose_one():
    assert proposed(paid_on(*months(5, 1, 2, 3), partner=AZURE), bills(*months(1, 2, 3))) == [1, 1, 2]


def test_a_bill_that_another_line_names_is_proposed_to_no_other():
    naming = replace(line("-50.00", "BILL/00003", key=20), day=date(2026, 3, 6))
    lines = [*paid_on(date(2026, 3, 5), partner=AZURE), naming]
    assert proposed(lines, bills(*months(1, 1, 2, 3))) == [2, 3]


def test_a_bill_that_was_proposed_for_another_line_before_is_not_proposed_again():
    lines = paid_on(date(2026, 3, 5), partner=AZURE)
    assert proposed(lines, bills(*months(1, 1, 2, 3)), taken=[("item", 3)]) == [2]
