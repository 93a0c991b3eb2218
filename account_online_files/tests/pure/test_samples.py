"""The files that a newcomer drops on the card of the demonstration."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from odoo.addons.bank_statement_formats import formats

SAMPLES = Path(__file__).parents[3] / "scripts" / "samples"
IBAN = "DE02500105170137075030"


def read(path):
    with path.open("rb") as stream:
        for statement in formats.read(stream, path.name):
            yield path.name, statement, list(statement.transactions)


def test_samples_are_four_months_of_one_account_that_follow_each_other():
    found = [one for path in sorted(SAMPLES.glob("[0-9]*")) for one in read(path)]
    assert [name for name, _statement, _rows in found] == [
        "1-march-camt053.xml",
        "2-april-mt940.sta",
        "3-may.ofx",
        "4-june.csv",
    ]
    balance = Decimal("12500.00")
    for name, statement, rows in found:
        assert statement.number == IBAN, name
        assert statement.warnings == [], name
        assert all("problem" not in row for row in rows), name
        assert all(date.fromisoformat(row["booking_date"]) < date(2025, 7, 1) for row in rows), name
        if statement.opening:
            assert statement.opening.amount == balance, name
        balance += sum(Decimal(row["amount"]) for row in rows)
        assert statement.closing.amount == balance, name
