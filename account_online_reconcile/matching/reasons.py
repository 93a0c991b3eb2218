"""The sentences for reasons of decisions. The codes are stable; Odoo translates the sentences when it shows them.

>>> say(Reason("reference", ("INV/2026/00042",)))
'The payment names INV/2026/00042.'
"""

from .facts import Reason

SENTENCES = {
    # Evidence for it.
    "reference": "The payment names %s.",
    "end_to_end": "The payment has the end-to-end ID of %s.",
    "partner": "The counterparty is the partner of the document.",
    "amount": "The amount equals the open balance.",
    "sum": "The amounts of the documents add up to the payment.",
    "all_open": "The payment is all that is open for the partner.",
    "foreign": "The amount before the bank's conversion, %s, equals the open balance.",
    "discount": "The amount is what is due with the early payment discount until %s.",
    "charges": "The payment is short by %s, presumably bank charges; this is within your limit.",
    "fee": "The payout is the sum of the payments less a fee of %s.",
    "batch": "The payments that were registered on %s add up to this amount; nothing else confirms it.",
    "in_transit": "A payment of this amount was registered and is in transit.",
    "own_transfer": "The other side of this transfer is a line of another journal of yours.",
    "payout": "The other side is a payout of the payment service, which the bank's text names.",
    "rule": "The rule “%s” applies.",
    "memory": "You have booked similar payments this way before: %s times.",
    "payout_fee": (
        "The payment service deducted a fee of %s, which is booked on its journal's account for bank charges."
    ),
    # Reasons against an automatic booking.
    "no_fee_account": "Its journal has no account for bank charges: choose one in the settings of the journal.",
    "ambiguous": "Several documents fit equally well.",
    "partner_has_one_too": "The counterparty has an open document of this amount, and it is another one.",
    "named_in_part": "The payment names %s only in part, and nothing confirms whose payment it is.",
    "other_partner": "The counterparty is not the partner of the document.",
    "other_account": "The counterparty has the partner's name, but not an account number of the partner.",
    "part": "The payment is less than what is open: %s would be left open.",
    "over": "The payment is more than what is open: %s would be left.",
    "late_discount": "The early payment discount ended on %s.",
    "other_currency": "The document is in another currency, and the bank does not state the amount in it.",
    "names_others": "The payment also names %s, which is not open.",
    "names_settled": "The payment also names a document that %s has paid already.",
    "names_other_direction": "The payment names %s, but goes in the other direction.",
    "unknown_reference": "The payment carries the reference %s, which no open document has.",
    "amount_only": "The amount fits, but neither a reference nor the partner confirms it.",
    "with_others": "With other open documents of the partner the amounts add up.",
    "not_dated_yet": "The document is dated after the payment.",
    "returned": "This is the return of the payment %s: booking it reopens what that payment had paid.",
    "claimed_twice": "Another line fits the same document.",
    "unconfirmed_transfer": "The amounts are opposite, but no account number confirms the transfer.",
    "unconfirmed_payout": "The amount is that of a payment service's payout, but the bank's text does not name it.",
    "rule_is_manual": "The rule is not automated.",
    "rule_leaves_rest": "The lines of the rule do not add up to the payment: %s would be left.",
    "not_switched_on": "Automatic booking is not switched on for this.",
    "above_limit": "The payment is above %s, your limit for automatic booking.",
}


def say(reason):
    """:return: the English sentence of a :class:`~.facts.Reason`"""
    return SENTENCES[reason.code] % reason.values if reason.values else SENTENCES[reason.code]


__all__ = ["SENTENCES", "Reason", "say"]
