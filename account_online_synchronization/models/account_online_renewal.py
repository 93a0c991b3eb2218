import hashlib
import hmac
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import email_normalize_all, email_split
from odoo.tools.misc import format_date, hash_sign, verify_hash_signed

#: Scope of the signature, so that no other signed address of this database opens a renewal.
SCOPE = "account_online_synchronization.renewal"
PATH = "/account_online_synchronization/renew/"
DAYS = 7
#: How often one link may open the bank's pages; the recipient may leave them and return.
MAX_ATTEMPTS = 10
#: E-mails that one user may send within a day.
MAX_PER_DAY = 20
KEEP_DAYS = 90
#: Records deleted per transaction; Odoo calls the autovacuum again while there are more.
BATCH = 1000


class AccountOnlineRenewal(models.Model):
    """A request by e-mail to a person without an Odoo user to renew the consent of one connection.

    The link in the e-mail is signed, so that guessed addresses reach no record. Its state is stored here: it can be
    withdrawn, is bound to the first browser that opens the bank's pages with it, and ends with the new consent. The
    recipient acts with the current rights of the user who sent it, and on this consent only.
    """

    _name = "account.online.renewal"
    _description = "Request to Renew a Consent"
    _inherit = ["account.online.server.fields"]
    _order = "id desc"
    _rec_name = "link_id"

    link_id = fields.Many2one(
        comodel_name="account.online.link", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="link_id.company_id", store=True, related_sudo=False)
    user_id = fields.Many2one(
        comodel_name="res.users", string="Requested by", required=True, readonly=True, default=lambda self: self.env.uid
    )
    email = fields.Char(string="E-mail", help="The person who has the bank login. No Odoo user is needed.")
    state = fields.Selection(
        selection=[("draft", "Draft"), ("sent", "Sent"), ("done", "Renewed"), ("revoked", "Withdrawn")],
        required=True,
        readonly=True,
        default="draft",
    )
    sent_at = fields.Datetime(readonly=True)
    expires_at = fields.Datetime(readonly=True)
    attempts = fields.Integer(readonly=True, help="How often the bank's pages were opened with this link.")
    # Hashes of the secret in the link, of the browser that it is bound to, and of the connection that it renews.
    key_digest = fields.Char(readonly=True, copy=False, groups="base.group_system")
    browser_digest = fields.Char(readonly=True, copy=False, groups="base.group_system")
    connection_digest = fields.Char(readonly=True, copy=False, groups="base.group_system")

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        if "email" in vals and not self.env.su and any(renewal.state != "draft" for renewal in self):
            raise UserError(self.env._("This request has been sent, so its address can't be changed. Make a new one."))
        return super().write(vals)

    @api.autovacuum
    def _gc_renewals(self):
        now = fields.Datetime.now()
        is_forgotten = Domain("state", "=", "draft") & Domain("create_date", "<", now - timedelta(days=1))
        is_old = Domain("create_date", "<", now - timedelta(days=KEEP_DAYS))
        found = self.search(is_forgotten | is_old, limit=BATCH)
        found.unlink()
        return len(found), len(found) == BATCH

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_send(self):
        """*Send* the e-mail with the link, and invalidate earlier links for the same connection."""
        self.ensure_one()
        link = self.link_id
        self.env["account.online.authorization"]._check_may_visit("consent", link)
        # sudo: the right to connect and write access to the link were checked above; only a draft of the user is sent
        renewal = as_server(self)
        if renewal.state != "draft" or renewal.user_id != self.env.user:
            raise AccessError(self.env._("Only the user who started a request can send it, and only once."))
        renewal.email = renewal._checked_address()
        renewal._check_room()
        renewal.link_id.renewal_ids._revoke()
        renewal._send()
        answer = link._notify(
            self.env._(
                "%(address)s was asked to renew the consent. The link works once, until %(date)s; you are notified "
                "when it is done.",
                address=renewal.email,
                date=format_date(self.env, renewal.expires_at),
            ),
            "success",
        )
        return {**answer, "params": {**answer["params"], "next": {"type": "ir.actions.act_window_close"}}}

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ASKING
    # -------------------------------------------------------------------------

    @api.model
    def _open_for(self, link):
        """:return: action that opens the dialog for an e-mail address"""
        self.env["account.online.authorization"]._check_may_visit("consent", link)
        address = email_normalize_all(link.renewal_contact_email or "")[:1]
        # sudo: the right to connect and write access to the link were checked above
        renewal = as_server(self).create({"link_id": link.id, "email": address[0] if address else False})
        return renewal._get_records_action(name=self.env._("Request Renewal"), target="new", context={})

    def _checked_address(self):
        found = email_normalize_all(self.email or "")
        if len(found) != 1 or len(email_split(self.email)) != 1:
            raise UserError(self.env._("Please enter one e-mail address."))
        return found[0]

    def _check_room(self):
        since = fields.Datetime.now() - timedelta(days=1)
        sent = self.search_count([("user_id", "=", self.user_id.id), ("sent_at", ">", since)], limit=MAX_PER_DAY)
        if sent >= MAX_PER_DAY:
            raise UserError(self.env._("You have sent %s requests within a day. Please go on tomorrow.", MAX_PER_DAY))

    def _send(self):
        """Sign the link and send it. Only its hash is stored here."""
        key = secrets.token_urlsafe(24)
        now = fields.Datetime.now()
        self.write(
            {
                "state": "sent",
                "sent_at": now,
                "expires_at": now + timedelta(days=DAYS),
                "key_digest": self._digest(key),
                "connection_digest": self._digest(self.link_id._get_connection_identifier()),
            }
        )
        token = hash_sign(self.env, SCOPE, [self.id, key], expiration_hours=DAYS * 24)
        template = self.env.ref("account_online_synchronization.mail_template_renewal")
        # Why no model: the chatter would show the link to every user who can read the connection.
        template.with_context(
            lang=self.user_id.lang or self.env.lang, renewal_url=f"{self.get_base_url()}{PATH}{token}"
        ).send_mail(
            self.id,
            force_send=True,
            email_values={"email_to": self.email, "model": False, "res_id": False},
            email_layout_xmlid="mail.mail_notification_light",
        )
        self.link_id.message_post(body=self.env._("%s was asked by e-mail to renew the consent.", self.email))

    def _revoke(self):
        self.filtered(lambda renewal: renewal.state == "sent").state = "revoked"

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - THE LINK
    # -------------------------------------------------------------------------

    @api.model
    def _digest(self, secret):
        return hashlib.sha256((secret or "").encode()).hexdigest()

    @api.model
    def _find(self, token):
        """:return: the request of a link, with superuser rights; empty if forged, expired, withdrawn or used"""
        # sudo: found by an address that this database has signed; its secret is compared
        renewals = as_server(self)
        try:
            values = verify_hash_signed(renewals.env, SCOPE, token)
        except (ValueError, IndexError):
            # Not base64, of another version, or not JSON.
            values = None
        if not values:
            return renewals
        renewal = renewals.browse(values[0]).exists()
        known = renewal and hmac.compare_digest(renewal.key_digest or "", self._digest(values[1]))
        return renewal if known and renewal._is_open() else renewals

    def _is_open(self):
        """Whether it can still open the bank's pages; the user who sent it must still have the right to renew."""
        link = self.link_id
        return bool(
            self.state == "sent"
            and self.expires_at > fields.Datetime.now()
            and self.attempts <= MAX_ATTEMPTS
            and link.state != "disconnected"
            and link.connection_identifier
            and hmac.compare_digest(self.connection_digest or "", self._digest(link.connection_identifier))
            and self._may_still_ask()
        )

    def _may_still_ask(self):
        user = self.user_id
        if not user.active or self.company_id not in user.company_ids:
            return False
        visits = self._visits()
        try:
            visits._check_may_visit("consent", self.link_id.with_env(visits.env))
        except AccessError:
            return False
        return True

    def _visits(self):
        """:return: ``account.online.authorization`` with the rights of the user who sent the request, and no others"""
        context = {"lang": self.user_id.lang, "allowed_company_ids": self.company_id.ids}
        return self.env(user=self.user_id, su=False, context=context)["account.online.authorization"]

    def _is_of(self, browser_key):
        return bool(self.browser_digest and browser_key) and hmac.compare_digest(
            self.browser_digest, self._digest(browser_key)
        )

    def _begin(self, browser_key):
        """Open the bank's pages, and bind the link to the first browser that does so.

        :return: address of the bank's pages; None for another browser, or if the link has ended
        :raise ProxyError: when the pages are not available
        """
        self.flush_recordset()
        self.env.cr.execute("SELECT FROM account_online_renewal WHERE id = %s FOR UPDATE", [self.id])
        if not self.browser_digest:
            self.browser_digest = self._digest(browser_key)
        if not self._is_of(browser_key):
            return None
        self.attempts += 1
        return self._visits()._begin_renewal(self) if self._is_open() else None

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - COMING BACK
    # -------------------------------------------------------------------------

    @api.model
    def _find_returned(self, nonce, browser_key):
        """
        :return: visit with superuser rights as the user who sent the request; empty if unknown, of another browser,
            withdrawn, or if that user may no longer renew
        """
        visits = self.env["account.online.authorization"]
        # sudo: found by a 192-bit secret; _is_of checks the browser before anything is shown or changed
        found = as_server(visits).search(
            [("nonce_digest", "=", visits._digest(nonce)), ("renewal_id", "!=", False)], limit=1
        )
        renewal = found.renewal_id
        if not renewal or not renewal._is_of(browser_key) or renewal.state not in ("sent", "done"):
            return visits
        if found._is_open() and not renewal._may_still_ask():
            return visits
        # sudo: the link was signed, and the user who sent it may still renew; both checked above
        return as_server(found.with_env(renewal._visits().env))

    def _note_visit(self, visit):
        """Note the result in the chatter, and notify the user who sent the request.

        :param visit: ``account.online.authorization`` that has ended
        """
        if visit.state == "done":
            self.state = "done"
            sentence = self.env._(
                "The consent was renewed at the bank by %(address)s, whom %(user)s had asked by e-mail.",
                address=self.email,
                user=self.user_id.name,
            )
            if self.link_id.unlinked_count:
                more = self.env._(
                    "Some of its accounts are not linked to a journal: use Fetch Accounts to choose journals."
                )
                sentence += f" {more}"
        elif visit.state == "failed":
            sentence = self.env._(
                "%s has tried to renew the consent. No new consent was given at the bank.", self.email
            )
        else:
            return
        # Why as OdooBot: the person who renewed has no user, and the user who sent the request did not do it.
        self.link_id.message_post(
            body=sentence,
            author_id=self.env.ref("base.partner_root").id,
            partner_ids=self.user_id.partner_id.ids,
            subtype_xmlid="mail.mt_note",
            # Why: the visit runs as that user, and Odoo does not notify users of their own actions.
            notify_author_mention=True,
        )
