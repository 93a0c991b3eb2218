"""Returned payments: a direct debit that the payer's bank refused, a transfer to a closed account.

The documents that such a payment had settled are reopened, and the bank line of the return is booked against the
payment, so that both are settled. Undoing it settles the documents again as before.
"""

from collections import defaultdict
from decimal import Decimal

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..matching.facts import ZERO, Payment

#: A bank returns an unauthorized direct debit up to 13 months later.
MONTHS = 14
TERMS = ("asset_receivable", "liability_payable")


# -------------------------------------------------------------------------
# READING
# -------------------------------------------------------------------------


def find_returnable(journal, lines):
    """Payments that these lines may return: bank lines, or matched registered payments, that settled only documents.

    :param lines: list of :class:`~..matching.facts.Line`
    :return: list of :class:`~..matching.facts.Payment`
    """
    amounts = [str(-line.amount) for line in lines]
    if not amounts:
        return []
    journal.env.cr.execute(_returnable(journal, amounts))
    entries = defaultdict(list)
    for row in journal.env.cr.dictfetchall():
        entries[row["move"]].append(row)
    return [_payment(rows) for rows in entries.values() if all(row["is_returnable"] for row in rows)]


def _returnable(journal, amounts):
    """The items of bank lines and of matched payments, without the liquidity item."""
    return SQL(
        """
            WITH paying AS (
                SELECT line.move_id AS move, journal.default_account_id AS account,
                       line.transaction_details->>'end_to_end_id' AS end_to_end, NULL AS memo
                  FROM account_bank_statement_line line
                  JOIN account_journal journal ON journal.id = line.journal_id
                 WHERE line.journal_id = %(journal)s AND line.is_reconciled
                       AND line.amount = ANY(%(amounts)s::numeric[])
             UNION ALL
                SELECT payment.move_id, payment.outstanding_account_id, payment.payment_reference, payment.memo
                  FROM account_payment payment
                 WHERE payment.journal_id = %(journal)s AND payment.is_matched AND payment.state = 'paid'
                   AND CASE payment.payment_type WHEN 'inbound' THEN payment.amount ELSE -payment.amount END
                       = ANY(%(amounts)s::numeric[])
            )
            SELECT item.id, item.amount_currency::text AS amount, currency.name AS currency, move.id AS move,
                   move.name AS number, move.date, paying.memo, paying.end_to_end, documents.texts,
                   partner.commercial_partner_id AS partner,
                   account.account_type IN ('asset_receivable', 'liability_payable')
                   AND COALESCE(documents.is_all, FALSE) AS is_returnable
              FROM paying
              JOIN account_move move ON move.id = paying.move AND move.date >= %(since)s AND move.state = 'posted'
              JOIN account_move_line item ON item.move_id = move.id AND item.account_id <> paying.account
              JOIN account_account account ON account.id = item.account_id
              JOIN res_currency currency ON currency.id = item.currency_id
         LEFT JOIN res_partner partner ON partner.id = item.partner_id
        CROSS JOIN LATERAL (
                SELECT array_agg(other.name) || array_agg(other.payment_reference) || array_agg(other.ref) AS texts,
                       bool_and(other.statement_line_id IS NULL) AS is_all
                  FROM account_partial_reconcile partial
                  JOIN account_move_line paid
                       ON paid.id = CASE WHEN partial.debit_move_id = item.id
                                         THEN partial.credit_move_id ELSE partial.debit_move_id END
                  JOIN account_move other ON other.id = paid.move_id
                 WHERE partial.debit_move_id = item.id OR partial.credit_move_id = item.id
                   ) documents
          ORDER BY item.id
        """,
        journal=journal.id,
        amounts=amounts,
        since=fields.Date.subtract(fields.Date.context_today(journal), months=MONTHS),
    )


def _payment(rows):
    """The items of one entry."""
    first, partners = rows[0], {row["partner"] for row in rows}
    texts = (first["memo"], *(text for row in rows for text in row["texts"] or ()))
    return Payment(
        key=first["id"],
        amount=-sum((Decimal(row["amount"]) for row in rows), ZERO),
        currency=first["currency"] if len({row["currency"] for row in rows}) == 1 else "",
        number=first["number"] or "",
        references=tuple(dict.fromkeys(filter(None, texts))),
        partner=partners.pop() if len(partners) == 1 else None,
        day=first["date"],
        end_to_end=first["end_to_end"] or "",
        is_settled=True,
    )


# -------------------------------------------------------------------------
# WRITING
# -------------------------------------------------------------------------


def paying_items(item):
    """:return: the items by which the entry of this item has settled documents"""
    own = item.move_id.line_ids
    return own.filtered(lambda one: one.account_id.account_type in TERMS).sorted("id")


def settled_by(items):
    """:return: the items of other entries with which these are reconciled"""
    return _partials(items).mapped(lambda partial: partial.debit_move_id + partial.credit_move_id) - items


def release(items):
    """Reopen the documents that a payment had settled.

    :return: JSON for :func:`restore`: for each item what it had settled, and the states of payments without an entry
    """
    partials = _partials(items)
    payments = _bare_payments(settled_by(items))
    # Why without them: Odoo creates new ones when the documents are settled again.
    differences = partials.exchange_move_id.line_ids
    settled = [
        [
            item.id,
            [
                [other.id, partial.amount]
                for partial in _partials(item).sorted("id")
                for other in _other(partial, item) - differences
            ],
        ]
        for item in items
    ]
    released = {"settled": settled, "payments": [[payment.id, payment.state] for payment in payments]}
    partials.unlink()
    # Why: Odoo treats a document as paid while such a payment is in transit.
    payments.filtered(lambda payment: payment.state == "in_process").state = "rejected"
    return released


def restore(env, released, name):
    """Settle the documents again as before.

    :param released: as returned by :func:`release`
    :param str name: of the bank line, for the error message
    :raise UserError: if the documents were paid or changed in the meantime
    """
    refusal = UserError(
        env._(
            "What “%s” had returned can't be paid again: the documents were paid or changed since. Undo that first.",
            name,
        )
    )
    payments = env["account.payment"].browse([key for key, _state in released["payments"]]).exists()
    payments.filtered(lambda payment: payment.state == "rejected").state = "in_process"
    for key, settled in released["settled"]:
        item = env["account.move.line"].browse(key).exists()
        for other_key, amount in settled:
            other = env["account.move.line"].browse(other_key).exists()
            if not item or not other or {item.parent_state, other.parent_state} != {"posted"}:
                raise refusal
            if item.reconciled or other.reconciled:
                raise refusal
            (item + other).reconcile()
            again = _partials(item).filtered(lambda partial, item=item, other=other: _other(partial, item) == other)
            if item.company_currency_id.compare_amounts(sum(again.mapped("amount")), amount):
                raise refusal
    states = dict(released["payments"])
    for payment in payments:
        if payment.state != states[payment.id]:
            payment.state = states[payment.id]


def _partials(items):
    return items.matched_debit_ids + items.matched_credit_ids


def _other(partial, item):
    return partial.debit_move_id + partial.credit_move_id - item


def _bare_payments(documents):
    return documents.move_id.matched_payment_ids.filtered(lambda payment: not payment.move_id)
