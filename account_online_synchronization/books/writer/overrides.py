"""Finds the steps of creating a line that other addons extend.

The bulk writer replaces only what Odoo and the dependencies of Accounting do. What any other addon does to a line must
be done, too. There is no list of such addons: :mod:`.calls` names the methods of Odoo that the writer skips, and the
classes in the MRO of the model are searched for overrides.
"""

import functools

from odoo.modules.module import Manifest

from .calls import COMPUTING, REPLAYED, SKIPPED

OURS = "account_online_synchronization"


@functools.cache
def known_addons():
    """:return: set of the addons whose work the bulk writer knows: this one and its dependencies"""
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
        # Why also without a name: Odoo compiles small functions from text.
        return parts[0] in ("odoo", "")
    return parts[2] in known_addons() and "tests" not in parts


def skipped_overrides(env):
    """:return: sorted names of methods of other addons that would not be called for lines that the writer writes"""
    skipped = [*_overrides(env, SKIPPED), *_overrides(env, REPLAYED, below=OURS)]
    for model in REPLAYED:
        skipped += [f"{field._module}: {field}" for field in _others_defaults_with_work(env[model])]
    return sorted(skipped)


def extended_computations(env):
    """:return: set of the computations, as ``model.method``, that use a method which another addon extends"""
    return {computation for computation, methods in COMPUTING.items() if any(_overrides(env, methods))}


def _overrides(env, methods, below=None):
    """
    :param methods: dict from model to names of methods
    :param str below: only what comes after this addon's methods, where the writer ends the chain
    :return: ``module: model.method`` of each that another addon extends
    """
    for model, names in methods.items():
        for name in names if model in env else ():
            parents = [parent for parent in type(env[model]).__mro__ if name in parent.__dict__]
            if below:
                own = [number for number, parent in enumerate(parents) if below in parent.__module__.split(".")[2:3]]
                parents = parents[max(own) + 1 :]
            modules = (getattr(parent.__dict__[name], "__module__", None) or "odoo" for parent in parents)
            yield from (f"{module}: {model}.{name}" for module in modules if not is_known(module))


def _others_defaults_with_work(model):
    """Fields of other addons whose defaults do more for a new record than fill a column."""
    return [
        field
        for field in model._fields.values()
        if field.default
        and not _is_of_known_addon(field)
        and (field.type == "one2many" or (field.inverse and not _is_known_way(model, field.inverse)))
    ]


def others_triggers(env, models):
    """
    :param models: names of models
    :return: dict from them to the trees of Odoo's triggers, with those stored fields of all other models that an
        addon or a user has added, or whose computation another addon extends
    """

    def is_wanted(field):
        # Why not statements: they are updated after all lines exist.
        if not (field.store and field.compute) or field.model_name in (*models, "account.bank.statement"):
            return False
        model = env[field.model_name]
        return field.manual or not (_is_of_known_addon(field) and _is_known_way(model, field.compute))

    trees = {name: env.registry.get_trigger_tree([*env[name]._fields.values()], select=is_wanted) for name in models}
    return {name: tree for name, tree in trees.items() if tree}


def others_extend(model, *names):
    """:return: whether another addon extends one of these methods"""
    return not all(_is_known_method(model, name) for name in names)


def others_compute(model):
    """
    :param model: empty recordset
    :return: list of stored fields that another addon has added, or whose computation it extends
    """
    return [
        field
        for field in model._fields.values()
        if field.store and field.compute and not (_is_of_known_addon(field) and _is_known_way(model, field.compute))
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


def _is_known_way(model, way):
    """:param way: function, or name of a method, that computes or writes a field"""
    return _is_known_function(way) if callable(way) else _is_known_method(model, way)


def _is_known_method(model, name):
    functions = (parent.__dict__.get(name) for parent in type(model).__mro__)
    return all(_is_known_function(function) for function in functions if function)


def _is_known_function(function):
    return is_known(getattr(function, "__module__", "odoo"))
