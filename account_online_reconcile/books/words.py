"""The matcher's reasons in the reader's language. The English sentences are those of :mod:`..matching.reasons`."""

from datetime import date

from odoo.tools.misc import format_date

from ..matching.facts import Money


def sentences(env):
    """:return: dict from a reason's code to its sentence"""

    return {
        "reference": env._("The payment names %s."),
        "end_to_end": env._("The payment has the end-to-end ID of %s."),
        "partner": env._("The counterparty is the partner of the document."),
        "amount": env._("The amount equals the open balance."),
        "sum": env._("The amounts of the documents add up to the payment."),
        "all_open": env._("The payment is all that is open for the partner."),
        "foreign": env._("The amount before the bank's conversion, %s, equals the open balance."),
        "discount": env._("The amount is what is due with the early payment discount until %s."),
        "charges": env._("The payment is short by %s, presumably bank charges; this is within your limit."),
        "fee": env._("The payout is the sum of the payments less a fee of %s."),
        "batch": env._("The payments that were registered on %s add up to this amount; nothing else confirms it."),
        "in_transit": env._("A payment of this amount was registered and is in transit."),
        "own_transfer": env._("The other side of this transfer is a line of another journal of yours."),
        "payout": env._("The other side is a payout of the payment service, which the bank's text names."),
        "payout_fee": env._(
            "The payment service deducted a fee of %s, which is booked on its journal's account for bank charges."
        ),
        "no_fee_account": env._(
            "Its journal has no account for bank charges: choose one in the settings of the journal."
        ),
        "rule": env._("The rule “%s” applies."),
        "memory": env._("You have booked similar payments this way before: %s times."),
        "ambiguous": env._("Several documents fit equally well."),
        "partner_has_one_too": env._("The counterparty has an open document of this amount, and it is another one."),
        "named_in_part": env._("The payment names %s only in part, and nothing confirms whose payment it is."),
        "other_partner": env._("The counterparty is not the partner of the document."),
        "other_account": env._("The counterparty has the partner's name, but not an account number of the partner."),
        "part": env._("The payment is less than what is open: %s would be left open."),
        "over": env._("The payment is more than what is open: %s would be left."),
        "late_discount": env._("The early payment discount ended on %s."),
        "other_currency": env._("The document is in another currency, and the bank does not state the amount in it."),
        "names_others": env._("The payment also names %s, which is not open."),
        "names_settled": env._("The payment also names a document that %s has paid already."),
        "names_other_direction": env._("The payment names %s, but goes in the other direction."),
        "unknown_reference": env._("The payment carries the reference %s, which no open document has."),
        "amount_only": env._("The amount fits, but neither a reference nor the partner confirms it."),
        "with_others": env._("With other open documents of the partner the amounts add up."),
        "not_dated_yet": env._("The document is dated after the payment."),
        "returned": env._("This is the return of the payment %s: booking it reopens what that payment had paid."),
        "claimed_twice": env._("Another line fits the same document."),
        "unconfirmed_transfer": env._("The amounts are opposite, but no account number confirms the transfer."),
        "unconfirmed_payout": env._(
            "The amount is that of a payment service's payout, but the bank's text does not name it."
        ),
        "rule_is_manual": env._("The rule is not automated."),
        "rule_leaves_rest": env._("The lines of the rule do not add up to the payment: %s would be left."),
        "not_switched_on": env._("Automatic booking is not switched on for this."),
        "above_limit": env._("The payment is above %s, your limit for automatic booking."),
    }


def stored(env, reasons):
    """:return: the same list of :class:`~..matching.facts.Reason` as it is stored: [[code, [value, …]], …]"""
    return [[reason.code, [_stored(env, value) for value in reason.values]] for reason in reasons]


def _stored(env, value):
    if isinstance(value, Money):
        # Why the id: the name may change, and is read when the sentence is shown.
        currency = env["res.currency"].with_context(active_test=False).search([("name", "=", value.currency)], limit=1)
        return {"amount": str(value.amount), "currency": currency.id}
    return {"date": value.isoformat()} if isinstance(value, date) else str(value)


def say(env, reasons):
    """:param reasons: list of [code, [value, …]], as they are stored"""
    words = sentences(env)
    return " ".join(
        words[code] % tuple(_spoken(env, value) for value in values) if values else words[code]
        for code, values in reasons
        if code in words
    )


def _spoken(env, value):
    """A value formatted in the reader's language."""
    if not isinstance(value, dict):
        return value
    if "date" in value:
        return format_date(env, value["date"])
    currency = env["res.currency"].browse(value["currency"]).exists()
    return currency.format(float(value["amount"])) if currency else value["amount"]
