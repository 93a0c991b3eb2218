"""Inside Odoo: what is matched of the labelled lines, and how long many lines take."""

import importlib.util
import statistics
import sys
import time
from itertools import count
from pathlib import Path

import odoo.addons.account_online_reconcile as addon
from odoo import Command, sql_db
from odoo.tools import SQL

from .inside_import import Bank, _synchronization


def _of_the_pure_tests(name):
    """A module of the tests that needs no Odoo. Why by its file: the package of the tests needs that of Odoo."""
    # What it imports is named without odoo.addons.
    sys.modules.setdefault(addon.__name__.removeprefix("odoo.addons."), addon)
    file = Path(addon.__file__).parent / "tests" / "pure" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


worlds = _of_the_pure_tests("bank_lines").worlds
many = _of_the_pure_tests("many_lines").many

#: Documents of one ``create``.
CHUNK = 200
#: Number of bookings that are timed.
BOOKINGS = 200

# -------------------------------------------------------------------------
# LABELLED LINES
# -------------------------------------------------------------------------


def prepare_labelled(env):
    """The documents of all countries in the books of one company. All in euros: what differs is how people write."""
    for world in worlds():
        partners = _partners(env, {(one.partner, one.name, one.account) for one in world.documents}, world.country)
        journals = _journals(env, world)
        values = [_document(one, partners, journals) for one in world.documents]
        for start in range(0, len(values), CHUNK):
            env["account.move"].create(values[start : start + CHUNK]).action_post()
            env.cr.commit()


def _partners(env, wanted, prefix):
    """:return: dict from the world's number of a partner to its record"""
    found = {}
    for number, name, account in sorted(wanted):
        if number not in found:
            found[number] = env["res.partner"].create({"name": name, "is_company": True, "ref": f"{prefix}-{number}"})
            env["res.partner.bank"].create({"partner_id": found[number].id, "acc_number": account})
    return found


def _journals(env, world):
    """Sequences as the world's company has them."""
    found = {}
    for kind in ("sale", "purchase"):
        first = env["account.journal"].search([("type", "=", kind), ("default_account_id", "!=", False)], limit=1)
        code = f"{kind[0].upper()}{world.country}"
        found[kind] = env["account.journal"].create(
            {
                "name": code,
                "code": code,
                "type": kind,
                "refund_sequence": False,
                "default_account_id": first.default_account_id.id,
            }
        )
    return found


def _document(one, partners, journals):
    is_credit_note = one.amount < 0 and not one.is_bill
    move_type = "in_invoice" if one.is_bill else "out_refund" if is_credit_note else "out_invoice"
    values = {
        "move_type": move_type,
        "journal_id": journals["purchase" if one.is_bill else "sale"].id,
        "name": one.number,
        "partner_id": partners[one.partner].id,
        "invoice_date": one.day,
        "date": one.day,
        "payment_reference": one.reference,
        "invoice_line_ids": [
            Command.create(
                {"name": "Work", "quantity": 1, "price_unit": float(abs(one.amount)), "tax_ids": [Command.clear()]}
            )
        ],
    }
    if one.is_bill:
        values |= {"ref": one.reference}
    return values


def labelled(env, system):
    """
    :param str system: ``ours`` or ``oca``
    :return: dict: how many of the lines were booked correctly, wrongly or not, and the seconds that it took
    """
    begun, counts = time.perf_counter(), {"lines": 0, "rightly": 0, "wrongly": 0, "not at all": 0, "findable": 0}
    counts["found"] = 0
    numbers = {}
    for world in worlds():
        journal = _bank_journal(env, world.country)
        keys = {one.number: one.key for one in world.documents}
        lines = _lines(env, journal, world)
        if system == "ours":
            _book(journal)
        env.flush_all()
        for line, one in zip(lines, world.lines, strict=True):
            settled = {keys.get(name, name) for name in _settled(line)}
            counts["lines"] += 1
            counts["findable"] += one.is_findable
            is_booked = bool(settled) or line.is_reconciled
            outcome = "not at all" if not is_booked else "rightly" if settled == one.answer else "wrongly"
            counts[outcome] += 1
            counts["found"] += one.is_findable and outcome == "rightly"
            if outcome == "wrongly":
                numbers.setdefault(one.kind, []).append(one.label[:60])
    counts["seconds"] = round(time.perf_counter() - begun, 1)
    counts["wrong kinds"] = {kind: len(labels) for kind, labels in numbers.items()}
    return counts


def _bank_journal(env, code):
    return env["account.journal"].create({"name": f"Bank {code}", "code": f"B{code}", "type": "bank"})


def _lines(env, journal, world):
    """The same lines for both: the structured reference where the bank has a field for it, else the free text."""
    return env["account.bank.statement.line"].create(
        [
            {
                "journal_id": journal.id,
                "date": one.day,
                "amount": float(one.amount),
                "payment_ref": one.label or one.reference or "/",
                "ref": one.reference,
                "partner_name": one.name,
                "account_number": one.account,
                "transaction_details": {"creditor_reference": one.reference} if one.reference else False,
            }
            for one in world.lines
        ]
    )


