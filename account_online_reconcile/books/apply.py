"""Books a decision with Odoo's own methods, and undoes it.

The suspense item of the line's entry is replaced by the counterparts, which are then reconciled with the documents that
they settle. Everything is checked again when it is booked, because the books may have changed since the decision.
"""

from decimal import Decimal
from typing import NamedTuple

from odoo import Command
from odoo.exceptions import LockError, UserError

from ..matching.facts import ACCOUNT, CHARGES, DISCOUNT, ITEM, OWN_TRANSFER, PAYMENT, RETURN
from . import returns
from .read import fee_of_payout
from .taxes import tax_lines

#: As core's ``action_undo_reconciliation``: posted entries of bank lines are changed by their bank line only.
AS_CORE = {"force_delete": True, "skip_readonly_check": True}
#: Why: Odoo would mark a reconciled document as modified by hand, and stop offering to auto-post its vendor's bills.
NOT_MANUALLY = {"skip_is_manually_modified": True}
#: Counterparts whose key is an account.
_ON_ACCOUNT = (ACCOUNT, CHARGES)


class Booked(NamedTuple):
    """``items``: from the id of each line that was booked to the ids of the journal items that it has got.
    ``released``: what a returned payment had settled, see :func:`.returns.release`; None without one.
    ``sets_partner``: the line had no partner, and was given that of its documents."""

    items: dict
    released: dict | None = None
    sets_partner: bool = False


def book(line, counterparts, is_by_hand=False):
    """
    :param line: ``account.bank.statement.line``; the caller has checked that the user may reconcile it
    :param counterparts: list of :class:`~..matching.facts.Counterpart`
    :param is_by_hand: the user has confirmed how much of a document in another currency is settled
    :return: :class:`Booked`
    :raise UserError: if the line can no longer be booked that way
    """
    return _Booking(line, counterparts, is_by_hand).run()


def is_booked(line, items, counterparts):
    """Whether the line is still booked as by :func:`book`. Users also undo, reset and change entries in Odoo itself.

    :param items: ids of the journal items that :func:`book` has made
    :param counterparts: stored ones of the decision, dictionaries
    """
    _liquidity, suspense, others = line._seek_for_lines()
    if line.move_id.state != "posted" or suspense or set(others.ids) != set(items):
        return False
    settled = (ITEM, PAYMENT, RETURN)
    keys = [[one["key"] for one in counterparts if one["kind"] in kinds] for kinds in (settled, _ON_ACCOUNT)]
    documents, accounts = line.env["account.move.line"].browse(keys[0]).exists(), set(keys[1])
    # Why by account: an entry that was reset to draft keeps its items, which users may then change.
    return accounts | set(documents.account_id.ids) <= set(others.account_id.ids)


def undo(line, items, counterparts, released=None, sets_partner=False):
    """Undo a booking completely.

    :param items: ids of the journal items that :func:`book` has created
    :param counterparts: stored ones of the decision, dictionaries
    :param released: as returned by :func:`book`
    :param sets_partner: as returned by :func:`book`
    :raise UserError: if the items have been changed since
    """
    if not is_booked(line, items, counterparts):
        raise UserError(
            line.env._(
                "The entry of “%s” was changed since, so it can't be taken back here. Undo it in the journal entry.",
                line.payment_ref or line.display_name,
            )
        )
    was_checked = line.checked
    line.with_context(**NOT_MANUALLY).action_undo_reconciliation()
    if sets_partner:
        line.with_context(**NOT_MANUALLY).partner_id = False
    if released:
        returns.restore(line.env, released, line.payment_ref or line.display_name)
    if line.checked != was_checked:
        line.checked = was_checked


