"""Every way in which a client could try to set a field that only the server may set."""

import json

from freezegun import freeze_time

from odoo import Command, models
from odoo.exceptions import AccessError

REFUSED = "can only be set by Odoo itself"


class ServerDoors:
    """For a test case with ``samples()``, a record of each model, and a ``user`` with all groups of the addon."""

    #: Name of the addon's abstract model.
    mixin = None
    #: Names of the addons whose models are tried.
    addons = ()

    def models_of_addon(self):
        """:return: the models that this addon defines, without abstract ones and views of the database"""
        models_here = (self.env[name] for name in self.env.registry)
        return [
            model
            for model in models_here
            if model._original_module in self.addons
            and not model._abstract
            and model._auto
            and model._name != "ir.http"
        ]

    def protected(self):
        """:return: list of (a record, names of its fields that only the server sets)"""
        samples = self.samples()
        models_here = (self.env[name] for name in self.env[self.mixin]._inherit_children)
        ours = (model for model in models_here if model._inherit_module.get(self.mixin) in self.addons)
        wanted = {model._name for model in ours if model._server_fields()}
        self.assertEqual(wanted, set(samples), "each model with such fields needs a sample, and no other one")
        return [
            (record.with_env(self.env(user=self.user, su=False)), sorted(record._server_fields()))
            for record in samples.values()
        ]

    def forged(self, record, name):
        """A value other than the field's present one."""
        field = record._fields[name]
        if field.type in ("one2many", "many2many"):
            return [Command.create({})]
        if field.type == "selection":
            return field.get_values(self.env)[-1]
        return {
            "boolean": not record.sudo()[name],
            "integer": 4711,
            "float": 4711.0,
            "monetary": 4711.0,
            "date": "2001-02-03",
            "datetime": "2001-02-03 04:05:06",
            "json": {"forged": True},
            "many2one": 1,
            "binary": "Zm9yZ2Vk",
        }.get(field.type, "forged")

    def assertRefused(self, function, *arguments):
        with self.assertRaisesRegex(AccessError, REFUSED), self.env.cr.savepoint():
            function(*arguments)

    def each_field(self):
        for record, names in self.protected():
            for name in names:
                yield record, name, self.forged(record, name)

    # -------------------------------------------------------------------------
    # TESTS
    # -------------------------------------------------------------------------

    def test_server_fields_are_refused_by_create_and_write(self):
        for record, name, value in self.each_field():
            with self.subTest(f"{record._name}.{name}"):
                self.assertRefused(record.browse().create, {name: value})
                self.assertRefused(record.browse().create, [{name: value}])
                self.assertRefused(record.write, {name: value})
                self.assertRefused(record.web_save, {name: value}, {})
                self.assertRefused(record.browse().web_save, {name: value}, {})
                self.assertRefused(record.copy, {name: value})

    def test_server_fields_are_refused_by_commands_of_other_records(self):
        """A parent's ordinary fields may be written, its lines' server fields not: neither in new lines nor in existing
        ones."""
        found = 0
        for record, names in self.protected():
            for parent, _names in self.protected():
                lines = [
                    field.name
                    for field in parent._fields.values()
                    if field.type == "one2many"
                    and field.comodel_name == record._name
                    and field.name not in parent._server_fields()
                ]
                for line_field in lines:
                    for name in names:
                        found += 1
                        value = self.forged(record, name)
                        with self.subTest(f"{parent._name}.{line_field}.{name}"):
                            for command in (Command.create({name: value}), Command.update(record.id, {name: value})):
                                self.assertCommandRefused(parent, line_field, command)
                                shown = parent._without_server_fields({line_field: [list(command)]})
                                self.assertNotIn(name, shown[line_field][0][2], "in a form")
        self.assertTrue(found)

    def assertCommandRefused(self, parent, line_field, command):
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            parent.write({line_field: [command]})

    def test_server_fields_are_refused_by_an_import(self):
        for record, name, value in self.each_field():
            with self.subTest(f"{record._name}.{name}"):
                field = record._fields[name]
                if field.type in ("one2many", "many2many"):
                    continue
                column = f"{name}/.id" if field.type == "many2one" else name
                text = json.dumps(value) if field.type == "json" else str(value)
                before = record.browse().sudo().search_count([])
                answer = record.browse().load([column], [[text]])
                self.assertFalse(answer["ids"])
                self.assertEqual(record.browse().sudo().search_count([]), before)
                answer = record.browse().load([".id", column], [[str(record.id), text]])
                self.assertFalse(answer["ids"])

    # Why frozen: defaults are read twice, and one that is the present moment would differ.
    @freeze_time("2026-05-20 10:00:00")
    def test_server_fields_take_no_default_of_a_context_or_a_user(self):
        for record, name, value in self.each_field():
            with self.subTest(f"{record._name}.{name}"):
                usual, again = (record.sudo().default_get([name]) for _time in range(2))
                # Why read twice: random defaults, such as identifiers, differ each time.
                if usual != again:
                    caller = record.browse().with_context(**{f"default_{name}": value})
                    self.assertNotEqual(caller.default_get([name])[name], value)
                    continue
                caller = record.browse().with_context(**{f"default_{name}": value})
                self.assertEqual(caller.default_get([name]), usual)
                self.assertEqual(caller.sudo().default_get([name]), usual, "with superuser rights")
                if record._fields[name].type in ("binary", "one2many", "many2many"):
                    continue
                self.env["ir.default"].with_user(self.user).set(record._name, name, value, user_id=self.user.id)
                self.assertEqual(record.browse().default_get([name]), usual)
                self.assertEqual(record.browse().sudo().default_get([name]), usual, "with superuser rights")

    def test_server_fields_are_not_taken_from_a_form(self):
        """Values that a form sends for them are neither used nor returned; a new record shows the server's defaults."""
        seen = []
        new = models.BaseModel.new

        def watched(model, values=None, origin=None, ref=None):
            seen.append((model._name, dict(values or {})))
            return new(model, values, origin, ref)

        self.patch(models.BaseModel, "new", watched)
        for record, name, value in self.each_field():
            with self.subTest(f"{record._name}.{name}"):
                seen.clear()
                self.assertNotIn(name, record._without_server_fields({name: value}))
                if not record.browse().has_access("create"):
                    continue
                self.assertEqual(record.browse().onchange({name: value}, [name], {}), {})
                own = next(one for one in record._fields if one not in record._server_fields() and one != "id")
                record.browse().onchange({name: value, own: False}, [own], {})
                self.assertTrue(seen)
                believed = [values for model, values in seen if model == record._name and name in values]
                self.assertFalse([values for values in believed if value and values[name] == value])

    def test_server_fields_are_not_copied(self):
        for record, name, _value in self.each_field():
            with self.subTest(f"{record._name}.{name}"):
                self.assertNotIn(name, record.copy_data()[0])

    def test_every_model_that_a_user_may_write_protects_its_server_fields(self):
        for model in self.models_of_addon():
            access = self.env["ir.model.access"].search(
                [("model_id.model", "=", model._name), "|", ("perm_write", "=", True), ("perm_create", "=", True)]
            )
            if access:
                self.assertTrue(hasattr(model, "_server_fields"), model._name)

    def test_every_transient_model_belongs_to_its_user(self):
        """Without a record rule, Odoo 19 lets every user of a transient model read and write all its records."""
        for model in self.models_of_addon():
            if model._transient:
                rules = self.env["ir.rule"].search(
                    [("model_id.model", "=", model._name), ("groups", "=", False), ("perm_write", "=", True)]
                )
                self.assertIn("[('create_uid', '=', user.id)]", rules.mapped("domain_force"), model._name)

    def test_every_model_of_a_company_has_a_rule_for_it(self):
        for model in self.models_of_addon():
            if "company_id" in model._fields and not model._transient:
                rules = self.env["ir.rule"].search([("model_id.model", "=", model._name), ("groups", "=", False)])
                self.assertTrue([rule for rule in rules if "company_ids" in rule.domain_force], model._name)

    def test_no_wizard_shows_related_fields_with_superuser_rights(self):
        for model in self.models_of_addon():
            if model._transient:
                shown = [field.name for field in model._fields.values() if field.related and field.compute_sudo]
                self.assertFalse(shown, model._name)
