"""Creates a reconciliation model of Odoo from repeated equal bookings of users."""

import re

from odoo import Command
from odoo.exceptions import UserError

from ..matching.memory import MOST_WORDS, likeness, words_of
from ..matching.rules import RuleBook
from .read import JournalReader, rule_of


def values_of_rule(decision):
    """
    :param decision: ``account.reconcile.decision`` that was found by earlier bookings
    :return: values of an ``account.reconcile.model`` with the same effect
    :raise UserError: if a rule would also book other lines
    """
    line = decision.statement_line_id
    counterparts = decision.counterparts or []
    reader = JournalReader(line.journal_id)
    (fact,) = reader.lines(line.ids)
    alike = likeness(fact)
    if decision.step != "memory" or len(counterparts) != 1 or not alike:
        raise UserError(decision.env._("A rule can only be made of a proposal that follows from earlier bookings."))
    partner = line.partner_id.commercial_partner_id
    if alike.who and not partner:
        raise UserError(
            decision.env._(
                "The rule has to apply to this counterparty only, and Odoo's rules know counterparties as partners. "
                "Set the partner of the bank line, then make the rule."
            )
        )
    values = _values(decision, counterparts[0], words_of(fact)[:MOST_WORDS], partner)
    _check_with_past(decision, reader, values)
    return values


def _values(decision, one, words, partner):
    line = decision.statement_line_id
    item = {
        "account_id": one["key"],
        "amount_type": "percentage",
        "amount_string": "100",
        "partner_id": one["partner"],
        "tax_ids": [Command.set(one["taxes"])],
        "analytic_distribution": one["analytic"],
    }
    values = {
        "name": " ".join(words).capitalize() or partner.name,
        "company_id": line.company_id.id,
        "trigger": "auto_reconcile",
        "match_journal_ids": [Command.set(line.journal_id.ids)],
        "match_partner_ids": [Command.set(partner.ids)],
        "line_ids": [Command.create(item)],
    }
    if words:
        # Why not the whole text: it contains days and numbers, which differ each time.
        values |= {"match_label": "match_regex", "match_label_param": r"\b.{0,60}?\b".join(map(re.escape, words))}
    return values


def _check_with_past(decision, reader, values):
    """Refuse a rule that would have booked lines of the past year differently from the user."""
    rule = RuleBook([rule_of(decision.env["account.reconcile.model"].new(values))])
    (item,) = (command[2] for command in values["line_ids"])
    others = [
        line
        for line, account in reader.booked_lines()
        if account != item["account_id"] and rule.apply(line, line.partner)
    ]
    if others:
        raise UserError(
            decision.env._(
                "Such a rule would also have applied to %(count)s lines of the past year that were booked differently, "
                "such as “%(label)s”. Make a narrower rule under Reconciliation Models.",
                count=len(others),
                label=others[0].label,
            )
        )