def _book(journal):
    """Until a search books no more: one click books some hundreds."""
    journal.action_reconcile_dry_run()
    journal.reconcile_automatically = True
    decisions, before = journal.env["account.reconcile.decision"], -1
    mine = [("journal_id", "=", journal.id), ("state", "=", "booked")]
    while (booked := decisions.search_count(mine)) > before:
        before = booked
        journal.action_find_counterparts()


def _settled(line):
    """:return: the numbers of the documents that a line has settled"""
    items = line.move_id.line_ids
    others = items.matched_debit_ids.debit_move_id + items.matched_credit_ids.credit_move_id
    return set(others.move_id.filtered(lambda move: move.is_invoice()).mapped("name"))


# -------------------------------------------------------------------------
# MANY LINES
# -------------------------------------------------------------------------


def prepare_many(env, lines, items):
    """``items`` open invoices, copied by PostgreSQL from one that Odoo has created."""
    _lines_of, books = many(lines, items, max(1, items // 10))
    candidates = {one.partner: one for one in books.candidates}
    partners = env["res.partner"].create([{"name": one.name, "is_company": True} for one in candidates.values()])
    ids = dict(zip(candidates, partners.ids, strict=True))
    env["res.partner.bank"].create(
        [{"partner_id": ids[key], "acc_number": one.accounts[0]} for key, one in candidates.items()]
    )
    invoice = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "name": "INV/2025/99999",
            "partner_id": partners[0].id,
            "invoice_date": "2025-12-31",
            "invoice_line_ids": [Command.create({"name": "Work", "price_unit": 100, "tax_ids": [Command.clear()]})],
        }
    )
    invoice.action_post()
    env.flush_all()
    env.cr.execute(
        "CREATE TEMPORARY TABLE wanted (key int, move_id int, amount numeric, number text, partner int, day date)"
    )
    rows = [(one.key, one.amount, one.number, ids[one.partner], one.day) for one in books.candidates]
    for start in range(0, len(rows), 1000):
        some = rows[start : start + 1000]
        env.cr.execute(
            SQL(
                "INSERT INTO wanted SELECT key, nextval('account_move_id_seq'), amount, number, partner, day"
                " FROM (VALUES %s) AS row (key, amount, number, partner, day)",
                SQL(", ").join(SQL("(%s, %s, %s, %s, %s::date)", *row) for row in some),
            )
        )
    own = {
        "name": "wanted.number",
        "payment_reference": "wanted.number",
        "move_name": "wanted.number",
        "partner_id": "wanted.partner",
        "commercial_partner_id": "wanted.partner",
        "partner_shipping_id": "wanted.partner",
        "date": "wanted.day",
        "invoice_date": "wanted.day",
        "sequence_number": "wanted.key",
        "sequence_prefix": "'INV/2026/'",
        "access_token": "NULL",
    }
    _copy_rows(env, "account_move", SQL("row.id = %s", invoice.id), {**own, "id": "wanted.move_id"})
    item = {**own, "id": "nextval('account_move_line_id_seq')", "move_id": "wanted.move_id"}
    _copy_rows(env, "account_move_line", SQL("row.move_id = %s", invoice.id), item)


def _copy_rows(env, table, condition, own):
    """Copy rows for each of the wanted invoices; what is 100 in them becomes the invoice's amount."""
    env.cr.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = %s AND is_generated = 'NEVER'",
        [table],
    )
    columns = dict(env.cr.fetchall())
    values = []
    for name, kind in columns.items():
        if name in own:
            values.append(SQL(own[name]))
        elif kind in ("numeric", "double precision"):
            column = SQL.identifier("row", name)
            values.append(
                SQL("CASE WHEN abs(%s) = 100 THEN sign(%s) * wanted.amount ELSE %s END", column, column, column)
            )
        else:
            values.append(SQL.identifier("row", name))
    env.cr.execute(
        SQL(
            "INSERT INTO %s (%s) SELECT %s FROM wanted, %s AS row WHERE %s",
            SQL.identifier(table),
            SQL(", ").join(SQL.identifier(name) for name in columns),
            SQL(", ").join(values),
            SQL.identifier(table),
            condition,
        )
    )


def measure_import(env, lines, items, with_hook):
    """Import lines as a synchronization does.

    :param bool with_hook: whether counterparts are looked for as part of it
    :return: seconds and queries
    """
    journal = _bank_journal(env, "IM")
    if not with_hook:
        env.registry["account.journal"]._reconcile_after_import = lambda self: None
    return _timed(env, lambda: _import(env, journal, lines, items))


