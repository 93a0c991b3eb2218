"""Classifies the columns of a new line: equal for all lines, computed here, or computed by Odoo for each line.

It follows Odoo's own dependency graph: columns that do not depend on values that differ between lines are copied, and
dependent ones that :mod:`.rows` does not compute are computed by Odoo.
"""

from odoo import fields
from odoo.models import MAGIC_COLUMNS

from .overrides import extended_computations, others_compute, others_default

LINE, MOVE, ITEM = "account.bank.statement.line", "account.move", "account.move.line"

#: Values that are given to ``create()``, so that Odoo does not compute them.
GIVEN = {
    LINE: {"move_id", "journal_id", "company_id"},
    MOVE: {
        "journal_id",
        "date",
        "ref",
        "partner_id",
        "statement_line_id",
        "name",
        "sequence_prefix",
        "sequence_number",
    },
    ITEM: {"move_id", "name", "partner_id", "account_id", "currency_id", "amount_currency", "debit", "credit"},
}

#: Columns that :mod:`.rows` computes.
DESCRIBED = {
    LINE: {"amount_currency", "amount_residual", "is_reconciled", "internal_index"},
    MOVE: {"currency_id", "amount_total", "amount_total_signed", "amount_total_in_currency_signed"},
    ITEM: {
        "amount_residual",
        "amount_residual_currency",
        "balance",
        "date",
        "move_name",
        "price_subtotal",
        "price_total",
        "reconciled",
        "ref",
        "statement_id",
        "statement_line_id",
    },
}

#: Columns that depend on differing values, but are equal for all entries of a journal's statement lines: Odoo computes
#: them for invoices only, or from the accounts, the journal, the company or the day of creation.
SAME = {
    LINE: {"currency_id"},
    MOVE: {
        "always_tax_exigible",
        "amount_residual",
        "amount_residual_signed",
        "amount_tax",
        "amount_tax_signed",
        "amount_untaxed",
        "amount_untaxed_in_currency_signed",
        "amount_untaxed_signed",
        "auto_post_until",
        "checked",
        "company_id",
        "delivery_date",
        "invoice_currency_rate",
        "invoice_date_due",
        "invoice_incoterm_id",
        "is_storno",
        # Why: the numbers of a batch are consecutive.
        "made_sequence_gap",
        # Why: Odoo keeps values given to create().
        "narration",
        "payment_reference",
        "payment_state",
    },
    ITEM: {
        "company_currency_id",
        "company_id",
        "display_type",
        "invoice_date",
        "is_storno",
        "journal_id",
        "no_followup",
        "parent_state",
        "payment_id",
        "price_unit",
        "product_uom_id",
        "quantity",
        "sequence",
    },
}


class Columns:
    """
    :param env: environment
    :param values: values of one line; all others have the same keys
    :ivar own: names of the line's own columns, among the keys of ``values``
    :ivar of_partner: fields of ``account.move`` that follow from its partner and currency
    :ivar computed: dict from model to fields that Odoo computes after the rows are written
    :ivar defaults: dict from model to names of columns whose default another addon computes
    """

    def __init__(self, env, values):
        self.env = env
        self.own = {name for name, field in env[LINE]._fields.items() if name in values and _is_own(field)}
        self.fields = {name: env[LINE]._fields[name] for name in self.own}
        partner = _dependents(env.registry, [env[MOVE]._fields["partner_id"]])
        self.of_partner = [field for field in partner if field.model_name == MOVE and self._is_open(field)]
        differing = {LINE: self.own, MOVE: GIVEN[MOVE] | {"currency_id"}, ITEM: GIVEN[ITEM] | {"statement_line_id"}}
        seeds = [env[name]._fields[field] for name, some in differing.items() for field in some]
        changing = _dependents(env.registry, seeds)
        extended = extended_computations(env)
        self.computed = {name: self._computed(env[name], changing, extended) for name in GIVEN}
        self.defaults = {name: others_default(env[name]) for name in GIVEN}

    def _computed(self, model, changing, extended):
        unknown = [field for field in changing if field.model_name == model._name and self._is_open(field)]
        # sudo: checks only whether any such record exists, to know what Odoo would compute
        if not self.env["account.analytic.distribution.model"].sudo().search_count([], limit=1):
            unknown = [field for field in unknown if field.name != "analytic_distribution"]
        others = others_compute(model)
        others += [
            field
            for field in model._fields.values()
            if field.store and f"{model._name}.{field.compute}" in extended and field not in others
        ]
        others = [field for field in others if field.name not in GIVEN[model._name]]
        return [*others, *(field for field in unknown if field not in self.of_partner and field not in others)]

    @staticmethod
    def _is_open(field):
        known = (GIVEN, DESCRIBED, SAME)
        return field.column_type and not any(field.name in names[field.model_name] for names in known)

    def given(self, values):
        """:return: the line's own columns, as JSON has them"""
        return {name: plain(field, values[name]) for name, field in self.fields.items()}

    def complete(self, model, rows):
        """Add columns that must not be copied: those that Odoo will compute, and defaults computed by other addons."""
        if not rows or model._name not in GIVEN:
            return rows
        # Why empty: computations often keep existing values.
        # Why not NULL for all: it reads as False or zero, and Odoo does not write a value equal to the one read.
        empty = {
            field.name: plain(field, False)
            for field in self.computed[model._name]
            if field.column_type and not field.required and field.name not in rows[0]
        }
        names = [name for name in self.defaults[model._name] if name not in rows[0] and name not in empty]
        for row in rows:
            found = model.default_get(names) if names else {}
            row.update({**empty, **{name: plain(model._fields[name], found.get(name)) for name in names}})
        return rows


def plain(field, value):
    """A value of a field, as JSON has it for PostgreSQL."""
    if field.type == "boolean":
        return bool(value)
    if field.type in ("integer", "float", "monetary"):
        return value or 0
    if value in (None, False, ""):
        return None
    if field.type in ("date", "datetime"):
        return fields.Datetime.to_string(value) if field.type == "datetime" else fields.Date.to_string(value)
    return value


def _is_own(field):
    return (
        field.store
        and field.column_type
        and field.name not in MAGIC_COLUMNS
        and field.type not in ("binary", "properties", "reference")
        and not (field.inverse or field.company_dependent or getattr(field, "translate", False))
        and (not field.compute or field.name == "amount_currency")
    )


def _dependents(registry, seeds):
    """:return: list of all stored fields that depend on others, also indirectly"""
    triggers, seen, todo = registry._field_triggers, set(seeds), list(seeds)
    while todo:
        for targets in triggers.get(todo.pop(), {}).values():
            for field in targets:
                if field not in seen:
                    seen.add(field)
                    todo.append(field)
    # Why sorted: the number of Odoo's queries depends on the order.
    return sorted((field for field in seen if field.store and field not in seeds), key=str)
