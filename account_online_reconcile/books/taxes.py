"""A counterpart with taxes, split into its base and its taxes by Odoo's own tax engine.

The bank's amount is always the amount paid, so it includes every tax, also those that are not configured as included in
prices: base and taxes add up exactly to the amount, in both currencies.
"""

from odoo import Command


def tax_lines(
    env,
    account,
    taxes,
    amount_currency,
    currency,
    date,
    partner,
    company,
    *,
    balance=None,
    label="",
    analytic=None,
    is_exigible=True,
):
    """
    :param account: ``account.account`` of the base
    :param taxes: ``account.tax``, in any order; empty for one item without taxes
    :param float amount_currency: of base and taxes together, with the sign of the journal items: debit is positive
    :param date: of the entry, for the rate if there is no ``balance``
    :param partner: ``res.partner``, may be empty
    :param float balance: the same amount in the company's currency, None to convert it at the day's rate
    :param label: of the base; a tax has its own name
    :param dict analytic: distribution of the base; taxes get it if they are configured so
    :param bool is_exigible: False in an entry that also has receivables or payables: when those are reconciled, Odoo
        makes cash-basis taxes due, also those that are due already
    :return: list of values of ``account.move.line``: the base first, then its taxes
    """
    amount_currency = currency.round(amount_currency)
    if balance is None:
        balance = currency._convert(amount_currency, company.currency_id, company, date)
    base = {
        "account_id": account.id,
        "partner_id": partner.id,
        "name": label,
        "currency_id": currency.id,
        "amount_currency": amount_currency,
        "balance": company.currency_id.round(balance),
    }
    if analytic:
        base["analytic_distribution"] = analytic
    if not taxes:
        return [base]
    computed = env["account.tax"]._prepare_base_line_for_taxes_computation(
        base,
        account_id=account,
        partner_id=partner,
        currency_id=currency,
        tax_ids=taxes.sorted(lambda tax: (tax.sequence, tax.id)),
        price_unit=amount_currency,
        quantity=1.0,
        rate=abs(amount_currency / balance) if balance else 0.0,
        special_mode="total_included",
        is_refund=_is_refund(taxes, amount_currency),
        analytic_distribution=analytic or False,
    )
    found = _compute(env, computed, company, is_exigible)
    ((_base, amounts),) = found["base_lines_to_update"]
    base["tax_ids"] = [Command.set(taxes.ids)]
    base["tax_tag_ids"] = amounts["tax_tag_ids"]
    # Why not the engine's: a rounding difference belongs to the base, because the tax amount is declared.
    base["amount_currency"] = currency.round(
        amount_currency - sum(one["amount_currency"] for one in found["tax_lines_to_add"])
    )
    base["balance"] = company.currency_id.round(
        base["balance"] - sum(one["balance"] for one in found["tax_lines_to_add"])
    )
    return [base, *found["tax_lines_to_add"]]


def _is_refund(taxes, amount_currency):
    """As core's ``account.move.line.is_refund`` in an entry that is not an invoice."""
    uses = set(taxes.mapped("type_tax_use"))
    if {"sale", "purchase"} <= uses:
        return amount_currency > 0
    use = taxes[:1].type_tax_use
    return (use == "sale" and amount_currency > 0) or (use == "purchase" and amount_currency < 0)


def _compute(env, line, company, is_exigible):
    engine = env["account.tax"]
    engine._add_tax_details_in_base_lines([line], company)
    engine._round_base_lines_tax_details([line], company)
    engine._add_accounting_data_in_base_lines_tax_details([line], company, include_caba_tags=is_exigible)
    return engine._prepare_tax_lines([line], company)
