"""Whose code runs while Odoo creates a line.

The bulk writer replaces what Odoo and the addons below Accounting do, and nothing else. What any other addon does to
a line has to be done as well. Nobody keeps a list of such addons: Odoo is watched while it creates one line, and the
bulk writer is watched, too. Code of others that ran for the one and not for the other would have been skipped.
"""

import functools
import sys

from odoo.models import BaseModel
from odoo.modules.module import Manifest

OURS = "account_online_synchronization"


@functools.cache
def known_addons():
    """:return: set of the addons whose work the bulk writer knows: ours and all that it depends on"""
    known, todo = set(), [OURS, "base"]
    while todo:
        name = todo.pop()
        if name not in known:
            known.add(name)
            todo += Manifest.for_addon(name)["depends"]
    return known


def is_known(module):
    """:param str module: name of the Python module that a function or class was defined in"""
    parts = module.split(".")
    if parts[:2] != ["odoo", "addons"]:
        # Why also without a name: Odoo makes small functions from text.
        return parts[0] in ("odoo", "")
    return parts[2] in known_addons() and "tests" not in parts


class Watch:
    """Collects the functions of unknown code that are called with records.

    ``seen`` maps code objects to ``addon: model.function``. It uses the hook that debuggers use, for calls only.
    """

    def __init__(self):
        self.seen = {}
        self._known = {}

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self._note_call)
        return self

    def __exit__(self, *_exception):
        sys.settrace(self._before)

    def _note_call(self, frame, _event, _argument):
        code = frame.f_code
        known = self._known.get(code)
        if known is None:
            known = is_known(frame.f_globals.get("__name__", "")) or not code.co_argcount
            # Why not lambdas: they are part of a method, which is noted; as a default or computation of a field they
            # are found by others_default() and others_compute().
            self._known[code] = known = known or code.co_name == "<lambda>"
        if not known and code not in self.seen:
            records = frame.f_locals.get(code.co_varnames[0])
            if isinstance(records, BaseModel) and _does_something(records, code.co_name):
                self.seen[code] = f"{frame.f_globals['__name__']}: {records._name}.{code.co_name}"


def _does_something(records, name):
    """Why not everything: core calls ``unlink`` and others for no records at all; and who may read what, and where
    Odoo keeps its own things, is asked in every method and is no part of a line.
    """
    if records._name.startswith("ir.") or records._name in ("res.users", "res.groups"):
        return False
    if _computes_nothing_stored(records, name):
        return False
    return records or getattr(getattr(type(records), name, None), "_api_model", False)


def _computes_nothing_stored(records, name):
    """Whether it only answers who looks at a field: now, later or never, so that nothing of it stays."""
    computed = [field.store for field in records._fields.values() if field.compute == name]
    return bool(computed) and not any(computed)


def others_extend(model, *names):
    """:return: whether another addon has a word in one of these methods"""
    return not all(_is_known_method(model, name) for name in names)


def others_compute(model):
    """
    :param model: empty recordset
    :return: list of stored fields that another addon has added, or in whose computation it has a word
    """
    return [
        field
        for field in model._fields.values()
        if field.store and field.compute and not (_is_of_known_addon(field) and _is_computed_by_known(model, field))
    ]


def others_default(model):
    """:return: names of columns whose default is computed by another addon"""
    return [
        field.name
        for field in model._fields.values()
        if field.store and field.column_type and field.default and not _is_known_function(field.default)
    ]


def others_checks(model):
    """:return: the constraint methods of other addons"""
    return [check for check in model._constraint_methods if not _is_known_function(check)]


def _is_of_known_addon(field):
    return not field._module or field._module in known_addons()


def _is_computed_by_known(model, field):
    return _is_known_function(field.compute) if callable(field.compute) else _is_known_method(model, field.compute)


def _is_known_method(model, name):
    functions = (parent.__dict__.get(name) for parent in type(model).__mro__)
    return all(_is_known_function(function) for function in functions if function)


def _is_known_function(function):
    return is_known(getattr(function, "__module__", "odoo"))
