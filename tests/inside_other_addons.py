"""First loads beside other addons. Runs inside Odoo's shell, which gives ``env``, not outside."""

import random
import runpy
import time
from datetime import date, timedelta
from pathlib import Path

from odoo.addons.account_online_synchronization.books.writer import BULK
from odoo.addons.account_online_synchronization.books.writer.bulk import Bulk
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form

HERE = Path(__file__).parent
LINE = "account.bank.statement.line"
SlowBank = runpy.run_path(str(HERE / "slow_bank.py"))["SlowBank"]
STORED_ROWS = HERE.parent / "account_online_synchronization" / "tests" / "stored_rows.py"
read_rows = runpy.run_path(str(STORED_ROWS))["read_rows"]


class Bank(SlowBank):
    """One of its transactions pays an invoice.

    :param invoice: ``account.move``
    """

    def __init__(self, invoice, known):
        super().__init__(known=known)
        self.invoice = invoice

    def _transaction(self, connection_id, number):
        answer = super()._transaction(connection_id, number)
        if number == self.known // 2:
            answer.update(remittance=[self.invoice.name], amount=f"{self.invoice.amount_total:.2f}")
        return answer


def open_invoice(env):
    invoice = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": env["res.partner"].create({"name": "Customer"}).id,
            "invoice_date": date.today() - timedelta(days=20),
            "invoice_line_ids": [Command.create({"name": "Work", "quantity": 1, "price_unit": 123.45, "tax_ids": []})],
        }
    )
    invoice.action_post()
    return invoice


def first_load(env, count):
    """Load transactions by a synchronization, then create the same lines through the ORM in another journal.

    :return: dict with ``reason``, and for each way ``(seconds, lines, states of all that was paid)``
    """
    invoice = open_invoice(env)
    bank = Bank(invoice, known=count)
    bank.connect(env)
    proxy_link = {"id": "L1", "institution": {"name": "Bank"}}
    link = env["account.online.link"]._create_from_proxy(proxy_link, [bank.account("L1")], env.company)
    journal, other = env["account.journal"].create([{"name": n, "type": "bank", "code": n} for n in ("QA", "QB")])
    link.account_online_account_ids._link_journal(journal, start_date=date.today() - timedelta(days=15))
    env.flush_all()
    started = time.monotonic()
    link._synchronize(user_present=False)
    env.flush_all()
    fast = _outcome(env, started, journal, invoice)

    second = open_invoice(env)
    values = [
        {
            "journal_id": other.id,
            "date": line.date,
            "amount": line.amount,
            "payment_ref": second.name if line.payment_ref == invoice.name else line.payment_ref,
            "partner_name": line.partner_name,
        }
        for line in env[LINE].search([("journal_id", "=", journal.id)])
    ]
    env.flush_all()
    started = time.monotonic()
    env[LINE].create(values)
    env.flush_all()
    run = env["account.online.run"].search([("account_online_link_id", "=", link.id)], limit=1, order="id desc")
    return {"reason": run.one_by_one_reason, "fast": fast, "odoo": _outcome(env, started, other, second)}


def _outcome(env, started, journal, invoice):
    seconds = time.monotonic() - started
    lines = env[LINE].search([("journal_id", "=", journal.id)])
    paying = lines.filtered(lambda line: line.is_reconciled)
    return {
        "seconds": seconds,
        "lines": len(lines),
        "prepared": len(lines.filtered("reconcile_data")) if "reconcile_data" in lines else 0,
        "paid": [invoice.payment_state, invoice.amount_residual, paying.mapped("payment_ref") == [invoice.name]],
    }


def ways_on(env):
    """:return: where the card of a journal, and an open line of it, lead beside an addon that reconciles"""
    line = env[LINE].search([("online_state", "=", "open")], limit=1)
    one, all_open = line.action_reconcile(), line.journal_id._get_reconciliation_action()
    return {
        "card": line.journal_id.open_action()["xml_id"],
        "is_offered": line.online_can_reconcile,
        "shows_the_line": [one["xml_id"], env[LINE].search(one["domain"]) == line, one["context"]["view_ref"]],
        "shows_open_ones": [all_open["xml_id"], all_open["context"]["search_default_not_reconciled"]],
    }


