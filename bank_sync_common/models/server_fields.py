"""State that only the server may set, and superuser rights that no caller can influence."""

from odoo import api, models, tools
from odoo.exceptions import AccessError
from odoo.tools.misc import clean_context

#: Context keys of the caller that are kept with superuser rights. Why an allow-list: ``default_*``,
#: ``force_*``, ``skip_*``, ``active_*`` and keys of other addons would each change what the server writes.
KEPT_CONTEXT = ("lang", "tz", "allowed_company_ids")


def as_server(records):
    """The records with superuser rights, in a context that the caller cannot choose.

    Use it instead of ``sudo()`` wherever something is written. The calling code has checked the user's rights before,
    and says so in a comment (``# sudo: …``).

    :return: the same records; those that already have superuser rights keep their context
    :raise AccessError: for a company in the context that the user does not belong to
    """
    env = records.env
    if env.su:
        return records.with_env(env(context=clean_context(env.context)))
    # Why read: Odoo checks the companies of the context here, and no longer does with superuser rights.
    env.companies  # noqa: B018  pylint: disable=pointless-statement
    context = {key: env.context[key] for key in KEPT_CONTEXT if key in env.context}
    # sudo: this is the helper itself; its callers say which check was made before
    return records.with_env(env(context=context, su=True))


class ServerFields(models.AbstractModel):
    """A field that our addons declare ``readonly`` is set by the server only, whatever way a client tries.

    To Odoo ``readonly`` only affects forms: over RPC every user who may write a record may write such a field, too.
    Here ``create`` and ``write`` refuse it (and with them x2many commands, imports and ``web_save``), and ``default_*``
    keys of the context, user defaults, onchange and copies do not change it. The server writes with superuser rights,
    see :func:`as_server`.
    """

    _register = False

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model
    def default_get(self, fields):
        """Why not all defaults: a caller chooses those of the context, and users can store defaults."""
        server_only = self._server_fields()
        defaults = super().default_get([name for name in fields if name not in server_only])
        for name in server_only.intersection(fields):
            field = self._fields[name]
            if field.default:
                value = field.convert_to_cache(field.default(self), self, validate=False)
                defaults[name] = field.convert_to_write(value, self)
        return defaults

    @api.model_create_multi
    def create(self, vals_list):
        self._check_server_fields(*vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_server_fields(vals)
        return super().write(vals)

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if self.env.su:
            return vals_list
        left_out = self._server_fields().difference(default or ())
        return [vals and {name: value for name, value in vals.items() if name not in left_out} for vals in vals_list]

    def onchange(self, values, field_names, fields_spec):
        """Why dropped and not refused: the web client also sends values that it has only displayed."""
        changed = [name for name in field_names if name not in self._server_fields()]
        if field_names and not changed:
            # Why: without field names Odoo would return the defaults of a new record.
            return {}
        return super().onchange(self._without_server_fields(values), changed, fields_spec)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _server_addons(self):
        """Extension point: an addon that adds fields to these models adds its name.

        :return: set of the names of the addons whose ``readonly`` fields only the server sets
        """
        return set()

    @api.model
    @tools.ormcache()
    def _server_fields(self):
        """:return: frozenset of the names of fields that only the server sets"""
        addons = self._server_addons()
        return frozenset(
            name
            for name, field in self._fields.items()
            if field.readonly
            and not addons.isdisjoint(field._modules)
            and name not in models.MAGIC_COLUMNS
            and not field.inherited
        )

    def _check_server_fields(self, *vals_list):
        """:raise AccessError: where a caller without superuser rights sets what only the server may set"""
        if self.env.su:
            return
        server_only = self._server_fields()
        for vals in vals_list:
            if refused := server_only.intersection(vals):
                labels = sorted(self._fields[name]._description_string(self.env) or name for name in refused)
                raise AccessError(
                    self.env._(
                        "Nothing was saved, because %(fields)s of “%(model)s” can only be set by Odoo itself. Reload "
                        "the page and try again without it.",
                        fields=", ".join(labels),
                        model=self._description,
                    )
                )

    @api.model
    def _without_server_fields(self, values):
        """:return: a client's values, also those in x2many commands, without fields that only the server sets"""
        server_only = self._server_fields()
        return {
            name: self._clean_commands(self._fields.get(name), value)
            for name, value in values.items()
            if name not in server_only
        }

    def _clean_commands(self, field, value):
        if not field or field.type not in ("one2many", "many2many") or not isinstance(value, list):
            return value
        comodel = self.env[field.comodel_name]
        if not hasattr(comodel, "_without_server_fields"):
            return value
        return [
            [*command[:2], comodel._without_server_fields(command[2])]
            if isinstance(command, list | tuple) and len(command) == 3 and isinstance(command[2], dict)
            else command
            for command in value
        ]
