import math
import secrets
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_proxy.models.clean_up import clean_up
from odoo.addons.bank_sync_proxy.providers.errors import ConsentError, RateLimited, TransientError
from odoo.exceptions import UserError

MINUTES = 10
MAX_ATTEMPTS = 5
#: Limits: each text message costs money, and annoys people who have not requested it.
PAUSE = timedelta(seconds=60)
PER_CLIENT = (5, timedelta(hours=1))
PER_NUMBER = (5, timedelta(days=1))
KEEP_DAYS = 2
#: States of Odoo's ``sms.sms``: on its way, or there.
SENT = ("process", "pending", "sent")


class BankSyncPhoneCode(models.Model):
    """A code that was sent to a phone, and the number of attempts to enter it.

    The serials count a client's codes, and a number's codes over all clients. Two concurrent requests see the same rows
    and compute the same serial, and a unique constraint lets only one of them store it: so the limits hold.
    """

    _name = "bank.sync.phone.code"
    _description = "Code of a Text Message"
    _order = "id desc"
    _rec_name = "create_date"

    create_date = fields.Datetime(string="Sent On", readonly=True)
    client_id = fields.Many2one(comodel_name="bank.sync.client", required=True, readonly=True, ondelete="cascade")
    purpose = fields.Selection(
        selection=[("verify", "Confirm the Number"), ("reactivate", "Reactivate")], required=True, readonly=True
    )
    # The number, encrypted, and the digest by which it is found. Digests use a key outside the database: without it, a
    # million codes, or all numbers of a country, could be brute-forced in seconds.
    secret_data = fields.Text(readonly=True, copy=False, groups="base.group_system")
    phone_digest = fields.Char(required=True, readonly=True, copy=False, groups="base.group_system")
    code_digest = fields.Char(readonly=True, copy=False, groups="base.group_system")
    attempts = fields.Integer(readonly=True)
    is_used = fields.Boolean(readonly=True)
    is_sent = fields.Boolean(readonly=True, default=True, help="No: the provider of text messages refused it.")
    client_serial = fields.Integer(required=True, readonly=True)
    phone_serial = fields.Integer(required=True, readonly=True)

    _client_serial_unique = models.UniqueIndex("(client_id, client_serial)", "Codes of a client are sent one by one.")
    _phone_serial_unique = models.UniqueIndex("(phone_digest, phone_serial)", "Codes of a number are sent one by one.")

    # -------------------------------------------------------------------------
    # SENDING
    # -------------------------------------------------------------------------

    @api.model
    def _send(self, client, purpose, phone):
        """Send a new code; older ones are no longer accepted.

        :param str purpose: ``verify`` or ``reactivate``
        :param str phone: E.164
        :raise RateLimited: ``too_many_requests``
        :raise TransientError: ``sms_unavailable``; the code is kept, because it may still arrive
        """
        vault = self.env["bank.sync.vault"]
        code, phone_digest = f"{secrets.randbelow(10**6):06}", vault._digest("phone", phone)
        self._stand_alone(client.identifier, phone_digest)
        values = {
            "client_id": client.id,
            "purpose": purpose,
            "phone_digest": phone_digest,
            "code_digest": vault._digest("code", client.identifier, purpose, phone_digest, code),
            "client_serial": self._next_serial("client_serial", [("client_id", "=", client.id)], *PER_CLIENT),
            # Why counted for each purpose: a third party who enters a number for other clients must not use up the
            # messages with which its owner lifts a block.
            "phone_serial": self._next_serial(
                "phone_serial", [("phone_digest", "=", phone_digest)], *PER_NUMBER, counted=[("purpose", "=", purpose)]
            ),
        }
        try:
            # Stored before it is sent: of two concurrent requests the second one sends nothing.
            with self.env.cr.savepoint():
                record = self.create(values)
                record.secret_data = vault._encrypt(record, "secret_data", {"phone": phone})
        except psycopg2.errors.UniqueViolation:
            raise self._too_early(PAUSE) from None
        failure = self._send_text(phone, self._text(client, purpose, code))
        if failure:
            record.is_sent = False
            raise TransientError("sms_unavailable", f"the text message was not sent: {failure}", keeps=True)

    @api.model
    def _stand_alone(self, *names):
        """Lock client and number; while another request sends a text message to either, refuse instead of waiting.

        :raise RateLimited: ``too_many_requests``
        """
        for name in names:
            self.env.cr.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"bank_sync_{name}"])
            if not self.env.cr.fetchone()[0]:
                raise self._too_early(PAUSE)

    @api.model
    def _next_serial(self, name, domain, most, span, counted=()):
        """
        :param counted: domain of those that the limit counts
        :raise RateLimited: when the pause, or the period of the limit, is not over yet
        """
        now = self.env.cr.now()
        last = self.search(domain, limit=1)
        if last and last.create_date > now - PAUSE:
            raise self._too_early(last.create_date + PAUSE - now)
        sent = self.search([*domain, *counted, ("is_sent", "=", True), ("create_date", ">", now - span)], limit=most)
        if len(sent) >= most:
            raise self._too_early(sent[-1].create_date + span - now)
        return (last[name] or 0) + 1

    @api.model
    def _too_early(self, wait):
        return RateLimited(
            "too_many_requests", "codes are sent too often", retry_after=max(1, math.ceil(wait.total_seconds()))
        )

    @api.model
    def _text(self, client, purpose, code):
        # The name comes from the registering user: it must not form a link, or another message, in our text.
        name = " ".join("".join(c if c.isalnum() or c in "-_" else " " for c in client.name).split())[:30]
        if purpose == "verify":
            return self.env._(
                "%(code)s confirms your phone for bank synchronization of the Odoo database %(name)s. Valid for "
                "%(minutes)s minutes. Don't share it, not even with support.",
                code=code,
                name=name,
                minutes=MINUTES,
            )
        return self.env._(
            "%(code)s switches bank synchronization of the Odoo database %(name)s on again. Valid for %(minutes)s "
            "minutes. Don't share it, not even with support.",
            code=code,
            name=name,
            minutes=MINUTES,
        )

    @api.model
    def _send_text(self, phone, text):
        """Send with this database's provider for text messages. The text is not kept.

        :return: the reason of a failure, or None
        """
        # sudo: the limits per client and number were checked by the caller; the text is ours
        sms = as_server(self.env["sms.sms"]).create({"number": phone, "body": text})
        try:
            sms.send(unlink_failed=True, unlink_sent=True, raise_exception=False)
            return None if sms.state in SENT else sms.failure_type or sms.state
        except UserError as error:
            # For example, this database has no account for text messages.
            return type(error).__name__
        finally:
            # Odoo would only mark it, and delete it within a day.
            sms.unlink()

    # -------------------------------------------------------------------------
    # TRYING
    # -------------------------------------------------------------------------

    @api.model
    def _accept(self, client, purpose, entered):
        """Compare what a user entered with the code that was sent last.

        Each attempt is written before the code is compared. Of two concurrent attempts PostgreSQL lets one write; the
        other request fails, is retried by Odoo, and sees the first one's attempt.

        :return: the number that it was sent to, E.164
        :raise ConsentError: ``code_rejected``, ``code_expired``
        """
        sent = self.search([("client_id", "=", client.id)], limit=1)
        until = sent and sent.create_date + timedelta(minutes=MINUTES)
        if not sent or sent.purpose != purpose or sent.is_used or until <= self.env.cr.now():
            raise ConsentError("code_expired", "no code is waited for")
        if sent.attempts >= MAX_ATTEMPTS:
            raise ConsentError("code_expired", "the code was tried too often")
        sent.attempts += 1
        sent.flush_recordset()
        vault, entered = self.env["bank.sync.vault"], "".join(entered.split())
        if not vault._is_digest(sent.code_digest, "code", client.identifier, purpose, sent.phone_digest, entered):
            client._note_suspicion("code")
            raise ConsentError("code_rejected", f"attempt {sent.attempts} of {MAX_ATTEMPTS}", keeps=True)
        phone = vault._decrypt(sent, "secret_data")["phone"]
        sent._use_up()
        return phone

    @api.model
    def _forget(self, client):
        """Expire all codes of a client; they still count against the limits."""
        self.search([("client_id", "=", client.id), ("is_used", "=", False)])._use_up()

    def _use_up(self):
        self.write({"is_used": True, "code_digest": False, "secret_data": False})

    # -------------------------------------------------------------------------
    # CLEAN-UP
    # -------------------------------------------------------------------------

    @api.autovacuum
    def _gc_codes(self):
        return clean_up(self, [("create_date", "<", fields.Datetime.now() - timedelta(days=KEEP_DAYS))])
