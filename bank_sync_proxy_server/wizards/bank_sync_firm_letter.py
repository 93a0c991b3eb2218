from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError
from odoo.tools import email_normalize, formataddr

MAX_SUBJECT = 200
MAX_BODY = 5000


class BankSyncFirmLetter(models.TransientModel):
    """An accounting firm writes to the contacts of its clients: only to those that the clients have named.

    Each of them reads the user's text, the list of the client's own consents and how to end the agreement. A client
    gets one e-mail a day.
    """

    _name = "bank.sync.firm.letter"
    _description = "Letter of an Accounting Firm"
    _inherit = ["bank.sync.server.fields"]

    agreement_ids = fields.Many2many(comodel_name="bank.sync.firm.agreement", string="Clients", readonly=True)
    unreachable = fields.Text(string="Without E-Mail", readonly=True)
    written_today = fields.Text(readonly=True)
    subject = fields.Char(required=True)
    body = fields.Text(string="Text", required=True)

    # -------------------------------------------------------------------------
    # OPENING
    # -------------------------------------------------------------------------

    @api.model
    def _open(self, agreements):
        """:param agreements: that the user may read
        :return: action that shows the wizard
        """
        if not agreements:
            raise UserError(self.env._("Select the consents about which you want to write."))
        today = fields.Date.today()
        unreachable = agreements.filtered(lambda one: not one.contact_email)
        written = (agreements - unreachable).filtered(lambda one: one.written_on == today)
        # sudo: the caller has checked that the user may read these agreements; they are checked again when it is sent
        letter = as_server(self).create(
            {
                "agreement_ids": (agreements - unreachable - written).ids,
                "unreachable": ", ".join(unreachable.mapped("client_name")) or False,
                "written_today": ", ".join(written.mapped("client_name")) or False,
                "subject": self.env._("Your bank connections in Odoo need attention"),
                "body": self.env._(
                    "Hello,\n\nYour bank connections listed below no longer deliver transactions, or will soon stop. "
                    "Please open each of them in Odoo and follow its button, such as Renew.\n\nKind regards\n%s",
                    self.env.user.name,
                ),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Write to Contacts"),
            "res_model": self._name,
            "res_id": letter.id,
            "views": [(False, "form")],
            "target": "new",
        }

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_send(self):
        """*Send*, to those of the clients that still agree and were not written to today."""
        self.ensure_one()
        self.check_access("write")
        subject, body = " ".join((self.subject or "").split()), (self.body or "").strip()
        if not subject or not body or len(subject) > MAX_SUBJECT or len(body) > MAX_BODY:
            raise UserError(
                self.env._(
                    "Nothing was sent, because the subject or the text is missing or too long (up to %(subject)s and "
                    "%(body)s characters).",
                    subject=MAX_SUBJECT,
                    body=MAX_BODY,
                )
            )
        # Why searched: the rules let the user find what is in force at this moment; support, who finds more, writes to
        # the clients of the own firm only.
        of_own_firm = [("firm_id.member_ids.user_id", "=", self.env.uid), ("id", "in", self.agreement_ids.ids)]
        agreements = self.env["bank.sync.firm.agreement"].search(of_own_firm)
        # sudo: found with the user's own rights above; only the server notes when a client was written to
        agreements = as_server(agreements)
        # Why not the user's day: a user could get another one by changing the time zone.
        today = fields.Date.today()
        wanted = agreements.filtered(lambda one: not one.ended_at and one.contact_email and one.written_on != today)
        if not wanted:
            raise UserError(
                self.env._(
                    "Nothing was sent: none of these clients has named a contact with an e-mail address, or all of "
                    "them were written to today. A client gets one e-mail a day."
                )
            )
        # Of two users who send at the same time PostgreSQL lets one write this; Odoo repeats the other request, which
        # then sees it.
        wanted.written_on = today
        wanted.flush_recordset()
        for agreement in wanted:
            self._send_to(agreement, subject, body)
        return self._report(wanted)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _send_to(self, agreement, subject, body):
        """:param agreement: with superuser rights; the user may read it"""
        client, firm, user = agreement.client_id, agreement.firm_id, self.env.user
        language = client.language if self.env["bank.sync.api"]._is_installed(client.language) else self.env.lang
        consents = self.env["bank.sync.firm.consent"].with_context(lang=language)
        of_client = consents.search([("agreement_id", "=", agreement.id)])
        values = {
            "consents": of_client.filtered("is_urgent") or of_client,
            "text": body,
            "firm": firm.name,
        }
        # sudo: the agreement was found with the user's own rights, and its contact is the only one that is written to
        as_server(self.env["mail.mail"]).create(
            {
                "subject": subject,
                "body_html": self.env["ir.qweb"]._render("bank_sync_proxy_server.firm_letter", values, lang=language),
                "email_to": formataddr((agreement.contact_name or "", agreement.contact_email)),
                "email_from": self._sender(firm.name, user),
                "reply_to": user.email_formatted or False,
                "auto_delete": True,
            }
        )
        text = self.env._(
            "%(user)s of the accounting firm %(firm)s wrote to the contact: %(subject)s",
            user=user.name,
            firm=firm.name,
            subject=subject,
        )
        client.message_post(body=text)

    @api.model
    def _sender(self, name, user):
        """:return: this database's own address under the firm's name, because mail servers refuse letters in foreign
        names; without one, the user's
        """
        # sudo: reads this database's own address as a sender, which no caller can choose
        here = as_server(self).env
        own = email_normalize(here.company.email_formatted or "") or here["ir.mail_server"]._get_default_from_address()
        return formataddr((name, own or user.email_normalized))

    def _report(self, sent):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._(
                    "Sent to the contacts of: %s. Replies go to your own address.",
                    ", ".join(sent.mapped("client_name")),
                ),
                "type": "success",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
