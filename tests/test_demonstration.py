"""What scripts/run shows when the browser opens: paid invoices, bookings with reasons, a rest to do by hand."""

import pytest

from environment import demonstration

from .conftest import a_copy_of_the_template

FIGURES = """
decisions = env["account.reconcile.decision"].search([])
lines = env["account.bank.statement.line"].search([])
documents = env["account.move"].search([("move_type", "in", ("out_invoice", "in_invoice")), ("state", "=", "posted")])
journal = env["account.journal"].search([("reconcile_automatically", "=", True)])
result = {
    "documents": len(documents),
    "paid": len(documents.filtered(lambda move: move.payment_state == "paid")),
    "partly paid": len(documents.filtered(lambda move: move.payment_state == "partial")),
    "lines": len(lines.filtered(lambda line: line.journal_id == journal)),
    "open": len(lines.filtered(lambda line: line.journal_id == journal and not line.is_reconciled)),
    "automatic": len(decisions.filtered(lambda one: one.state == "booked" and one.is_automatic)),
    "by hand": len(decisions.filtered(lambda one: one.state == "booked" and one.booked_by_id)),
    "proposed": len(decisions.filtered(lambda one: one.state == "proposed")),
    "steps": sorted(set(decisions.filtered(lambda one: one.state == "booked").mapped("step"))),
    "dry run": [journal.reconcile_dry_run_total, journal.reconcile_dry_run_alike, journal.reconcile_dry_run_different],
}
"""
#: What each payment of the bank really pays, beside what its line was booked against.
BOOKED = """
from datetime import date, timedelta
from odoo.addons.bank_sync_proxy.providers.sandbox_bank import Ledger
from odoo.addons.bank_sync_proxy.providers.sandbox_invoices import USER, payment_of
from odoo.addons.bank_sync_proxy.providers.sandbox_texts import transaction_id

ledger, today = Ledger("demo", "current", USER), date.today()
truth = {}
for movement in ledger.movements(today - timedelta(days=150), today):
    payment = payment_of(ledger, movement)
    truth[transaction_id(ledger, movement)] = sorted(one.number for one in payment.documents) if payment else []
result = []
for line in env["account.bank.statement.line"].search([("is_reconciled", "=", True)]):
    items = line.line_ids.matched_debit_ids.debit_move_id + line.line_ids.matched_credit_ids.credit_move_id
    moves = items.move_id.filtered(lambda move: move.is_invoice())
    numbers = sorted(move.ref if move.move_type == "in_invoice" else move.name for move in moves)
    expected = truth.get(line.online_transaction_identifier, [])
    result.append([line.payment_ref, numbers, expected])
"""
FILES = """
import base64
from pathlib import Path
journal = env["account.journal"].search([("name", "=", "Bank (files)")])
samples = sorted(Path(SAMPLES).glob("[0-9]*"))
uploads = env["ir.attachment"].create(
    [{"name": path.name, "datas": base64.b64encode(path.read_bytes())} for path in samples]
)
action = journal.with_context(default_journal_id=journal.id).create_document_from_attachment(uploads.ids)
wizard = env["account.online.file.import"].browse(action["res_id"])
wizard.action_import()
account = journal.account_online_account_id
result = [wizard.summary, len(account.file_ids), account.balance, account.file_holes or []]
"""
BOOKINGS = """
decisions = env["account.reconcile.decision"].search([("state", "=", "booked")], order="id")
result = [[decision.id, line] for decision in decisions for line in decision.booked_items]
"""


@pytest.fixture(scope="module")
def started():
    """A database as scripts/run fills it."""
    with a_copy_of_the_template() as copy:
        copy.start()
        demonstration.fill(copy.name, copy.port)
        yield copy


@pytest.fixture(scope="module")
def figures(started):
    return started.shell(FIGURES)


def test_most_invoices_and_bills_are_paid(figures):
    assert figures["documents"] > 100
    assert figures["paid"] > 0.6 * figures["documents"]


def test_most_lines_are_booked_and_some_are_left_to_do(figures):
    assert figures["automatic"] > 50
    assert 20 < figures["open"] < 0.5 * figures["lines"]
    assert figures["proposed"] > 5


def test_lines_are_booked_by_every_kind_of_evidence(figures):
    assert set(figures["steps"]) >= {"reference", "document", "transfer", "rule"}


def test_the_dry_run_had_something_to_compare_with(figures):
    total, alike, different = figures["dry run"]
    assert figures["by hand"] >= total > 20
    assert alike > 0.9 * total
    assert not different


def test_every_booked_line_settles_what_its_payment_really_pays(started):
    booked = started.shell(BOOKED)
    assert len([numbers for _label, numbers, _expected in booked if numbers]) > 80
    wrong = [one for one in booked if one[1] != one[2]]
    assert not wrong


def test_the_sample_files_fill_the_journal_for_files_without_a_question(started):
    summary, files, balance, holes = started.shell(f"SAMPLES = {str(demonstration.SAMPLES)!r}\n{FILES}")
    assert summary == "32 new transactions can be imported."
    assert (files, balance, holes) == (4, 18891.56, [])


def test_starting_again_books_no_line_twice_and_undoes_nothing(started):
    before = started.shell(BOOKINGS)
    demonstration.fill(started.name, started.port)
    after = started.shell(BOOKINGS)
    # Why not equal: the hour may have brought a payment.
    assert after[: len(before)] == before
    lines = [line for _decision, line in after]
    assert len(lines) == len(set(lines))