class _Booking:
    def __init__(self, line, counterparts, is_by_hand):
        self.line, self.counterparts, self.env = line, counterparts, line.env
        self.is_by_hand = is_by_hand
        self.company = line.company_id
        self.currency = line.currency_id

    def run(self):
        if not self.counterparts:
            raise self._refuse(self.line)
        transfers = [one for one in self.counterparts if one.kind == OWN_TRANSFER]
        if transfers:
            return Booked(self._transfer(self._other_side(transfers[0].key)))
        returned = [one for one in self.counterparts if one.kind == RETURN]
        if returned:
            return self._return(returned[0].key)
        items = self._items()
        self._lock(self.line.move_id, items)
        liquidity, suspense = self._open_entry(self.line)
        # Why before the counterparts: Odoo rewrites an entry's items when the partner of its line changes.
        sets_partner = self._set_partner(items.partner_id)
        values, settled = self._values(items)
        self._balance(values, liquidity)
        made = self._replace(self.line, suspense, values)
        for new, key in zip(made, settled, strict=True):
            if key:
                (new + items.browse(key)).with_context(**NOT_MANUALLY).reconcile()
        return Booked({self.line.id: made.ids}, sets_partner=sets_partner)

    def _set_partner(self, partners):
        """Set the partner of a line without one to that of its documents, if they have the same."""
        if len(partners) > 1:
            partners = partners.commercial_partner_id
        if self.line.partner_id or len(partners) != 1:
            return False
        self.line.with_context(**NOT_MANUALLY).partner_id = partners
        return True

    # -------------------------------------------------------------------------
    # CHECKS
    # -------------------------------------------------------------------------

    def _lock(self, *records):
        try:
            for some in records:
                some.lock_for_update()
        except LockError:
            raise UserError(
                self.env._("Somebody else is working with these documents. Try again in a moment.")
            ) from None

    def _refuse(self, line):
        return UserError(
            self.env._(
                "“%s” can't be booked like that any more: the line or the document was changed since. Look for "
                "counterparts again.",
                line.payment_ref or line.display_name,
            )
        )

    def _open_entry(self, line):
        """:return: the items of the entry on the bank's and on the suspense account"""
        line.invalidate_recordset(["is_reconciled"])
        liquidity, suspense, others = line._seek_for_lines()
        if line.move_id.state != "posted" or line.is_reconciled or others or len(liquidity) != 1 or len(suspense) != 1:
            raise self._refuse(line)
        return liquidity, suspense

    def _items(self):
        """:return: the journal items to settle, checked to be of this company, open, and with enough left"""
        wanted = {one.key: one for one in self.counterparts if one.kind in (ITEM, PAYMENT)}
        items = self.env["account.move.line"].browse(wanted).exists()
        for item in items:
            left, settles = Decimal(repr(item.amount_residual_currency)), wanted[item.id].settles
            is_enough = abs(settles) <= abs(left) and (settles > 0) == (left > 0)
            if item.company_id != self.company or item.parent_state != "posted" or item.reconciled or not is_enough:
                raise self._refuse(self.line)
        if len(items) != len(wanted):
            raise self._refuse(self.line)
        return items

    # -------------------------------------------------------------------------
    # JOURNAL ITEMS
    # -------------------------------------------------------------------------

    def _values(self, items):
        """:return: (values of the new journal items, for each the id of the settled item or None)"""
        values, settled = [], []
        for one in self.counterparts:
            if one.kind in (ITEM, PAYMENT):
                values.append(self._settling(one, items.browse(one.key)))
                settled.append(one.key)
            elif one.kind == DISCOUNT:
                more = self._discount(one, items.browse(one.key))
                values += more
                settled += [None] * len(more)
            elif one.kind in (ACCOUNT, CHARGES):
                more = self._on_account(one)
                values += more
                settled += [None] * len(more)
            else:
                raise self._refuse(self.line)
        return values, settled

    def _settling(self, one, item):
        values = {
            "account_id": item.account_id.id,
            "partner_id": item.partner_id.id,
            "name": item.move_id.payment_reference or item.move_id.name,
            **self._amounts(one.amount),
        }
        if item.currency_id != self.currency:
            if item.currency_id != self.line.foreign_currency_id and not self.is_by_hand:
                raise UserError(self.env._("The bank does not state the amount in the currency of the document."))
            values |= {"currency_id": item.currency_id.id, "amount_currency": -float(one.settles)}
            if item.currency_id == self.company.currency_id:
                values["balance"] = values["amount_currency"]
        return values

    def _on_account(self, one):
        """:return: list of values: the base, then its taxes"""
        account = self.env["account.account"].browse(one.key).exists()
        taxes = self.env["account.tax"].browse(one.taxes).exists()
        # Why with the parents: branches use the accounts and taxes of their company.
        companies = self.company.parent_ids
        is_known = account and companies & account.company_ids and len(taxes) == len(one.taxes)
        if not is_known or taxes.company_id - companies:
            raise self._refuse(self.line)
        amounts = self._amounts(one.amount)
        lines = tax_lines(
            self.env,
            account,
            taxes,
            amounts["amount_currency"],
            self.currency,
            self.line.date,
            self.env["res.partner"].browse(one.partner or self.line.partner_id.id),
            self.company,
            balance=amounts["balance"],
            label=one.label or self.line.payment_ref,
            analytic=one.analytic,
            is_exigible=not self._has_term_lines(),
        )
        return [{**values, "reconcile_model_id": one.rule} for values in lines] if one.rule else lines

    def _has_term_lines(self):
        """Whether the entry gets receivables or payables, by documents or by account."""
        keys = [one.key for one in self.counterparts if one.kind in (ACCOUNT, CHARGES)]
        types = self.env["account.account"].browse(keys).exists().mapped("account_type")
        return any(one.kind == ITEM for one in self.counterparts) or bool(
            {"asset_receivable", "liability_payable"} & set(types)
        )

    def _discount(self, one, item):
        """The discount with its taxes, as core's *Register Payment* books it."""
        made = self.env["account.move"]._get_invoice_counterpart_amls_for_early_payment_discount(
            [{"aml": item, "amount_currency": -item.amount_residual_currency, "balance": -item.amount_residual}],
            -float(one.amount),
        )
        return [values for some in made.values() for values in some]

    def _amounts(self, amount):
        """Why negated: a counterpart is on the other side of the bank's item."""
        amounts = self.line._prepare_counterpart_amounts_using_st_line_rate(self.currency, None, -float(amount))
        return {
            "currency_id": self.currency.id,
            "amount_currency": self.currency.round(-float(amount)),
            "balance": amounts["balance"],
        }

    def _balance(self, values, liquidity):
        """Add the rounding difference in the company's currency to the last item that is not a tax."""
        rest = self.company.currency_id.round(liquidity.balance + sum(one["balance"] for one in values))
        last = next(one for one in reversed(values) if not one.get("tax_repartition_line_id"))
        last["balance"] -= rest
        if last["currency_id"] == self.company.currency_id.id:
            last["amount_currency"] = last["balance"]

    def _replace(self, line, suspense, values):
        before = line.move_id.line_ids
        commands = [Command.delete(suspense.id), *(Command.create(one) for one in values)]
        # Why no synchronization: the taxes of a discount are among the values, and would be computed twice.
        line.with_context(**AS_CORE, skip_invoice_sync=True).write({"line_ids": commands})
        return (line.move_id.line_ids - before).sorted("id")

    # -------------------------------------------------------------------------
    # TRANSFERS
    # -------------------------------------------------------------------------

    def _other_side(self, key):
        other = self.line.browse(key).exists()
        if (
            not other
            or other.company_id != self.company
            or other.currency_id != self.currency
            or self.currency.compare_amounts(transferred(other), -transferred(self.line))
        ):
            raise self._refuse(self.line)
        return other

    def _transfer(self, other):
        account = self.company.transfer_account_id or self.company.root_id.transfer_account_id
        if not account:
            raise UserError(self.env._("Choose an account for transfers between banks in the settings of Accounting."))
        self._lock(self.line.move_id, other.move_id)
        items, booked = self.env["account.move.line"], {}
        for line in (self.line, other):
            liquidity, suspense = self._open_entry(line)
            values = {
                "account_id": account.id,
                "name": line.payment_ref,
                "currency_id": liquidity.currency_id.id,
                "amount_currency": -liquidity.amount_currency,
                "balance": -liquidity.balance,
            }
            fees = self._fees(line)
            for name in ("amount_currency", "balance"):
                values[name] -= sum(fee[name] for fee in fees)
            made = self._replace(line, suspense, [values, *fees])
            booked[line.id] = made.ids
            items += made.filtered(lambda item: item.account_id == account)
        items.reconcile()
        return booked

    def _fees(self, line):
        """:return: list of values of a payment service's fee for its payout, may be empty"""
        fee = fee_of(line)
        if not fee:
            return []
        account = line.journal_id.reconcile_charges_account_id
        if not account:
            raise UserError(
                self.env._(
                    "A fee was deducted from this payout, and the journal “%s” has no account for bank charges. Choose "
                    "one in its settings.",
                    line.journal_id.display_name,
                )
            )
        amounts = line._prepare_counterpart_amounts_using_st_line_rate(line.currency_id, None, -fee)
        return [
            {
                "account_id": account.id,
                "name": line.payment_ref,
                "currency_id": line.currency_id.id,
                "amount_currency": line.currency_id.round(-fee),
                "balance": amounts["balance"],
            }
        ]

    # -------------------------------------------------------------------------
    # RETURNED PAYMENTS
    # -------------------------------------------------------------------------

    def _return(self, key):
        """Reopen the documents that the payment had settled, and settle the payment itself with the line."""
        first = self.env["account.move.line"].browse(key).exists()
        paying = returns.paying_items(first)
        documents = returns.settled_by(paying)
        self._lock(self.line.move_id, paying, documents)
        self._check_returnable(paying, documents)
        liquidity, suspense = self._open_entry(self.line)
        sets_partner = self._set_partner(paying.partner_id)
        values = [
            {
                "account_id": item.account_id.id,
                "partner_id": item.partner_id.id,
                "name": self.line.payment_ref,
                **self._amounts(Decimal(repr(item.amount_currency))),
            }
            for item in paying
        ]
        self._balance(values, liquidity)
        released = returns.release(paying)
        made = self._replace(self.line, suspense, values)
        for new, item in zip(made, paying, strict=True):
            (new + item).with_context(**NOT_MANUALLY).reconcile()
        return Booked({self.line.id: made.ids}, released, sets_partner)

    def _check_returnable(self, paying, documents):
        total = sum(paying.mapped("amount_currency"))
        if (
            not paying
            or not all(returns.settled_by(item) for item in paying)
            or paying.company_id != self.company
            or paying.currency_id != self.currency
            or set(paying.mapped("parent_state")) != {"posted"}
            or documents.statement_line_id
            or self.currency.compare_amounts(total, self.line.amount)
        ):
            raise self._refuse(self.line)


def fee_of(line):
    """A payment service's fee for a payout, with the sign of the line."""
    payout = (line.transaction_details or {}).get("payout") or {}
    return float(
        fee_of_payout(Decimal(repr(line.amount)), line.currency_id.name, payout.get("amount"), payout.get("currency"))
    )


def transferred(line):
    """The amount that arrives at the other side of a transfer."""
    return line.amount - fee_of(line)
