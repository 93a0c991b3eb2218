"""What the reconciliation screen shows of a bank line: facts, counterparts, open documents. It only reads.

Amounts have the sign of the bank line that would settle them; ``amount`` is in the line's currency.
"""

import re

from odoo.fields import Domain
from odoo.tools import float_compare, format_date, html2plaintext

from ..matching.facts import ACCOUNT, CHARGES, DISCOUNT, ITEM, OWN_TRANSFER, PAYMENT, RETURN
from . import apply, manual, returns
from .taxes import tax_lines

#: Documents per page, and the number of documents that are ranked.
PAGE, MOST_RANKED = 20, 200
#: Facts that the bank reported about a line, in the order in which they are shown.
DETAILS = (
    "online_bank_texts",
    "account_number",
    "online_counterparty_bic",
    "ref",
    "online_creditor_reference",
    "online_end_to_end_id",
    "online_mandate_id",
    "online_booking_date",
    "online_value_date",
    "transaction_type",
)


def describe(line, decision, may_book):
    """
    :param line: ``account.bank.statement.line`` that the user may read
    :param decision: ``account.reconcile.decision`` of the line, may be empty
    :return: dict for the panel beside the list
    """
    foreign = line.foreign_currency_id
    return {
        "id": line.id,
        "name": line.payment_ref or line.display_name,
        "date": line.date,
        "amount": line.amount,
        "currency_id": line.currency_id.id,
        "foreign": {"amount": line.amount_currency, "currency_id": foreign.id} if foreign else False,
        "company_id": line.company_id.id,
        "journal": line.journal_id.display_name,
        "counterparty": line.partner_name or "",
        "partner": _name(line.partner_id),
        "may_create_partner": may_book and _may_create_partner(line),
        "details": _details(line),
        "note": html2plaintext(line.narration or ""),
        "is_open": line.state == "posted" and not line.is_reconciled,
        "is_to_review": not line.checked,
        "may_book": may_book,
        "why_not": _why_not(line, may_book),
        "decision": _decision(line, decision) if decision else False,
        "items": _items(line) if not decision and line.is_reconciled else [],
    }


def find(line, text, offset=0):
    """
    :param str text: number, reference, partner or amount; empty for the best matches
    :return: dict with ``documents``, see :func:`documents`, and ``has_more``
    """
    items = line.env["account.move.line"]
    words = text.split()[:8]
    if words:
        domain = _open_documents(line) & Domain.AND(_word(line, word) for word in words)
        found = items.search(domain, order="date_maturity, id", limit=PAGE + 1, offset=offset)
        return {"documents": documents(line, found[:PAGE]), "has_more": len(found) > PAGE}
    found = _likely(line)
    page = found[offset : offset + PAGE]
    return {"documents": documents(line, page), "has_more": len(found) > offset + PAGE}


def documents(line, items):
    """
    :param items: ``account.move.line`` that are open
    :return: list of dictionaries, in the same order
    """
    files = _attachments(items.move_id)
    return [
        {
            "kind": ITEM,
            "id": item.id,
            "move_id": item.move_id.id,
            "name": item.move_name or item.display_name,
            "reference": _reference(item),
            "partner": item.partner_id.display_name or "",
            "date": item.move_id.invoice_date or item.date,
            "due": item.date_maturity or False,
            "account": item.account_id.display_name,
            "open": item.amount_residual_currency,
            "currency_id": item.currency_id.id,
            "open_on_line": manual.amount_on_line(line, item),
            "attachments": files.get(item.move_id.id, []),
        }
        for item in items
    ]


def describe_account(line, account):
    """:return: the counterpart on an account, which the user can edit before booking it"""
    taxes = account.tax_ids.filtered(lambda tax: tax.company_id in line.company_id.parent_ids)
    return {
        "kind": ACCOUNT,
        "id": account.id,
        "name": account.display_name,
        "label": line.payment_ref or "",
        "tax_ids": taxes.ids,
        "taxes": taxes.mapped("name"),
        "partner_id": False,
        "analytic": False,
    }


def taxes_of(line, part):
    """
    :param part: sent by the browser, see :func:`.manual.read_parts`
    :return: list of dictionaries with ``name`` and ``amount``, as they would be booked
    """
    (one,) = manual.read_parts(line, [part])
    account = line.env["account.account"].browse(one.key).exists()
    taxes = line.env["account.tax"].browse(one.taxes).exists()
    if one.kind != ACCOUNT or not account or taxes.company_id - line.company_id.parent_ids:
        return []
    amount = line.currency_id.round(-float(one.amount))
    _base, *found = tax_lines(
        line.env, account, taxes, amount, line.currency_id, line.date, line.partner_id, line.company_id
    )
    return [{"name": values["name"], "amount": -values["amount_currency"]} for values in found]


