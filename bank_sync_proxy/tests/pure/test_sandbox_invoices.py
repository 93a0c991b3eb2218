"""The Demo Bank's payments and the documents that they pay fit each other."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from bank_sync_proxy.providers import sandbox_texts
from bank_sync_proxy.providers.sandbox_bank import Ledger
from bank_sync_proxy.providers.sandbox_invoices import CHARGES, CUSTOMER_FORMS, USER, payment_of

LEDGER = Ledger("demo", "current", USER)
FIRST, LAST = date(2025, 10, 1), date(2026, 9, 30)
LATE = 10**6


@pytest.fixture(scope="module")
def paid():
    """(movement, payment, transaction) of a year, of what pays a document or seems to."""
    found = [(movement, payment_of(LEDGER, movement)) for movement in LEDGER.movements(FIRST, LAST)]
    return [
        (movement, payment, sandbox_texts.describe(LEDGER, movement, LATE)) for movement, payment in found if payment
    ]


def test_a_year_has_each_way_to_pay(paid):
    forms = Counter(payment.form for movement, payment, _transaction in paid if movement.kind == "customer")
    assert set(forms) == {"reference", *(form for _most, form in CUSTOMER_FORMS)}
    assert forms["unknown"] < len(paid) / 10, "most payments pay something"


def test_documents_add_up_to_their_payment(paid):
    for movement, payment, _transaction in paid:
        total = sum(document.cents for document in payment.documents)
        expected = {
            "part": 2 * movement.cents,
            "charges": movement.cents + CHARGES,
            "unknown": 0,
        }.get(payment.form, movement.cents)
        if payment.form == "discount":
            total = int((Decimal(total) * Decimal("0.98")).quantize(Decimal(1)))
        assert total == expected, payment


def test_documents_come_before_their_payment(paid):
    for movement, payment, _transaction in paid:
        assert all(document.issued < movement.day for document in payment.documents)


def test_invoices_are_numbered_without_gaps_in_the_order_of_their_dates(paid):
    invoices = {
        (document.issued.year, int(document.number.rsplit("/", 1)[1])): document.issued
        for movement, payment, _transaction in paid
        if movement.kind == "customer"
        for document in payment.documents
    }
    settled = [key for key, issued in sorted(invoices.items()) if FIRST < issued < LAST - timedelta(days=31)]
    for (year, serial), after in pairwise(settled):
        assert after in ((year, serial + 1), (year + 1, 1))
        assert invoices[year, serial] <= invoices[after]


def test_a_payment_names_its_invoices_unless_it_is_silent(paid):
    for movement, payment, transaction in paid:
        text = " ".join(transaction.remittance)
        if movement.kind != "customer" or payment.form in ("silent", "unknown"):
            continue
        for document in payment.documents:
            serial = str(int(document.number.rsplit("/", 1)[1]))
            assert document.reference in text if payment.form == "reference" else serial in text


def test_a_direct_debit_names_no_bill(paid):
    debits = [(payment, transaction) for movement, payment, transaction in paid if payment.form == "debit"]
    assert debits
    for payment, transaction in debits:
        assert payment.documents[0].number not in " ".join(transaction.remittance)


def test_other_users_payments_pay_no_documents():
    other = LEDGER._replace(user="demo")
    assert not any(payment_of(other, movement) for movement in other.movements(FIRST, LAST))
