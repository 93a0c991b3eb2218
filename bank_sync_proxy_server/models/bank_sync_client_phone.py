from phonenumbers import PhoneNumberType, number_type

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_proxy.providers.errors import ConsentError, ProtocolError, ProviderError
from odoo.addons.phone_validation.tools.phone_validation import phone_format, phone_parse
from odoo.exceptions import UserError

from .bank_sync_phone_code import PAUSE

MAX_PHONE = 40
MOBILE = (
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.VOIP,
)


class BankSyncClientPhone(models.Model):
    """What requires a confirmed phone number: using the proxy after the registration, and lifting a block.

    So neither a stolen secret nor the registration of another company's database is sufficient.
    """

    _inherit = "bank.sync.client"  # pylint: disable=consider-merging-classes-inherited

    # The number, encrypted.
    secret_phone = fields.Text(readonly=True, copy=False, groups="base.group_system")
    # sudo: decrypts the number for the groups of this field only: support must be able to call
    phone = fields.Char(
        compute="_compute_phone",
        compute_sudo=True,
        groups="bank_sync_proxy.group_support",
        help="Confirmed by a code.",
    )
    # sudo: shows the last two digits only
    phone_hint = fields.Char(compute="_compute_phone", compute_sudo=True)
    # Since when a confirmation is required; empty: it was confirmed, or is not required.
    awaits_phone_since = fields.Datetime(readonly=True, copy=False)

    @api.depends("secret_phone")
    def _compute_phone(self):
        for client in self:
            try:
                client.phone = self.env["bank.sync.vault"]._decrypt(client, "secret_phone").get("phone")
            except ProviderError:
                # This database was renamed, or its key is lost: then no code can be sent.
                client.phone = False
            client.phone_hint = self._hint(client.phone)

    @api.model
    def _hint(self, phone):
        """:return: enough digits for users to recognize their number, too few to reveal it"""
        return f"•••• {phone[-2:]}" if phone else False

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_ask_phone_again(self):
        """The phone was lost or changed: a user has to confirm a number before anything else is answered."""
        self._check_support()
        # sudo: _check_support above has checked the group and read access to the client
        for client in as_server(self):
            if client.is_embedded:
                raise UserError(client.env._("This database is its own client; no phone number is asked for."))
            if client.blocked_by == "support":
                raise UserError(
                    client.env._("Support has blocked this client. Unblock it before you ask for a phone number.")
                )
            client.env["bank.sync.phone.code"]._forget(client)
            client.write({"secret_phone": False, "awaits_phone_since": fields.Datetime.now()})
            client._set_state("phone_required")
            client.message_post(
                body=client.env._("%s asked for a phone number to be confirmed again.", client.env.user.name)
            )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _verify_phone(self, phone=None, country=None, code=None):
        """First with a number, which sends a code; then with that code.

        :param str country: ISO 3166 alpha-2, for numbers without a country
        :return: answer of ``clients.verify_phone``
        """
        if self.is_embedded:
            return self._activate()
        if self.state == "active":
            # A retry, because the first answer got lost.
            return {"state": self.state}
        if self.state != "phone_required":
            self._check_usable()
        if code:
            confirmed = self.env["bank.sync.phone.code"]._accept(self, "verify", code)
            secret = self.env["bank.sync.vault"]._encrypt(self, "secret_phone", {"phone": confirmed})
            self.write({"secret_phone": secret, "awaits_phone_since": False})
            return self._activate()
        return self._send_code("verify", self._checked_phone(phone, country))

    def _reactivate(self, code=None):
        """Unblock the database once the user has entered a code that was sent to the confirmed phone.

        :return: answer of ``clients.reactivate``
        """
        if self.blocked_by == "support":
            self._check_usable()
        if self.state == "active":
            return {"state": self.state}
        if self.is_embedded:
            return self._activate()
        if not self.phone:
            # Its phone was not confirmed before: it continues with the confirmation.
            if self.state != "phone_required":
                self.awaits_phone_since = self.awaits_phone_since or fields.Datetime.now()
                self._unblock()
            return {"state": self.state}
        if code:
            self.env["bank.sync.phone.code"]._accept(self, "reactivate", code)
            return self._activate()
        return self._send_code("reactivate", self.phone)

    def _activate(self):
        if self.blocked_by == "support":
            self._check_usable()
        if self.state != "active":
            self._unblock()
        return {"state": self.state}

    def _send_code(self, purpose, phone):
        self.env["bank.sync.phone.code"]._send(self, purpose, phone)
        return {
            "state": self.state,
            "sent": True,
            "phone_hint": self._hint(phone),
            "retry_after": round(PAUSE.total_seconds()),
        }

    @api.model
    def _checked_phone(self, phone, country):
        """
        :return: E.164
        :raise ConsentError: ``phone_invalid``, also for a number that belongs to no phone that takes text messages
        """
        if not phone:
            raise ProtocolError("invalid_request", "phone or code must be given")
        country = country.upper() if country else None
        try:
            parsed = phone_parse(phone[:MAX_PHONE], country)
            formatted = phone_format(phone[:MAX_PHONE], country, None, force_format="E164")
        except UserError:
            # The library's reason quotes the number, which must not be recorded.
            raise ConsentError("phone_invalid", "no such number") from None
        if number_type(parsed) not in MOBILE:
            # Landlines and premium-rate numbers.
            raise ConsentError("phone_invalid", "no mobile phone")
        return formatted
