"""Texts and amounts that look like something else: none of them is booked without a person."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from account_online_reconcile.matching.decide import Books, decide
from account_online_reconcile.matching.facts import (
    AUTOMATIC,
    PROPOSAL,
    STEPS,
    Charges,
    Line,
    OpenItem,
    Payment,
    Policy,
)

POLICY = Policy(
    steps=frozenset(STEPS), prefixes=frozenset({"INV/2026/", "BILL/2026/05/"}), charges=Charges(Decimal(5), 99)
)


def line(amount="100", label="", key=1, **values):
    return Line(key, date(2026, 5, 20), Decimal(amount), label=label, **values)


def document(number, amount="100", key=1, partner=1, **values):
    return OpenItem(key, Decimal(amount), number=number, partner=partner, day=date(2026, 5, 1), **values)


def decided(lines, documents):
    found = decide(lines, Books(candidates=documents), POLICY)
    return [found[one.key] for one in lines]


def codes(decision):
    return {reason.code for reason in decision.reasons}


INVOICE = document("INV/2026/00042", name="Jan Janssens", accounts=("BE71096123456769",))
TWIN = document("INV/2026/00099", key=2, partner=2)


@pytest.mark.parametrize(
    "text",
    [
        "INV 42/2025",
        "INV/2025/00042",
        "INV/2026/0004",
        "INV/2026/000421",
        "XINV/2026/00042",
        "RINV/2026/00042",
    ],
)
def test_a_number_of_another_document_is_not_ours(text):
    (decision,) = decided([line(label=text)], [INVOICE])
    assert decision.kind != AUTOMATIC


@pytest.mark.parametrize(
    "text",
    [
        "BE71 0000 0042 2026 00042",
        "Tel 32 2026 00042",
        "KD 202600042",
        "INV 42",
        "2026/00042",
        "INV/2026/00042-44",
    ],
)
def test_half_a_number_proves_nothing_where_two_documents_have_the_amount(text):
    (decision,) = decided([line(label=text)], [INVOICE, TWIN])
    assert decision.kind != AUTOMATIC


@pytest.mark.parametrize("text", ["2026-05-12", "12.05.2026 14:33", "20260512", "12052026"])
def test_a_day_is_not_a_document_number(text):
    for reference in ("", "20260512", "12.05.2026", "2026-05-12", "12052026"):
        bill = document("INV/2026/0512", references=(reference,))
        (decision,) = decided([line(label=f"Card {text}")], [bill])
        assert decision.kind != AUTOMATIC


@pytest.mark.parametrize("text", ["Rent May 2026", "Miete Mai 2026", "loyer mai 2026"])
def test_a_month_is_not_a_document_number(text):
    bill = document("BILL/2026/05/0001", "-100", references=("May 2026", "Mai 2026"))
    (decision,) = decided([line("-100", text)], [bill])
    assert decision.kind != AUTOMATIC


def test_a_suppliers_number_does_not_settle_another_suppliers_bill():
    bill = document("BILL/2026/05/0001", "-100", references=("SUP-2026-001",))
    (decision,) = decided([line("-100", "SUP-2026-001", partner=2)], [bill])
    assert (decision.kind, "other_partner" in codes(decision)) == (PROPOSAL, True)


def test_a_number_of_the_company_is_certain_for_any_payer():
    (decision,) = decided([line(label="INV/2026/00042", partner=2)], [INVOICE])
    assert decision.kind == AUTOMATIC


@pytest.mark.parametrize("nothing", ["NOTPROVIDED", "notprovided", "NOT PROVIDED", "NONREF", "0000", "N/A"])
def test_a_placeholder_id_matches_nothing(nothing):
    payment = Payment(5, Decimal("100"), end_to_end=nothing, number="PBNK1/2026/1")
    (decision,) = decided([line(end_to_end=nothing)], [payment])
    assert decision.kind != AUTOMATIC
    assert "end_to_end" not in codes(decision)


def test_a_namesake_with_another_account_is_asked_about_where_others_owe_as_much():
    payer = line(name="Jan Janssens", account="BE02001234567840")
    (decision,) = decided([payer], [INVOICE, TWIN])
    assert (decision.kind, "other_account" in codes(decision)) == (PROPOSAL, True)


def test_what_is_paid_less_charges_is_not_another_document_that_is_paid_in_full():
    (decision,) = decided([line("97", "INV/2026/00042")], [INVOICE, document("INV/2026/00050", "97", key=3)])
    assert (decision.kind, "partner_has_one_too" in codes(decision)) == (PROPOSAL, True)


def test_what_is_paid_in_full_is_not_all_that_is_named_less_charges():
    small = document("INV/2026/00050", "3", key=3, partner=None)
    (decision,) = decided([line("100", "INV/2026/00042 INV/2026/00050")], [replace(INVOICE, partner=None), small])
    assert (decision.kind, [one.key for one in decision.counterparts]) == (PROPOSAL, [INVOICE.key])


def test_documents_that_cancel_out_are_asked_about_where_one_number_names_them_all():
    """Two customers' invoices of one number, and a credit note that refers to it."""
    twin, note = (document("INV/2026/00042", amount, key, partner=None) for key, amount in ((3, "100"), (4, "-100")))
    (decision,) = decided([line("100", "INV/2026/00042")], [INVOICE, twin, note])
    assert (decision.kind, "ambiguous" in codes(decision)) == (PROPOSAL, True)


def test_documents_that_cancel_out_are_booked_where_each_is_named():
    note = document("RINV/2026/00003", "-100", key=4)
    other = document("INV/2026/00050", "30", key=5)
    named = line("30", "INV/2026/00042 RINV/2026/00003 INV/2026/00050")
    (decision,) = decided([named], [INVOICE, note, other])
    assert (decision.kind, len(decision.counterparts)) == (AUTOMATIC, 3)


def test_a_credit_note_that_is_named_is_not_paid_in():
    note = document("RINV/2026/00003", "-100", key=4)
    (decision,) = decided([line(label="RINV/2026/00003", partner=1)], [note, INVOICE])
    assert decision.kind != AUTOMATIC


@pytest.mark.parametrize("amounts", [("100", "100"), ("40", "60"), ("60", "60")])
def test_two_payments_that_name_one_invoice_are_asked_about(amounts):
    lines = [line(amount, "INV/2026/00042", key) for key, amount in enumerate(amounts)]
    assert AUTOMATIC not in {decision.kind for decision in decided(lines, [INVOICE])}


def test_two_invoices_of_one_amount_are_asked_about():
    (decision,) = decided([line(partner=1)], [INVOICE, document("INV/2026/00043", key=3)])
    assert (decision.kind, "ambiguous" in codes(decision)) == (PROPOSAL, True)