# -------------------------------------------------------------------------
# LINE
# -------------------------------------------------------------------------


def _name(record):
    return {"id": record.id, "display_name": record.display_name} if record else False


def _may_create_partner(line):
    if line.partner_id or not line.partner_name or not line.env["res.partner"].has_access("create"):
        return False
    return not line._is_counterparty_known()


def _details(line):
    shown, details = line.fields_get(DETAILS, ["string", "type"]), []
    # Why: banks repeat the same reference in several fields.
    said = {line.payment_ref, line.partner_name}
    for name in DETAILS:
        if name not in shown or not line[name]:
            continue
        value = format_date(line.env, line[name]) if shown[name]["type"] == "date" else str(line[name])
        if value not in said:
            said.add(value)
            details.append({"label": shown[name]["string"], "value": value})
    return details


def _why_not(line, may_book):
    """:return: a sentence with the reason why the line can't be booked here, or an empty text"""
    if not may_book:
        return line.env._("Only accountants book bank lines.")
    if line.env["account.reconcile.decision"]._is_left_to_enterprise():
        return line.env._("The app “Accounting” reconciles bank lines in this database.")
    if line.state != "posted":
        return line.env._("The entry of this line is not posted.")
    if not line.is_reconciled and line.company_id._get_violated_lock_dates(line.date, False, line.journal_id):
        return line.env._("This line is in a locked period.")
    if not line.is_reconciled and line._seek_for_lines()[2]:
        return line.env._("Part of this line is booked in its journal entry. Finish it there.")
    return ""


def _decision(line, decision):
    return {
        "id": decision.id,
        "state": decision.state,
        "is_automatic": decision.is_automatic,
        # Why not of a manual booking: the user who booked it is shown anyway.
        "why": decision._get_reasons(without=("not_switched_on",)) if decision.step != "manual" else [],
        "by": decision.booked_by_id.name or "",
        "at": decision.booked_at,
        "rest": decision.rest,
        "parts": _parts(line, decision),
    }


def _parts(line, decision):
    """The counterparts of a decision, with their current data."""
    stored = decision.counterparts or []
    items = line.env["account.move.line"].browse([one["key"] for one in stored if one["kind"] in (ITEM, PAYMENT)])
    known = {one["id"]: one for one in documents(line, items.exists())}
    parts = []
    for one in stored:
        part = {"kind": one["kind"], "id": one["key"], "amount": float(one["amount"])}
        if one["kind"] in (ITEM, PAYMENT):
            part = {**known.get(one["key"], {"name": "", "attachments": []}), **part, "kind": ITEM}
        elif one["kind"] in (ACCOUNT, CHARGES):
            part |= _account_part(line, one)
        elif one["kind"] == DISCOUNT:
            part |= {"name": line.env._("Early payment discount")}
        elif one["kind"] == OWN_TRANSFER:
            is_other_side = one["key"] == line.id
            other = decision.statement_line_id if is_other_side else line.browse(one["key"]).exists()
            part |= {"name": other.journal_id.display_name or "", "date": other.date, "reference": other.payment_ref}
            part |= {"amount": apply.transferred(line), "line_id": other.id}
        elif one["kind"] == RETURN:
            part |= _returned_part(line, one["key"], decision.released)
        parts.append(part)
        if one["kind"] == OWN_TRANSFER and (fee := apply.fee_of(line)):
            account = line.journal_id.reconcile_charges_account_id
            name = account.display_name or line.env._("Bank charges")
            parts.append({"kind": CHARGES, "id": account.id or 0, "name": name, "amount": fee})
    return parts


def _returned_part(line, key, released):
    """:param released: what the booking has reopened, None before it"""
    item = line.env["account.move.line"].browse(key).exists()
    documents = returns.settled_by(returns.paying_items(item))
    if released:
        keys = [other for _item, settled in released["settled"] for other, _amount in settled]
        documents = documents.browse(keys).exists()
    names = ", ".join(sorted(set(documents.mapped("move_name"))))
    return {
        "name": item.move_name or "",
        "partner": item.partner_id.display_name or "",
        "reference": line.env._("Reopens: %s", names) if names else "",
    }


