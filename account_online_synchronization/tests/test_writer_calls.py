import functools
import sys
from collections import defaultdict
from contextlib import contextmanager
from datetime import date
from unittest.mock import patch

from odoo.addons.bank_sync_common.models.server_fields import ServerFields
from odoo.fields import Command
from odoo.models import BaseModel
from odoo.tests import tagged

from ..books.writer import BULK, bulk
from ..books.writer.calls import CALLED_ONCE, COMPUTING, REPLAYED, SKIPPED
from ..books.writer.columns import GIVEN
from ..books.writer.overrides import is_known
from .writer_common import WriterCommon

LINE, MOVE, ITEM = "account.bank.statement.line", "account.move", "account.move.line"

#: An extension of a method that more computations than this use is left to Odoo.
MOST_COMPUTATIONS = 3

#: Models of which rows are written.
WRITTEN = (LINE, MOVE, ITEM, "mail.message", "mail.followers")

#: Methods of the ORM that values pass through; all others read, or do the same for every model.
STORING = (
    "create",
    "write",
    "unlink",
    "_create",
    "_add_missing_default_values",
    "default_get",
)

#: Access rights, and where Odoo keeps its configuration, are read everywhere, and are not part of a line.
SURROUNDINGS = ("res.users", "res.groups", "res.groups.privilege", "res.lang")


class Calls:
    """Records the methods of core that run for records, by Python's tracing hook.

    ``seen`` maps ``(model, method)`` to the set of what they ran for: the computation of a field, as ``model.method``,
    or an empty text.
    """

    def __init__(self, registry):
        self.seen = defaultdict(set)
        models = list(registry.values())
        self.names = {name for model in models for name in dir(model) if _may_be_wanted(name)}
        self.computations = {field.compute for model in models for field in model._fields.values() if field.compute}
        self.code = {}

    @contextmanager
    def recording(self):
        before = sys.gettrace()
        sys.settrace(self._note)
        try:
            yield
        finally:
            sys.settrace(before)

    def _note(self, frame, _event, _argument):
        # Why so short: every call of a function comes here, millions of them.
        _code, may_be_wanted = self.code.get(id(frame.f_code)) or self._look_at(frame.f_code)
        if may_be_wanted:
            name = frame.f_code.co_name
            if (records := _records(frame)) is not None and _is_work(records, name):
                self.seen[records._name, name].add(self._computation(frame))

    def _look_at(self, code):
        """:return: (code, whether its calls may be wanted); it is kept, so that no other code gets its id"""
        entry = self.code[id(code)] = (code, bool(code.co_argcount) and code.co_name in self.names)
        return entry

    def _computation(self, frame):
        """:return: the innermost computation of fields that a call is part of"""
        while frame := frame.f_back:
            name = frame.f_code.co_name
            # Why the name first: to look into a frame takes long, and there are many.
            records = _records(frame) if name in self.computations else None
            if records is not None and _is_computation(type(records), name):
                return f"{records._name}.{name}"
        return ""


def _may_be_wanted(name):
    return not name.startswith("__") and (name in STORING or not hasattr(BaseModel, name))


def _records(frame):
    """:return: the recordset that a known method was called with, or None"""
    code = frame.f_code
    if code.co_argcount and is_known(frame.f_globals.get("__name__", "")):
        records = frame.f_locals.get(code.co_varnames[0])
        if isinstance(records, BaseModel) and hasattr(records, "_ids"):
            return records
    return None


def _is_work(records, name):
    # Why not without records: core calls unlink() and others for none at all.
    return _is_wanted(type(records), name) and (
        bool(records._ids) or getattr(getattr(type(records), name), "_api_model", False)
    )


@functools.cache
def _is_wanted(model, name):
    if model._name.startswith("ir.") or model._name in SURROUNDINGS or not _may_be_wanted(name):
        return False
    # Why: computations and constraints of other addons are found by their fields, and among the model's constraints.
    if not hasattr(model, name) or _is_computation(model, name) or hasattr(getattr(model, name), "_constrains"):
        return False
    # Why: these check what users send, and the values that the writer gets are the server's.
    if name in vars(ServerFields) and not hasattr(BaseModel, name):
        return False
    # Why: what is tracked of records that stand already was changed before.
    if name.startswith("_track_") and model._name not in WRITTEN:
        return False
    return name not in STORING or model._name in WRITTEN


@functools.cache
def _is_computation(model, name):
    return any(field.compute == name for field in model._fields.values())


