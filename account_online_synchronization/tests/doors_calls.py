"""What test_every_door calls, generated from fields and signatures, so that new ones are attacked, too."""

import inspect
from typing import NamedTuple

from odoo import fields
from odoo.models import MAGIC_COLUMNS

from .doors_table import SERVER_FIELDS
from .doors_world import AMOUNTS, TEXTS, is_ours, our_fields, our_models

#: What is written where the original would be a canary, which must come from the server only.
FORGED = "forged"

#: What a new line, entry or journal of Odoo's own models needs.
CORE_VALUES = {
    "account.bank.statement": lambda own: {"name": "own", "journal_id": own.journal.id},
    "account.bank.statement.line": lambda own: {
        "journal_id": own.journal.id,
        "date": str(fields.Date.today()),
        "amount": 2.5,
        "payment_ref": "own",
    },
    "account.journal": lambda own: {"name": "Own", "code": "OWN9", "type": "bank", "company_id": own.company.id},
    "account.move": lambda own: {"move_type": "entry"},
}


class Call(NamedTuple):
    model: str
    method: str
    ids: list | None = None
    arguments: tuple = ()
    named: dict | None = None
    context: dict | None = None
    #: What the call tries, for the sentence about a finding.
    why: str = ""

    def __str__(self):
        some = sorted(self.context or ())
        context = f", with {', '.join(some[:3])}{' …' * (len(some) > 3)} in the context" if some else ""
        return f"{self.model}.{self.method}{self.why and f' ({self.why})'}{context}"