def books_of_both(env):
    """Invoices, the lines that pay them, and a line that nothing is known about.

    :return: dict with ids
    """
    journal = env["account.journal"].search([("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1)
    invoices = [open_invoice(env), open_invoice(env)]
    # Why in the middle of a sentence: the other addon books what is nothing but the number.
    labels = [*(f"We pay {invoice.name}, many thanks" for invoice in invoices), "Thank you"]
    lines = env[LINE].create(
        [
            {"journal_id": journal.id, "date": date.today(), "amount": amount, "payment_ref": label}
            for amount, label in zip((123.45, 123.45, 5), labels, strict=True)
        ]
    )
    journal.action_find_counterparts()
    env.cr.commit()
    return {"journal": journal.id, "invoices": [invoice.id for invoice in invoices], "lines": lines.ids}


def oca_sees_what_ours_books(env, books):
    line, invoice = env[LINE].browse(books["lines"][0]), env["account.move"].browse(books["invoices"][0])
    decision = line.reconcile_read()["decision"]
    line.reconcile_accept(decision["id"])
    kinds = {one["kind"] for one in line.reconcile_data_info["data"] if one["kind"] == "other"}
    answer = {"booked": [line.is_reconciled, invoice.payment_state, "manual" if kinds == {"other"} else str(kinds)]}
    line.unreconcile_bank_line()
    answer["opened_by_oca"] = [line.is_reconciled, invoice.payment_state]
    line.reconcile_read()
    answer["our_trail"] = env["account.reconcile.decision"].browse(decision["id"]).state
    line.journal_id.action_find_counterparts()
    answer["proposed_again"] = bool(line.reconcile_read()["decision"])
    env.cr.commit()
    return answer


def ours_sees_what_oca_books(env, books):
    line, invoice = env[LINE].browse(books["lines"][1]), env["account.move"].browse(books["invoices"][1])
    decision = line.reconcile_read()["decision"]
    item = invoice.line_ids.filtered(lambda item: item.account_type == "asset_receivable")
    view = "account_reconcile_oca.bank_statement_line_form_reconcile_view"
    with Form(line, view) as form:
        form.add_account_move_line_id = item
    line.reconcile_bank_line()
    answer = {"booked": [line.is_reconciled, invoice.payment_state]}
    try:
        line.reconcile_accept(decision["id"])
        answer["accepting"] = "booked once more"
    except UserError:
        answer["accepting"] = "refused"
    journal = line.journal_id
    journal.action_reconcile_dry_run()
    journal.reconcile_automatically = True
    journal.action_find_counterparts()
    shown = line.reconcile_read()
    answer["our_screen"] = [shown["is_open"], shown["decision"], len(shown["items"])]
    decisions = env["account.reconcile.decision"]
    answer["our_proposals"] = decisions.search_count(
        [("statement_line_id", "=", line.id), ("state", "in", ("proposed", "booked"))]
    )
    partials = item.matched_debit_ids + item.matched_credit_ids
    answer["booked_again"] = [len(partials), len(line._seek_for_lines()[2])]
    env.cr.commit()
    return answer


def payment_of_an_invoice(env, books):
    """An open line that ours has a proposal for.

    :return: dict with ids, and with what users see of them
    """
    journal, invoice = env["account.journal"].browse(books["journal"]), open_invoice(env)
    journal.reconcile_automatically = False
    label = f"We pay {invoice.name}, many thanks"
    line = env[LINE].create(
        {"journal_id": journal.id, "date": date.today(), "amount": invoice.amount_total, "payment_ref": label}
    )
    journal.action_find_counterparts()
    proposal = line.reconcile_read()["decision"]
    env.cr.commit()
    names = {"card": journal.name, "label": label, "name": invoice.name}
    return {**names, "line": line.id, "invoice": invoice.id, "is_proposed": bool(proposal)}


def outcome(env, payment):
    """:return: what has become of the line, and of the invoice that it pays"""
    line, invoice = env[LINE].browse(payment["line"]), env["account.move"].browse(payment["invoice"])
    item = invoice.line_ids.filtered(lambda item: item.account_type == "asset_receivable")
    partials = item.matched_debit_ids + item.matched_credit_ids
    return {"booked": [line.is_reconciled, invoice.payment_state], "times": len(partials)}


def differences(env, count):
    """Create the same lines through the writer and through the ORM, and take them back.

    :return: dict with ``reason`` and ``differences``, a list of (table, row, column, Odoo's value, the writer's)
    """
    chance = random.Random(1)
    partners = env["res.partner"].create([{"name": f"Partner {number}"} for number in range(5)])
    journal = env["account.journal"].create({"name": "Bank", "type": "bank", "code": "QD"})
    values = [
        {
            "journal_id": journal.id,
            "date": date(2026, 1, 20) + timedelta(number),
            "amount": round(chance.uniform(-500, 500), 2),
            "payment_ref": f"Line {number}",
            "ref": chance.choice([False, "R1"]),
            "partner_id": chance.choice([False, *partners.ids]),
        }
        for number in range(count)
    ]
    writer = Bulk()
    expected = _stored(env, env[LINE], values)
    found = _stored(env, env[LINE].with_context(**{BULK: writer}), values)
    different = [
        (table, number, name, str(row[name]), str(other[name]))
        for table in expected
        for number, (row, other) in enumerate(zip(expected[table], found[table], strict=True))
        for name in row
        if row[name] != other[name]
    ]
    return {"reason": writer.reason, "differences": different}


def _stored(env, model, values):
    with env.cr.savepoint() as savepoint:
        rows = read_rows(model.create([dict(one) for one in values]))
        savepoint.rollback()
    return rows