@tagged("post_install", "-at_install")
class TestWriterCalls(WriterCommon):
    """The methods of Odoo that the bulk writer skips are known by name, so that every extension of one is found."""

    def test_methods_of_odoo_that_the_writer_skips(self):
        odoo, ours = Calls(self.registry), Calls(self.registry)
        for values, env in self.kinds():
            self.record(values, env, odoo, ours)
        skipped, computing = defaultdict(set), defaultdict(lambda: defaultdict(set))
        for (model, name), reasons in odoo.seen.items():
            # Why: what the writer itself calls, for a batch or for a line, is called.
            is_called = "" in ours.seen[model, name] or name in (
                REPLAYED.get(model, set()) | CALLED_ONCE.get(model, set())
            )
            left = {one for one in reasons - ours.seen[model, name] if self.is_stored(one)}
            computations = {one for one in left if self.is_computable(one)}
            if left and not is_called and 0 < len(computations) <= MOST_COMPUTATIONS:
                for computation in computations:
                    computing[computation][model].add(name)
            elif left and not is_called:
                skipped[model].add(name)
        self.assertEqual(self.listed(skipped), self.listed(SKIPPED))
        self.assertEqual(computing, COMPUTING)

    @staticmethod
    def listed(calls):
        """:return: sorted texts, of which a failed comparison shows those that differ"""
        return sorted(f"{model}.{name}" for model, names in calls.items() for name in names)

    def is_computable(self, computation):
        """Whether the fields of a computation may be left to Odoo, once the rows are written."""
        model, _dot, name = computation.rpartition(".")
        names = {field.name for field in self.env[model]._fields.values() if field.compute == name} if model else set()
        return model in GIVEN and not names & GIVEN[model]

    def is_stored(self, computation):
        model, _dot, name = computation.rpartition(".")
        fields = self.env[model]._fields.values() if model else ()
        return not model or any(field.store for field in fields if field.compute == name)

    def record(self, values, env, odoo, ours):
        writer = bulk.Bulk()
        # Why: steps in which Odoo does nothing are taken where another addon extends them, and are no reason then.
        with patch.object(bulk, "others_extend", lambda _model, *names: "_compute_field_value" not in names):
            for context in ({}, {BULK: writer}):
                with self.env.cr.savepoint() as savepoint:
                    # Why: so that what is read and cached once is asked in both ways.
                    self.env.flush_all()
                    self.env.invalidate_all()
                    self.registry.clear_all_caches()
                    with self.recording_writer(ours) if context else odoo.recording():
                        env[LINE].sudo().with_context(**context).create([dict(one) for one in values])
                        self.env.flush_all()
                    savepoint.rollback()
        self.assertIsNone(writer.reason)

    @contextmanager
    def recording_writer(self, calls):
        """Record what runs for the lines besides the pilot, which Odoo creates."""
        create_lines = bulk.Bulk.create_lines

        def recorded(writer, model, vals_list, create):
            def unrecorded(pilot):
                trace = sys.gettrace()
                sys.settrace(None)
                try:
                    lines = create(pilot)
                    lines.env.flush_all()
                    return lines
                finally:
                    sys.settrace(trace)

            with calls.recording():
                return create_lines(writer, model, vals_list, unrecorded)

        with patch.object(bulk.Bulk, "create_lines", recorded):
            yield

    def kinds(self):
        """:return: iterable of ``(values, env)`` that together take Odoo through all of its ways with bank lines"""
        env, count = self.env, {"count": 25}
        yield self.some_lines(**count), env
        yield [{**one, "partner_id": False, "ref": False} for one in self.some_lines(1, **count)], env
        nothing = {"amount": 0.0, "foreign_currency_id": False, "amount_currency": 0.0}
        yield [{**one, **nothing} for one in self.some_lines(1, **count)], env
        statement = env["account.bank.statement"].create({"name": "S", "balance_start": 10.0})
        yield [{**one, "statement_id": statement.id} for one in self.some_lines(2, **count)], env
        yield self.some_lines(3, journal=self.company_data["default_journal_credit"], **count), env
        yield self.some_lines(4, **count), env(user=env.ref("base.user_root"))
        yield self.some_lines(4, **count), env(context={"mail_create_nosubscribe": True})
        self.company.write(
            {"restrictive_audit_trail": True, "tax_exigibility": True, "tax_lock_date": date(2026, 3, 31)}
        )
        self.journal.suspense_account_id.reconcile = True
        country = env.ref("base.be")
        env["account.fiscal.position"].create(
            {"name": "Belgium", "auto_apply": True, "country_id": country.id, "company_id": self.company.id}
        )
        self.partners[:2].country_id = country
        yield self.some_lines(5, **count), env
        plan = env["account.analytic.plan"].create({"name": "Plan"})
        analytic = env["account.analytic.account"].create({"name": "A", "plan_id": plan.id})
        env["account.analytic.distribution.model"].create(
            {"partner_id": self.partners[0].id, "analytic_distribution": {analytic.id: 100}}
        )
        self.company.child_ids = [Command.create({"name": "Branch"})]
        yield self.some_lines(6, **count), env
        self.journal.currency_id = self.dollar
        yield self.some_lines(7, **count), env
