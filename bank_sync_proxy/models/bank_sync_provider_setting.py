from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..providers import provider_class
from ..providers.errors import ConsentError
from .server_fields import as_server

#: Types that are stored encrypted and never shown again.
SECRETS = ("secret", "key")


class BankSyncProviderSetting(models.Model):
    """One thing that a provider needs to know, as its adapter declares it."""

    _name = "bank.sync.provider.setting"
    _description = "Bank Provider Setting"
    _inherit = ["bank.sync.server.fields"]
    _order = "sequence, id"

    provider_id = fields.Many2one(
        comodel_name="bank.sync.provider", required=True, readonly=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer()
    name = fields.Char(required=True, readonly=True)
    label = fields.Char(readonly=True)
    help = fields.Char(readonly=True)
    type = fields.Selection(
        selection=[("text", "Text"), ("integer", "Number"), ("secret", "Secret"), ("key", "Private Key")],
        required=True,
        readonly=True,
    )
    is_required = fields.Boolean(string="Required", readonly=True)
    value = fields.Char(
        compute="_compute_value", inverse="_inverse_value", help="A secret is stored encrypted and never shown again."
    )
    # Why twice: the field of one line in a browser throws the line ends of a private key away.
    long_value = fields.Text(string="Private Key", compute="_compute_value", inverse="_inverse_long_value")
    is_set = fields.Boolean(string="Entered", compute="_compute_value")
    plain_value = fields.Char(copy=False)
    encrypted_value = fields.Text(readonly=True, copy=False, groups="base.group_system")

    _name_unique = models.Constraint("UNIQUE(provider_id, name)", "A provider has each setting once.")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("plain_value", "encrypted_value", "type")
    def _compute_value(self):
        for setting in self:
            is_secret = setting.type in SECRETS
            setting.long_value = False
            setting.value = False if is_secret else setting.plain_value
            # sudo: says whether there is a secret, not which
            setting.is_set = bool(setting.sudo().encrypted_value if is_secret else setting.plain_value)

    def _inverse_value(self):
        for setting in self:
            if setting.type in SECRETS:
                setting._keep_secret(setting.value)
            else:
                setting.plain_value = setting.value

    def _inverse_long_value(self):
        for setting in self.filtered(lambda setting: setting.type in SECRETS):
            setting._keep_secret(setting.long_value)

    def _keep_secret(self, text):
        # An empty field means "not touched": the stored secret is not shown.
        # Its administrators may write it, and only the system reads what is stored.
        if text:
            # sudo: Odoo has checked write access to the setting before its inverse method
            as_server(self).encrypted_value = self.env["bank.sync.vault"]._encrypt(text)

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
            setting.name: setting._secret() if setting.type in SECRETS else setting.plain_value or ""
            # sudo: callers are private: adapters get the values, nobody else
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
