from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..providers import provider_class
from ..providers.errors import ConsentError


class BankSyncProviderSetting(models.Model):
    """One thing that a provider needs to know, as its adapter declares it."""

    _name = "bank.sync.provider.setting"
    _description = "Bank Provider Setting"
    _order = "sequence, id"

    provider_id = fields.Many2one(comodel_name="bank.sync.provider", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer()
    name = fields.Char(required=True, readonly=True)
    label = fields.Char(readonly=True)
    help = fields.Char(readonly=True)
    type = fields.Selection(
        selection=[("text", "Text"), ("integer", "Number"), ("secret", "Secret")], required=True, readonly=True
    )
    value = fields.Char(
        compute="_compute_value", inverse="_inverse_value", help="A secret is stored encrypted and never shown again."
    )
    is_set = fields.Boolean(compute="_compute_value")
    plain_value = fields.Char(copy=False)
    encrypted_value = fields.Text(copy=False, groups="base.group_system")

    _name_unique = models.Constraint("UNIQUE(provider_id, name)", "A provider has each setting once.")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("plain_value", "encrypted_value", "type")
    def _compute_value(self):
        for setting in self:
            is_secret = setting.type == "secret"
            setting.value = False if is_secret else setting.plain_value
            setting.is_set = bool(setting.sudo().encrypted_value if is_secret else setting.plain_value)

    def _inverse_value(self):
        for setting in self:
            if setting.type == "secret":
                # An empty field means "not touched": the stored secret is not shown.
                if setting.value:
                    setting.encrypted_value = self.env["bank.sync.vault"]._encrypt(setting.value)
            else:
                setting.plain_value = setting.value

    # -------------------------------------------------------------------------
    # CONSTRAINTS
    # -------------------------------------------------------------------------

    @api.constrains("plain_value", "type")
    def _check_value(self):
        for setting in self.filtered(lambda setting: setting.type == "integer" and setting.plain_value):
            try:
                int(setting.plain_value)
            except ValueError:
                raise ValidationError(self.env._("%s must be a whole number.", setting.label))

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _as_values(self):
        """:return: values by name, secrets decrypted; for adapters only"""
        return {
            setting.name: setting._secret() if setting.type == "secret" else setting.plain_value or ""
            for setting in self.sudo()
        }

    def _secret(self):
        """:raise ConsentError: ``secrets_unreadable``; one that nobody has entered is only missing then"""
        try:
            return self.env["bank.sync.vault"]._decrypt(self.encrypted_value) or ""
        except ConsentError:
            if not self._is_generated():
                raise
            return ""

    def _is_generated(self):
        needed = provider_class(self.provider_id.code).settings_needed
        return any(setting.generated and setting.name == self.name for setting in needed)