def _account_part(line, one):
    account = line.env["account.account"].browse(one["key"]).exists()
    taxes = line.env["account.tax"].browse(one["taxes"]).exists()
    return {
        "kind": ACCOUNT,
        "name": account.display_name or "",
        "label": one["label"],
        "tax_ids": taxes.ids,
        "taxes": taxes.mapped("name"),
        "partner_id": one["partner"] or False,
        "analytic": one["analytic"] or False,
    }


def _items(line):
    """The counterparts of a line that was booked elsewhere."""
    liquidity, suspense, others = line._seek_for_lines()
    items = others.filtered(lambda item: not item.tax_repartition_line_id) or others
    return [
        {"id": item.id, "name": item.account_id.display_name, "label": item.name or "", "amount": -item.balance}
        for item in (items - liquidity - suspense)
    ]


# -------------------------------------------------------------------------
# OPEN DOCUMENTS
# -------------------------------------------------------------------------


def _open_documents(line):
    """Everything that can be settled: receivables, payables, payments in transit, other reconcilable accounts."""
    accounts = line.env["account.account"].search(
        [("reconcile", "=", True), ("company_ids", "parent_of", line.company_id.ids)]
    )
    own = line.journal_id.default_account_id + line.journal_id.suspense_account_id
    return Domain(
        [
            ("account_id", "in", (accounts - own).ids),
            ("company_id", "=", line.company_id.id),
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("amount_residual_currency", "!=", 0),
            ("move_id", "!=", line.move_id.id),
        ]
    )


def _word(line, word):
    """A word of a search is part of a number, a reference or a partner's name, or it is an amount."""
    texts = ("move_name", "name", "ref", "move_id.payment_reference", "partner_id.display_name")
    domain = Domain.OR([(name, "ilike", word)] for name in texts)
    amounts = _amounts(line, word)
    if amounts:
        domain |= Domain("amount_residual_currency", "in", [*amounts, *(-amount for amount in amounts)])
    return domain


def _amounts(line, word):
    """Possible amounts of a number: 1.234,50 in the user's notation, 1234.50 as on a bank's page."""
    lang = line.env["res.lang"]._get_data(code=line.env.lang or line.env.user.lang)
    plain = word.replace(lang.thousands_sep or " ", "").replace(lang.decimal_point or ".", ".")
    readings = {text for text in (plain, word.replace(",", ".")) if re.fullmatch(r"[-+]?\d{1,13}(\.\d{1,6})?", text)}
    return sorted({abs(float(text)) for text in readings})


def _likely(line):
    """Documents of the partner, and those of the same amount; those nearest to the amount come first."""
    items = line.env["account.move.line"]
    domain = _open_documents(line)
    same_amount = domain & Domain("amount_residual_currency", "=", line.amount)
    found = items.search(same_amount, order="date_maturity, id", limit=PAGE)
    if line.partner_id:
        of_partner = domain & Domain("partner_id", "child_of", line.partner_id.commercial_partner_id.id)
        found |= items.search(of_partner, order="date_maturity, id", limit=MOST_RANKED)
    if not found:
        direction = Domain("amount_residual_currency", ">" if line.amount > 0 else "<", 0)
        return items.search(domain & direction, order="date_maturity, id", limit=MOST_RANKED)

    def distance(item):
        on_line = manual.amount_on_line(line, item)
        is_same = float_compare(on_line, line.amount, precision_rounding=line.currency_id.rounding) == 0
        is_partners = line.partner_id and item.partner_id.commercial_partner_id == line.partner_id.commercial_partner_id
        return (not is_partners, not is_same, on_line * line.amount < 0, item.date_maturity or item.date, item.id)

    return found.sorted(distance)


def _reference(item):
    names = (item.move_id.payment_reference, item.move_id.ref, item.name)
    return next((name for name in names if name and name != item.move_name), "")


def _attachments(moves):
    """:return: dict from a document to its files, those that are shown first"""
    files = {}
    if not moves:
        return files
    domain = [("res_model", "=", "account.move"), ("res_id", "in", moves.ids), ("res_field", "=", False)]
    # Why not sudo: users without read access to the file must not see its name.
    for file in moves.env["ir.attachment"].search(domain, order="id"):
        shown = {"id": file.id, "name": file.name, "mimetype": file.mimetype, "type": file.type, "url": file.url}
        files.setdefault(file.res_id, []).append(shown)
    for move in moves:
        main = move.message_main_attachment_id.id
        if move.id in files:
            files[move.id].sort(key=lambda file: file["id"] != main)
    return files
