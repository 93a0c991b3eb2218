from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server

from ..client.errors import ProxyError

#: Default waiting time for another code, if the service does not report one.
WAIT_SECONDS = 60


class AccountOnlinePhone(models.TransientModel):
    """Confirm a phone number, then continue with the user's original action.

    The service requires it before the first bank, and again to reactivate a database that it has blocked. Errors are
    shown in the wizard, so that no input is lost.
    """

    _name = "account.online.phone"
    _description = "Confirm a Phone Number"
    _inherit = ["account.online.server.fields"]

    mode = fields.Selection(
        selection=[("verify", "First number"), ("reactivate", "Known number")], required=True, readonly=True
    )
    step = fields.Selection(
        selection=[("phone", "Phone"), ("code", "Code")], required=True, readonly=True, default="phone"
    )
    phone = fields.Char(string="Phone Number")
    country_id = fields.Many2one(comodel_name="res.country", default=lambda self: self.env.company.country_id)
    phone_hint = fields.Char(readonly=True)
    code = fields.Char()
    refusal = fields.Text(readonly=True, help="What the service did not accept.")
    reason = fields.Text(readonly=True, help="Why the service has blocked this database.")
    wait_until = fields.Datetime(readonly=True, help="Another code is sent from then on.")
    wait_text = fields.Char(compute="_compute_wait_text")
    # The user's original action.
    kind = fields.Char(required=True, readonly=True)
    link_id = fields.Many2one(comodel_name="account.online.link", readonly=True, ondelete="cascade")
    journal_id = fields.Many2one(comodel_name="account.journal", readonly=True, ondelete="cascade")
    institution_identifier = fields.Char(readonly=True)

    @api.depends("wait_until")
    def _compute_wait_text(self):
        for wizard in self:
            seconds = wizard._seconds_to_wait()
            wizard.wait_text = seconds and self.env._("Another code can be sent in %s seconds.", seconds)

    def _seconds_to_wait(self):
        left = (self.wait_until - fields.Datetime.now()).total_seconds() if self.wait_until else 0
        return max(int(left), 0)

    # -------------------------------------------------------------------------
    # OPENING
    # -------------------------------------------------------------------------

    @api.model
    def _open(self, error, kind, link=None, journal=None, institution=None):
        """
        :param ProxyError error: why the service refuses
        :param str kind: the user's original action, a kind of ``account.online.authorization``, ``search`` (for a bank)
            or ``synchronize``
        :param str institution: id of the bank that the user has chosen
        :return: action that shows the wizard
        """
        service = self.env["account.online.service"]._get()
        values = {"mode": "verify" if error.code == "phone_required" else "reactivate"}
        if values["mode"] == "reactivate":
            try:
                service._refresh_status()
            except ProxyError as failure:
                return self.env["account.online.link"]._notify(failure.message, "danger")
            values.update(phone_hint=service.phone_hint, reason=service.reason)
        # sudo: the caller has checked the original action, and it is checked again when the user continues
        wizard = as_server(self).create(
            {
                **values,
                "kind": kind,
                "link_id": link and link.id,
                "journal_id": journal and journal.id,
                "institution_identifier": institution,
            }
        )
        return wizard._show()

    def _show(self):
        title = self.env._("Confirm Your Phone Number") if self.mode == "verify" else self.env._("Reactivate")
        return self._get_records_action(name=title, target="new", context={})

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_send(self):
        """*Send Code*, and *Send Again*."""
        wizard = self._server()
        if self.mode == "verify" and not (self.phone or "").strip():
            return wizard._refuse(self.env._("Enter the number of a phone that receives text messages."))
        if self._seconds_to_wait():
            return wizard._refuse(self.wait_text)
        try:
            if self.mode == "verify":
                answer = self._client().verify_phone(
                    phone=self.phone.strip(), country=self.country_id.code or None, language=self.env.user.lang
                )
            else:
                answer = self._client().reactivate(language=self.env.user.lang)
        except ProxyError as error:
            if error.retry_after:
                wizard._wait(error.retry_after)
            return wizard._refuse(error.message)
        if answer["state"] == "active":
            return self._go_on(answer)
        if self.mode == "reactivate" and answer["state"] == "phone_required" and not answer.get("sent"):
            # No number was ever confirmed, so there is none to which a code could be sent.
            wizard.write({"mode": "verify", "refusal": False})
            return self._show()
        hint = answer.get("phone_hint")
        wizard.write({"step": "code", "code": False, "refusal": False, "phone_hint": isinstance(hint, str) and hint})
        wizard._wait(answer.get("retry_after"))
        return self._show()

    def action_confirm(self):
        """*Confirm* the code."""
        wizard = self._server()
        code = "".join((self.code or "").split())
        if not code:
            return wizard._refuse(self.env._("Enter the code of the text message."))
        try:
            if self.mode == "verify":
                answer = self._client().verify_phone(code=code)
            else:
                answer = self._client().reactivate(code=code)
        except ProxyError as error:
            return wizard._refuse(error.message)
        if answer["state"] != "active":
            return wizard._refuse(self.env._("The code was not accepted. Ask for a new one."))
        return self._go_on(answer)

    def action_back(self):
        """*Other Number*."""
        wizard = self._server()
        wizard.write({"step": "phone", "code": False, "refusal": False})
        return self._show()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _server(self):
        """Check that the user may still connect banks, and still has access to the wizard's connection and journal.

        :return: the wizard with superuser rights, for what only the server writes
        """
        self.ensure_one()
        self.env["account.online.link"]._check_may_connect()
        self.check_access("write")
        self.link_id.check_access("write")
        self.journal_id.check_access("read")
        # sudo: the group, the wizard's owner and access to its connection and journal were checked above
        return as_server(self)

    def _client(self):
        return self.env["account.online.service"]._get()._get_client()

    def _refuse(self, sentence):
        self.refusal = sentence
        return self._show()

    def _wait(self, seconds):
        is_number = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds <= 24 * 3600
        self.wait_until = fields.Datetime.add(fields.Datetime.now(), seconds=seconds if is_number else WAIT_SECONDS)

    def _go_on(self, answer):
        """:return: the user's original action"""
        self.env["account.online.service"]._get()._take_state(answer)
        kind, link, journal = self.kind, self.link_id, self.journal_id
        # Why deleted: this record exists for another hour, and only the connection service needs the number.
        self.write({"phone": False, "code": False})
        if kind == "search":
            # The screen below the wizard searches again.
            return {"type": "ir.actions.act_window_close"}
        if kind == "synchronize":
            return link._notify(
                self.env._(
                    "The connection service accepts requests of this database again. Transactions are fetched "
                    "automatically."
                ),
                "success",
            )
        return self.env["account.online.authorization"]._open(
            kind, link=link or None, journal=journal or None, institution=self.institution_identifier or None
        )