class Generator:
    """:param case: of the test, with its worlds
    :param caller: who calls; ``caller.own`` is the caller's company, ``caller.foreign`` the other one
    """

    def __init__(self, case, caller):
        self.case, self.caller = case, caller
        self.env = case.env(su=True)
        self.models = our_models(self.env)
        self.stored = [name for name in self.models if self._has_table(name)]
        self.target = caller.foreign or caller.own
        #: What was made of the fields: the same for all calls, and reading it again would take most of the time.
        self._made = {}

    def _once(self, make, *key):
        key = (make.__qualname__, *key)
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _has_table(self, model):
        return not self.env[model]._abstract and self.env[model]._auto

    # -------------------------------------------------------------------------
    # FORGED VALUES
    # -------------------------------------------------------------------------

    def ids(self, model):
        """:return: ids of the company that is attacked"""
        return self.case.ids_of(self.target, model)

    def values(self, model, company):
        """What the records of a company have in their fields, as RPC would send it; none of it is a canary."""

        def read_values():
            return self._read_values(model, company)

        return dict(self._once(read_values, model, company.tag))

    def _read_values(self, model, company):
        values = {}
        records = self.env[model].browse(self.case.ids_of(company, model))
        for name, field in self._writable(model).items():
            filled = records.filtered(name)[:1]
            if field.type in ("one2many", "many2many"):
                values[name] = [(4, line) for line in records[name].ids[:3]]
            elif field.type == "many2one":
                values[name] = filled[name].id
            elif filled:
                value = filled.read([name], load=None)[0][name]
                values[name] = self._plain(value, name, company)
        return values

    def _writable(self, model):
        return {
            name: field
            for name, field in our_fields(self.env, model).items()
            if name not in MAGIC_COLUMNS
            and field.type not in ("binary", "properties", "reference")
            and (field.store or field.inverse)
            and not field.related
            and name not in ("message_ids", "activity_ids", "message_follower_ids", "rating_ids")
        }

    def _plain(self, value, name, company):
        if isinstance(value, dict):
            return {key: self._plain(one, name, company) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._plain(one, name, company) for one in value]
        if isinstance(value, str) and TEXTS.search(value):
            return FORGED
        if isinstance(value, int | float) and AMOUNTS.search(str(value)):
            return 1.25
        return value if isinstance(value, bool | int | float | str | type(None)) else str(value)

    def forged_context(self):
        """Defaults for every field of each of our models, the records and the company that are attacked."""
        return self._once(self._make_context)

    def _make_context(self):
        context = {}
        for model in self.stored:
            for name, value in self.values(model, self.target).items():
                context.setdefault(f"default_{name}", value)
        return {
            **context,
            "active_model": "account.journal",
            "active_id": self.target.journal.id,
            "active_ids": self.target.journal.ids,
            "allowed_company_ids": [self.target.company.id],
        }

    # -------------------------------------------------------------------------
    # OWN METHODS
    # -------------------------------------------------------------------------

    def arguments(self, model, method):
        """:return: dict of arguments, all about the company that is attacked"""
        known = {
            "attachment_ids": self.case.attachments_of(self.target),
            "cancelled": "1",
            "challenge": False,
            "code": "client_blocked",
            "country": "BE",
            "cursor": None,
            "fields_to_export": ["id", "display_name"],
            "institution_id": "I1",
            "is_in_window": True,
            "journal_id": self.target.journal.id,
            "key": self.case.group_key(self.target),
            "name": FORGED,
            "query": "",
            **self._reconciling(),
            "vals": {"name": FORGED},
            "vals_list": [self.values(model, self.target)] if self._has_table(model) else [],
        }
        parameters = list(inspect.signature(getattr(type(self.env[model]), method)).parameters)[1:]
        unknown = [name for name in parameters if name not in known and name not in ("args", "kwargs")]
        self.case.assertFalse(unknown, f"Say in doors_calls.py what {model}.{method} is called with.")
        return {name: known[name] for name in parameters if name in known}

    def _reconciling(self):
        """What the reconciliation screen sends."""
        account = self.target.data["default_account_revenue"].id
        part = {"kind": "account", "id": account, "amount": self.target.lines[0].amount, "label": FORGED}
        model = "account.reconcile.decision"
        decisions = self.case.ids_of(self.target, model) if model in self.env else []
        return {
            "account_id": account,
            "decision_id": decisions[0] if decisions else 1,
            "is_to_review": True,
            "offset": 0,
            "part": part,
            "parts": [part],
            "partner_id": False,
            "text": "",
        }

    def call(self, model, method, ids, context=None, why=""):
        function = getattr(type(self.env[model]), method)
        ids = None if getattr(function, "_api_model", False) else ids
        return Call(model, method, ids, named=self.arguments(model, method), context=context, why=why)

    # -------------------------------------------------------------------------
    # ODOO'S OWN METHODS
    # -------------------------------------------------------------------------

    def specification(self, model, depth=2):
        """:return: specification for ``web_read`` and similar methods: everything, along all relations"""

        def make_specification():
            return self._make_specification(model, depth)

        return self._once(make_specification, model, depth)

    def _make_specification(self, model, depth):
        specification, ours = {}, our_fields(self.env, model)
        for name, field in self.env[model]._fields.items():
            if field.groups and not self.caller.user.has_groups(field.groups):
                continue
            if name not in ours:
                continue
            if field.relational and depth and field.comodel_name in self.env:
                below = self.specification(field.comodel_name, depth - 1) if field.comodel_name in self.models else {}
                specification[name] = {"fields": {"display_name": {}, **below}}
            elif field.type not in ("properties", "reference", "many2one_reference"):
                specification[name] = {}
        return specification

    def visible(self, model):
        def find_visible():
            return [
                name
                for name, field in self.env[model]._fields.items()
                if not field.groups or self.caller.user.has_groups(field.groups)
            ]

        return self._once(find_visible, model)

    def reading(self, model):
        """Every way in which Odoo lets a user read records."""
        ids = self.ids(model)
        yield Call(model, "read", ids, (list(our_fields(self.env, model)),))
        yield Call(model, "search", None, ([],))
        yield Call(model, "search_read", None, ([], ["display_name"]))
        yield Call(model, "name_search", None, ("",))
        yield Call(model, "web_read", ids, ({"display_name": {}},))
        yield Call(model, "onchange", [], ({}, [], {"display_name": {}}))
        yield Call(model, "web_search_read", None, ([], self.specification(model, 0)))
        yield Call(model, "formatted_read_group", None, ([], ["create_uid"], ["__count"]))
        # Why ours only: defaults of Odoo's own fields make sequences.
        names = [name for name in self.visible(model) if name in our_fields(self.env, model)]
        yield Call(model, "default_get", None, (names,), context=self.forged_context())
        yield Call(model, "copy_data", ids)
        yield Call(model, "get_metadata", ids)
        yield Call(model, "export_data", ids, (["id", "display_name"],))

    def reading_all(self, model):
        """The same, field by field and along all relations, for a user who may read some records of the model."""
        ids, visible = self.ids(model), self.visible(model)
        ours = [name for name in our_fields(self.env, model) if name in visible]
        stored = [name for name in ours if self.env[model]._fields[name].store]
        of_target = [("id", "in", ids)]
        paths = [
            f"{name}/{below}"
            for name in ours
            for below in ("id", ".id", "display_name")
            if self.env[model]._fields[name].relational
        ]
        yield Call(model, "read", ids, (ours,))
        yield Call(model, "search_read", None, (of_target, ours))
        yield Call(model, "export_data", ids, ([*ours, *paths],))
        yield Call(model, "web_read", ids, (self.specification(model),))
        yield Call(model, "web_search_read", None, (of_target, self.specification(model)))
        for name, along in self.specification(model).items():
            # Why one by one: a relation that is refused must not hide one that is not.
            if along:
                yield Call(model, "web_read", ids, ({name: along},), why=name)
                yield Call(model, "search", None, ([(f"{name}.id", "!=", 0), *of_target],), why=f"along {name}")
        for name in stored:
            yield Call(model, "formatted_read_group", None, ([], [name], ["__count"]), why=f"by {name}")
        numbers = [f"{name}:sum" for name in stored if self.env[model]._fields[name].type in ("monetary", "float")]
        if numbers:
            yield Call(model, "formatted_read_group", None, ([], [], numbers))

    def hidden(self, model):
        """Fields that the caller may not read, through conditions, groups, orders and Python's ways over RPC."""
        ids = self.ids(model)
        for name, field in our_fields(self.env, model).items():
            if field.groups and not self.caller.user.has_groups(field.groups) and field.store:
                yield Call(model, "read", ids, ([name],), why=f"hidden {name}")
                yield Call(model, "search", None, ([(name, "!=", False)],), why=f"hidden {name}")
                yield Call(model, "search", None, ([], 0, 1, f"{name} desc"), why=f"hidden {name} as order")
                yield Call(model, "formatted_read_group", None, ([], [name], ["__count"]), why=f"hidden {name}")
                yield Call(model, "mapped", ids, (name,), why=f"hidden {name}")
                yield Call(model, "filtered_domain", ids, ([(name, "!=", False)],), why=f"hidden {name}")
                yield Call(model, "export_data", ids, ([name],), why=f"hidden {name}")

    def writing(self, model):
        """Every way in which Odoo lets a user change existing records."""
        ids, forged = self.ids(model), self.values(model, self.target)
        yield Call(model, "unlink", ids)
        yield Call(model, "copy", ids, ({},), context=self.forged_context())
        yield Call(model, "name_create", None, (FORGED,), context=self.forged_context())
        yield Call(model, "create", None, (forged,))
        yield Call(model, "web_save", [], (forged, {"display_name": {}}), context=self.forged_context())
        yield Call(model, "load", None, ([".id", "display_name"], [[str(one), FORGED] for one in ids[:2]]))
        if "active" in self.env[model]._fields:
            yield Call(model, "action_archive", ids)
            yield Call(model, "toggle_active", ids)
        if "message_ids" in self.env[model]._fields:
            partner = self.caller.user.partner_id.ids
            yield Call(model, "message_post", ids[:1], named={"body": FORGED})
            yield Call(model, "message_subscribe", ids, (partner,))
            yield Call(model, "message_unsubscribe", ids, (partner,))
            yield Call(model, "message_notify", ids[:1], named={"body": FORGED, "partner_ids": partner})
        if "activity_ids" in self.env[model]._fields:
            yield Call(model, "activity_schedule", ids, named={"act_type_xmlid": "mail.mail_activity_data_todo"})
            yield Call(model, "activity_feedback", ids, (["mail.mail_activity_data_todo"],))

    def our_columns(self, model):
        """Each of our fields, on existing records; on Odoo's models, too.

        Where the model is closed to the caller it is closed for each field, so one is tried.
        """
        ids, is_closed = self.ids(model)[:1], model not in self.may("write")
        stored = [
            (name, field)
            for name, field in our_fields(self.env, model).items()
            if field.store and field.type not in ("one2many", "many2many", "binary", "properties")
        ]
        for name, field in stored[: 1 if is_closed else None]:
            value = FORGED if field.type in ("char", "text", "html") else True
            yield Call(model, "write", ids, ({name: value},), why=name)
            yield Call(model, "web_save", ids, ({name: value}, {}), why=name)
            yield Call(model, "load", None, ([".id", name], [[str(one), FORGED] for one in ids]), why=name)

    def changing_a_form(self, model):
        """What a form shows while a user types into it: computed and related fields, perhaps with more rights."""
        forged = self.values(model, self.target)
        specification = self.specification(model)
        yield Call(model, "onchange", [], (forged, list(forged)[:1], specification))
        yield Call(model, "onchange", [], ({}, [], specification), context=self.forged_context(), why="defaults")
        for name in our_fields(self.env, model):
            if self.env[model]._fields[name].type in ("many2one", "one2many", "many2many") and name in forged:
                yield Call(model, "onchange", [], ({name: forged[name]}, [name], specification), why=name)

    # -------------------------------------------------------------------------
    # RECORDS OF THE ATTACKER
    # -------------------------------------------------------------------------

    def may(self, operation):
        """:return: models of which the caller may read, make or write records, of whatever company"""

        def find_allowed():
            return [name for name in self.stored if self.env[name].with_user(self.caller.user).has_access(operation)]

        return self._once(find_allowed, operation)

    def own_values(self, model):
        """What an honest user would enter, about their own company."""
        if model in CORE_VALUES:
            return CORE_VALUES[model](self.caller.own)
        values = self.values(model, self.caller.own) if is_ours(self.env, model) else {}
        return {
            name: value
            for name, value in values.items()
            if self._writable(model)[name].type not in ("one2many", "many2many") and value not in (None, False)
        }

    def forgeries(self, model):
        """:return: dict from field to the list of values that are not the attacker's to set"""
        forged = self.values(model, self.target)
        if not is_ours(self.env, model):
            forged = {name: forged.get(name) or FORGED for name in SERVER_FIELDS.get(model, ())}
        forged = {name: [value] for name, value in forged.items() if value not in (None, False, [])}
        for name in forged:
            field = self.env[model]._fields[name]
            if field.type == "one2many" and field.comodel_name in self.models:
                child = self.values(field.comodel_name, self.target)
                child.pop(field.inverse_name, None)
                ids = self.ids(field.comodel_name)
                forged[name] = [[(0, 0, child)], [(6, 0, ids)]]
                forged[name] += [[command] for one in ids[:1] for command in ((1, one, {}), (2, one), (4, one))]
            elif field.type == "selection":
                values = field.get_values(self.env)
                forged[name] = [*values, "unlink", "records"]
        return forged

    def ways(self, model):
        """Every way to a record of the attacker's own in which one field has a value that he must not choose.

        :return: generator of (what is tried, field, value, list of calls; the first one makes the record)
        """
        everything = {f"default_{name}": values[0] for name, values in self.forgeries(model).items()}
        if model not in self.may("create"):
            # What the server has opened for the caller: see Caller in test_every_door.
            opened = self.case.ids_of(self.caller.own, model)[:1]
            for name, values in self.forgeries(model).items():
                for value in values:
                    yield "written", name, value, [Call(model, "write", opened, ({name: value},))]
                    yield "saved", name, value, [Call(model, "web_save", opened, ({name: value}, {}))]
                    with_default = {f"default_{name}": value}
                    yield "as default", name, value, [Call(model, "copy", opened, ({},), context=with_default)]
            return
        own = self.own_values(model)
        yield "all defaults", None, None, [Call(model, "create", None, (own,), context=everything)]
        yield "all forged", None, None, [Call(model, "create", None, (self.values(model, self.target),))]
        for name, values in self.forgeries(model).items():
            rest = {key: value for key, value in own.items() if key != name}
            for value in values:
                context = {f"default_{name}": value}
                made = Call(model, "create", None, (own,))
                yield "created", name, value, [made._replace(arguments=({**own, name: value},))]
                yield "as default", name, value, [made._replace(arguments=(rest,), context=context)]
                yield "written", name, value, [made, Call(model, "write", [], ({name: value},))]
                yield "saved", name, value, [made, Call(model, "web_save", [], ({name: value}, {}))]
            line = [[*rest, name], [[*rest.values(), values[0]]]]
            yield "loaded", name, values[0], [Call(model, "load", None, tuple(line))]

    def look(self, model, ids, why):
        return Call(model, "web_read", ids, (self.specification(model),), why=why)