def measure_hook(env, sizes, items, times):
    """Imports of some sizes in one process, alternately with what follows them and without, each into a new journal.

    :return: dict from the size (as text) to the medians ``with``, ``without``, ``queries with``, ``queries without``
    """
    follow = env.registry["account.journal"]._reconcile_after_import
    medians, codes = {}, count(1)
    # Why the first size twice: a process gets faster during its first imports, whatever their size.
    for size in (sizes[0], *sizes):
        figures = {True: [], False: []}
        # The first of each kind loads what is loaded once.
        for number in range(2 * (times + 1)):
            with_hook = bool(number % 2)
            env.registry["account.journal"]._reconcile_after_import = follow if with_hook else lambda self: None
            journal = _bank_journal(env, f"{next(codes):04}")
            figures[with_hook].append(_timed(env, _synchronization_of(env, journal, size, items), digits=4))
            # Why: lines of other journals would make each import do more than the one before.
            env.cr.execute("UPDATE account_bank_statement_line SET is_reconciled = true")
            env.cr.commit()
        medians[str(size)] = {
            f"{prefix}{word}": statistics.median(one[key] for one in figures[with_hook][1:])
            for prefix, key in (("", "processor"), ("queries ", "queries"))
            for word, with_hook in (("with", True), ("without", False))
        }
    return medians


def _import(env, journal, lines, items):
    _synchronization_of(env, journal, lines, items)()


def _synchronization_of(env, journal, lines, items):
    """:return: function that imports the lines"""
    items = max(lines, items)
    found, _books = many(lines, items, max(1, items // 10))
    messages = [
        {
            "id": f"TX{line.key:07}",
            "status": "booked",
            "booking_date": line.day.isoformat(),
            "value_date": line.day.isoformat(),
            "amount": str(line.amount),
            "currency": "EUR",
            "counterparty": {"name": line.name, "account_number": line.account or None, "bic": None},
            "remittance": [line.label],
            "end_to_end_id": f"E2E-{line.key:06}",
        }
        for line in sorted(found, key=lambda line: line.day)
    ]
    bank = Bank(messages)
    link = env["account.online.link"]._create_from_proxy(bank.connection(), bank.accounts(), env.company)
    link.account_online_account_ids._link_journal(journal, periodicity="month")
    return _synchronization(env, link, bank)


def measure_find(env, lines, items):
    """:return: figures of looking for counterparts, of a tenth of the lines first, and of booking some"""
    few, all_of_them = _bank_journal(env, "FEW"), _bank_journal(env, "ALL")
    env.registry["account.journal"]._reconcile_after_import = lambda self: None
    _import(env, few, lines // 10, items)
    small = _find(few)
    _import(env, all_of_them, lines, items)
    env.cr.execute("ANALYZE")
    env.cr.commit()
    figures = _find(all_of_them)
    decisions = figures.pop("decisions")[:BOOKINGS]
    booking = _timed(env, lambda: [decision._book() for decision in decisions])
    return {
        **figures,
        "queries of a tenth of the lines": small["queries"],
        "seconds for one booking": round(booking["seconds"] / len(decisions), 4),
    }


def _find(journal):
    from odoo.addons.account_online_reconcile.books.read import JournalReader
    from odoo.addons.account_online_reconcile.matching.decide import decide
    from odoo.addons.account_online_reconcile.matching.facts import AUTOMATIC

    env = journal.env
    steps = {}

    def work():
        begun = time.perf_counter()
        reader = JournalReader(journal)
        lines = reader.lines()
        books, policy = reader.books(lines), reader.policy(is_automatic=True)
        steps["read"] = time.perf_counter()
        found = decide(lines, books, policy)
        steps["decided"] = time.perf_counter()
        steps["decisions"] = env["account.reconcile.decision"]._store(list(found.values()))
        env.flush_all()
        steps["automatic"] = sum(one.kind == AUTOMATIC for one in found.values())
        steps["lines"], steps["items"] = len(lines), len(books.candidates)
        steps["begun"], steps["stored"] = begun, time.perf_counter()

    figures = _timed(env, work)
    return {
        "lines": steps["lines"],
        "open items": steps["items"],
        "certain": steps["automatic"],
        "seconds to read": round(steps["read"] - steps["begun"], 2),
        "seconds to decide": round(steps["decided"] - steps["read"], 2),
        "seconds to keep the decisions": round(steps["stored"] - steps["decided"], 2),
        "seconds": figures["seconds"],
        "processor seconds": figures["processor"],
        "queries": figures["queries"],
        "decisions": steps["decisions"].filtered("is_automatic"),
    }


def _timed(env, work, digits=2):
    env.flush_all()
    env.invalidate_all()
    queries, processor, begun = sql_db.sql_counter, time.process_time(), time.perf_counter()
    work()
    env.flush_all()
    return {
        "seconds": round(time.perf_counter() - begun, digits),
        "processor": round(time.process_time() - processor, digits),
        "queries": sql_db.sql_counter - queries,
    }
