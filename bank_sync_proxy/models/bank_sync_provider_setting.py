from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.identity import is_identity_confirmed
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import AccessError, ValidationError

from ..providers import forms, provider_class
from ..providers.errors import ConsentError

#: Fields through which a value is entered.
ENTERED = {"value", "long_value", "plain_value"}
#: Types that are stored encrypted and never shown again.
SECRETS = ("secret", *forms.FILES)


class BankSyncProviderSetting(models.Model):
    """One setting of a provider, as its adapter declares it."""

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
        selection=[
            ("text", "Text"),
            ("integer", "Number"),
            ("secret", "Secret"),
            ("key", "Private Key"),
            ("certificate", "Certificate"),
            ("tls_key", "Private Key of a Certificate"),
        ],
        required=True,
        readonly=True,
    )
    is_required = fields.Boolean(string="Required", readonly=True)
    value = fields.Char(
        compute="_compute_value", inverse="_inverse_value", help="A secret is stored encrypted and never shown again."
    )
    # Why two fields: a browser's single-line field drops the line breaks of a private key.
    long_value = fields.Text(string="Private Key", compute="_compute_value", inverse="_inverse_long_value")
    is_set = fields.Boolean(string="Entered", compute="_compute_value")
    title = fields.Char(compute="_compute_words", help="The label in the user's language.")
    explanation = fields.Char(compute="_compute_words")
    # Why not readonly: what a form sends for readonly fields is dropped, and it would keep showing a corrected fault.
    fault = fields.Char(compute="_compute_fault", readonly=False, help="Why what was entered can't be right.")
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
            # sudo: shows whether there is a secret, not its value
            setting.is_set = bool(setting.sudo().encrypted_value if is_secret else setting.plain_value)

    @api.depends("label", "help")
    @api.depends_context("lang")
    def _compute_words(self):
        for setting in self:
            setting.title = setting.provider_id._say(setting.label)
            setting.explanation = setting.provider_id._say(setting.help)

    @api.depends("value", "long_value")
    def _compute_fault(self):
        for setting in self:
            entered = setting.long_value if setting.type in forms.FILES else setting.value
            setting.fault = setting._fault(entered or "")

    def _inverse_value(self):
        for setting in self:
            if setting.type in SECRETS:
                setting._keep_secret(setting.value)
            else:
                setting.plain_value = (setting.value or "").strip()

    def _inverse_long_value(self):
        for setting in self.filtered(lambda setting: setting.type in SECRETS):
            setting._keep_secret(setting.long_value)

    def _keep_secret(self, text):
        # An empty field means "not touched": the stored secret is not shown.
        # Administrators may write it, and only the system reads what is stored.
        if text:
            self._check_form(text)
            text = text if self.type in forms.FILES else text.strip()
            # sudo: Odoo has checked write access to the setting before its inverse method
            as_server(self).encrypted_value = self.env["bank.sync.vault"]._encrypt(self, "encrypted_value", text)

    # -------------------------------------------------------------------------
    # CONSTRAINTS
    # -------------------------------------------------------------------------

    @api.constrains("plain_value", "type")
    def _check_plain_value(self):
        for setting in self:
            setting._check_form(setting.plain_value)

    def _check_form(self, text):
        """:raise ValidationError: for a value of the wrong form; it is not quoted, because it may be a secret"""
        fault = self._fault(text)
        if fault:
            raise ValidationError(self.env._("%(key)s: %(fault)s", key=self.title, fault=fault))

    def _fault(self, text):
        """:return: one sentence by the rule that the adapter declares for this setting, or False"""
        declared = self._declared()
        return (bool(declared) and self.provider_id._say(forms.fault(declared, text) or "")) or False

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        self._check_identity()
        result = super().write(vals)
        if ENTERED & vals.keys():
            # Why: while a value is written, Odoo does not recompute the fields that are computed with it.
            self.invalidate_recordset(["is_set"])
            self.provider_id._forget_test()
        return result

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _check_identity(self):
        """Require a confirmed password: a user who changes keys could redirect the proxy to their own contract.

        :raise AccessError: when the user has not just confirmed the password
        """
        if not self.env.su and not is_identity_confirmed():
            raise AccessError(
                self.env._(
                    "Changing the keys of a provider requires confirming your password. Use Change Keys on the "
                    "provider's form, and enter them again."
                )
            )

    def _as_values(self):
        """:return: values by name, secrets decrypted; for adapters only"""
        return {
            setting.name: setting._secret() if setting.type in SECRETS else setting.plain_value or ""
            # sudo: callers are private: only adapters get the values
            for setting in self.sudo()
        }

    def _secret(self):
        """:raise ConsentError: ``secrets_unreadable``; then a value that was never entered is only missing"""
        try:
            return self.env["bank.sync.vault"]._decrypt(self, "encrypted_value") or ""
        except ConsentError:
            if not self._is_generated():
                raise
            return ""

    def _is_generated(self):
        declared = self._declared()
        return bool(declared) and declared.generated

    def _declared(self):
        """:return: the :class:`~..providers.types.Setting` of the adapter, or None for one that it does not declare"""
        if not self.provider_id.code:
            return None
        needed = provider_class(self.provider_id.code).settings_needed
        return next((setting for setting in needed if setting.name == self.name), None)
