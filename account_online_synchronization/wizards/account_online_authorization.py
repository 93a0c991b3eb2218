import hashlib
import logging
import secrets

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import AccessError

from ..client.errors import ProxyError
from ..client.messages import parse_moment
from ..models.account_online_renewal import PATH as RENEWAL_PATH

_logger = logging.getLogger(__name__)

#: Message on the user's bus: the state of one of the user's visits has changed.
VISIT = "account_online_synchronization/visit"

#: Maximum number of unfinished visits that are offered to be continued.
MAX_BEGUN = 3


class AccountOnlineAuthorization(models.TransientModel):
    """A user's way to the bank's pages and back.

    A link is created only when the user returns with a consent, so an abandoned attempt leaves only this record, which
    Odoo's vacuum deletes. The bank's page opens in a new window, while a screen waits
    (``static/src/connect/bank_visit.js``); if windows are blocked, it replaces the screen. The result is requested when
    the browser returns. Users' actions on a consent are noted in the chatter of its connection.
    """

    _name = "account.online.authorization"
    _description = "Visit of the Bank's Pages"
    _inherit = ["account.online.server.fields"]
    # Consents that need a signature of a second person take a while.
    _transient_max_hours = 24.0

    kind = fields.Selection(
        selection=[
            ("connect", "New connection"),
            ("consent", "New consent"),
            ("credentials", "New credentials"),
            ("refresh", "Code for a refresh"),
        ],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        selection=[("open", "Open"), ("done", "Done"), ("cancelled", "Cancelled"), ("failed", "Failed")],
        default="open",
        required=True,
        readonly=True,
    )
    nonce_digest = fields.Char(required=True, readonly=True, index=True, groups="base.group_system")
    user_id = fields.Many2one(comodel_name="res.users", required=True, readonly=True, default=lambda self: self.env.uid)
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    link_id = fields.Many2one(comodel_name="account.online.link", readonly=True, ondelete="cascade")
    journal_id = fields.Many2one(comodel_name="account.journal", readonly=True, ondelete="cascade")
    renewal_id = fields.Many2one(
        comodel_name="account.online.renewal",
        readonly=True,
        ondelete="cascade",
        help="Set if the bank's pages are visited by somebody without an Odoo user, through a link in an e-mail.",
    )
    connection_identifier = fields.Char(readonly=True, groups="base.group_system")
    institution_identifier = fields.Char(readonly=True, help="The bank, if it was chosen in this database.")
    institution_name = fields.Char(readonly=True)
    is_in_window = fields.Boolean(
        readonly=True, help="An Odoo page is waiting for the result. No: the bank's page has replaced it."
    )
    expires_at = fields.Datetime(readonly=True, help="The previous page stays valid until then.")
    error_message = fields.Text(readonly=True)
    error_reference = fields.Char(readonly=True)
    # Next action of the user. Stored, because the returning browser window and the waiting screen are different.
    next_action = fields.Json(readonly=True, groups="base.group_system")

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_look(self):
        """The state of the visit.

        :return: ``state`` (also ``gone``), ``kind``, ``name`` and ``logo`` of the bank, ``is_expired`` (the page),
            ``message`` and ``reference`` of a failure, ``action`` to continue with
        """
        visit = self._own()
        return visit._describe() if visit else {"state": "gone"}

    def action_note_window(self, is_in_window):
        """Store whether the screen waits, or the bank's page has replaced it; the return page depends on it."""
        visit = self._own()
        if visit.is_in_window != bool(is_in_window):
            visit.is_in_window = bool(is_in_window)

    def action_open_again(self):
        """*Open Again* and *Continue*. If a consent was given in the meantime, the visit is finished instead.

        :return: as :meth:`action_look`; with ``url`` of the page, or ``message`` if there is none
        """
        visit = self._own()
        if not visit._is_open():
            return self.action_look()
        visit._check_rights()
        visit = visit.with_company(visit.company_id)
        if visit.kind == "refresh":
            return visit._refresh_again()
        try:
            if visit.kind == "connect" and visit._is_connected():
                visit._finish()
                return visit._describe()
            nonce = self._new_nonce()
            service = self.env["account.online.service"]._get()
            known = visit.connection_identifier if visit.kind == "connect" else visit.link_id.connection_identifier
            institution = visit.institution_identifier or None
            page = service._request_to_connect(lambda: visit._request_page(visit.kind, known, nonce, institution))
        except ProxyError as error:
            return {**visit._describe(), "message": error.message, "reference": error.reference or ""}
        visit._take_page(nonce, page)
        return {**visit._describe(), "url": page["page_url"]}

    def action_cancel(self):
        """*Cancel* and *Forget*: delete the attempt, here and at the connection service.

        :return: as :meth:`action_look`; a visit that was finished in the meantime stays finished
        """
        visit = self._own()
        visit._hold()
        if not visit._is_open():
            return self.action_look()
        if visit.kind == "connect":
            visit._give_back()
        visit._end("cancelled")
        return visit._describe()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - GOING THERE
    # -------------------------------------------------------------------------

    @api.model
    def _new_nonce(self):
        return secrets.token_urlsafe(24)

    @api.model
    def _digest(self, nonce):
        return hashlib.sha256(nonce.encode()).hexdigest()

    @api.model
    def _return_url(self, nonce):
        service = self.env["account.online.service"]._get()
        return service._way_back(f"/account_online_synchronization/return/{nonce}")

    @api.model
    def _remember(self, kind, nonce, page, link=None, journal=None, institution=None, name=None, renewal=None):
        """
        :param dict page: answer of the service, with ``page_url``
        :return: the visit, with superuser rights
        """
        company = (link and link.company_id) or (journal and journal.company_id) or self.env.company
        # sudo: _check_may_visit, or for a refresh the caller of the synchronization, has checked user, link and journal
        visit = as_server(self).create(
            {
                "kind": kind,
                "nonce_digest": self._digest(nonce),
                "user_id": self.env.uid,
                "company_id": company.id,
                "link_id": link and link.id,
                "renewal_id": renewal and renewal.id,
                "journal_id": journal and journal.id,
                "connection_identifier": page.get("connection_id") or (link and self._identifier_of(link)),
                "institution_identifier": institution,
                "institution_name": (link and link.name) or name,
                "expires_at": parse_moment(page.get("expires_at")) or False,
            }
        )
        if link:
            visit._note_act("begun")
        return visit

    @api.model
    def _check_may_visit(self, kind, link=None, journal=None):
        """The one check before a consent is given, replaced or changed, by any user and from any screen.

        :raise AccessError: if the user may not connect banks, write this connection or read this journal
        """
        Link = link if link is not None else self.env["account.online.link"]
        if kind == "refresh":
            Link._check_may_synchronize()
        else:
            Link._check_may_connect()
            Link.check_access("write")
        if journal:
            journal.check_access("read")
        if link and journal and link.company_id != journal.company_id:
            raise AccessError(self.env._("This connection and this journal belong to different companies."))

    @api.model
    def _identifier_of(self, link):
        # sudo: _check_may_visit has checked write access to the link; the identifier does not leave the server
        return link.sudo().connection_identifier

    @api.model
    def _open(self, kind, link=None, journal=None, institution=None, name=None):
        """Start the visit: the only way to the bank's pages. The user's rights are checked here.

        :param str institution: id of the bank that the user has chosen, for a new connection; None: the user
            chooses on the service's page
        :param str name: of that bank, for the waiting screen
        :return: action that opens the bank's pages, or a notification with the reason
        """
        self._check_may_visit(kind, link, journal)
        service = self.env["account.online.service"]._get()
        nonce = self._new_nonce()
        try:
            known = link and self._identifier_of(link)
            page = service._request_to_connect(lambda: self._request_page(kind, known, nonce, institution))
        except ProxyError as error:
            if service._wants_phone(error):
                return self.env["account.online.phone"]._open(error, kind, link, journal, institution)
            if link:
                # sudo: _check_may_visit has checked write access to the link
                as_server(link)._register_error(error)
            return (link or self.env["account.online.link"])._notify(error.message, "danger")
        return self._remember(kind, nonce, page, link, journal, institution, name)._show(page["page_url"])

    @api.model
    def _begin_renewal(self, renewal):
        """A person without an Odoo user renews a consent, with the rights of the current user, who sent the request.

        :param renewal: ``account.online.renewal``, whose link was checked
        :return: address of the bank's pages
        :raise ProxyError: also if the service no longer knows the connection, because no new one is started here
        """
        link = renewal.link_id.with_env(self.env)
        self._check_may_visit("consent", link)
        nonce = self._new_nonce()
        service = self.env["account.online.service"]._get()
        # sudo: _check_may_visit has checked the user and the link; the client holds the service's secrets
        client = as_server(link)._get_client()
        page = client.renew_connection(
            self._identifier_of(link),
            "consent",
            return_url=service._way_back(f"{RENEWAL_PATH}back/{nonce}"),
            language=self.env.user.lang,
        )
        self._remember("consent", nonce, page, link, renewal=renewal)
        return page["page_url"]

    @api.model
    def _request_page(self, kind, known, nonce, institution):
        """
        :param str known: identifier of the connection to renew, if there is one
        :return: answer of ``connections.renew``, or of ``connections.start`` if there is nothing to renew
        """
        # sudo: _check_may_visit has checked the user, the link and the journal; the client holds the service's secrets
        client = as_server(self.env["account.online.link"])._get_client()
        arguments = {"return_url": self._return_url(nonce), "language": self.env.user.lang}
        if known:
            reason = "credentials" if kind == "credentials" else "consent"
            try:
                return client.renew_connection(known, reason, **arguments)
            except ProxyError as error:
                # Why: a connection that the proxy no longer has can't be renewed; a new one replaces it.
                if error.action != "reconnect":
                    raise
        country = self.env.company.country_id.code or self.env.company.account_fiscal_country_id.code
        return client.start_connection(country=country or None, institution_id=institution, **arguments)

    def _take_page(self, nonce, page):
        """Continue the visit with another page; the return address of the previous one becomes invalid."""
        self.write(
            {
                "state": "open",
                "nonce_digest": self._digest(nonce),
                "connection_identifier": page.get("connection_id") or self.connection_identifier,
                "expires_at": parse_moment(page.get("expires_at")) or False,
            }
        )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - COMING BACK
    # -------------------------------------------------------------------------

    @api.model
    def _find(self, nonce):
        """The current user's visit with this nonce, or an empty recordset. Only an open one is finished."""
        mine = [("nonce_digest", "=", self._digest(nonce)), ("user_id", "=", self.env.uid)]
        # sudo: found by a 192-bit secret and the current user, who owns it; _check_rights follows
        return as_server(self).search(mine, limit=1)

    def _check_rights(self):
        """The user may have lost rights since the visit began, so they are checked again when it continues.

        :raise AccessError: as :meth:`_check_may_visit`
        """
        # Why without the browser's selected companies: the visit may belong to another company of the user.
        context = {key: value for key, value in self.env.context.items() if key != "allowed_company_ids"}
        user_env = self.env(su=False, context=context)
        mine = self.with_env(user_env)
        link, journal = (self[name].with_env(user_env) for name in ("link_id", "journal_id"))
        mine._check_may_visit(self.kind, link or None, journal or None)
        if self.company_id not in user_env.user.company_ids:
            raise AccessError(self.env._("You no longer have access to the company of this connection."))

    def _hold(self):
        """Lock the visit, so that finishing and cancelling are serialized. Odoo repeats the second request."""
        self.flush_recordset()
        self.env.cr.execute("SELECT FROM account_online_authorization WHERE id = ANY(%s) FOR UPDATE", [self.ids])

    def _is_open(self):
        """Whether the visit can still be finished; also after a failure."""
        return self.state in ("open", "failed")

    def _come_back(self, is_cancelled):
        """Handle the browser's return from the bank's pages. A visit that has ended stays unchanged."""
        if not self._is_open():
            return
        if is_cancelled:
            self._cancel_at_bank()
            return
        try:
            self._finish()
        except ProxyError as error:
            _logger.info("The visit of the bank's pages did not end with a consent: %s", error.code)
            self._fail(error)

    def _finish(self):
        """Request the result of the visit and store it.

        :return: next action, the account selection after a new connection, otherwise None; and the link
        """
        self.ensure_one()
        self._hold()
        Link = self.env["account.online.link"].with_company(self.company_id)
        link, journal = self.link_id, self.journal_id
        client = Link._get_client()
        connection = client.get_connection(self.connection_identifier)
        accounts = client.list_accounts(self.connection_identifier)
        # Why a savepoint: a failure of the visit is committed, so it must not leave an incomplete connection.
        with self.env.cr.savepoint():
            if not link:
                link = Link._create_from_proxy(connection, accounts, self.company_id)
                new_accounts = link.account_online_account_ids
            else:
                new_accounts = link._update_from_proxy(connection, accounts)
        if self.kind == "refresh" or (not new_accounts and link._linked_accounts()):
            answer = link._synchronize(user_present=True, refresh=False, may_defer=True)
            self._end("done", link_id=link.id, next_action=self._show_result_on(link, answer))
            return None, link
        action = link._open_account_selection(journal, refresh=False)
        self._end("done", link_id=link.id, next_action=action)
        return action, link

    @api.model
    def _show_result_on(self, link, answer):
        """:return: the action of a synchronization, shown on the form of the link"""
        if answer.get("tag") != "display_notification":
            return answer
        return {**answer, "params": {**answer["params"], "next": link._get_records_action(context={})}}

    def _end(self, state, **values):
        """End the visit, or mark it as failed, and notify the waiting screen."""
        self.write({"state": state, **values})
        self.user_id._bus_send(VISIT, {"visit_id": self.id, "state": state})
        if self.link_id:
            self._note_act(state)

    def _fail(self, error):
        """:param ProxyError error: the reason"""
        if self.link_id:
            self.link_id._register_error(error)
        self._end("failed", error_message=error.message, error_reference=error.reference)

    def _is_connected(self):
        """Whether the consent was given, although the browser has not returned."""
        try:
            client = self.env["account.online.link"]._get_client()
            return client.get_connection(self.connection_identifier).get("state") == "connected"
        except ProxyError as error:
            # Why: a connection that the service no longer has is started again.
            if error.action != "reconnect":
                raise
            return False

    def _give_back(self):
        """Delete the unfinished connection at the service, unless a link uses it."""
        # sudo: only counted: the link that holds the connection may belong to a company that the user does not see
        links = self.env["account.online.link"].sudo()
        if links.search_count([("connection_identifier", "=", self.connection_identifier)], limit=1):
            return
        try:
            self.env["account.online.link"]._get_client().delete_connection(self.connection_identifier)
        except ProxyError as error:
            _logger.info("An abandoned connection could not be deleted: %s", error.code)

    def _cancel_at_bank(self):
        """Handle a cancellation by the user at the bank. A given consent is kept."""
        self._hold()
        if not self._is_open():
            return
        try:
            if self.kind == "connect" and not self._is_connected():
                self._give_back()
        except ProxyError as error:
            _logger.info("The result of a cancelled visit is not known: %s", error.code)
        self._end("cancelled")

    def _refresh_again(self):
        """Refresh again; the bank asks for another code, so it is another visit."""
        answer = self.link_id._synchronize(user_present=True, may_defer=True)
        self._end("cancelled")
        return {**self._describe(), "state": "done", "action": self._show_result_on(self.link_id, answer)}

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SCREEN
    # -------------------------------------------------------------------------

    def _show(self, url=False):
        """
        :param str url: address of the bank's page; False: the user is asked whether to continue
        :return: action that opens the screen
        """
        self.ensure_one()
        return {
            "type": "ir.actions.client",
            "tag": "account_online_synchronization.bank_visit",
            "name": self.institution_name or self.env._("Your Bank"),
            "params": {"visit_id": self.id, "url": url},
        }

    @api.model
    def _begun(self, company):
        """:return: list of ``id``, ``name``, ``action``: unfinished visits of the user, newest first"""
        # sudo: reads only the user's own visits, of a company that action_begin_bank_search has checked
        visits = self.sudo().search(
            [
                ("user_id", "=", self.env.uid),
                ("company_id", "=", company.id),
                ("kind", "=", "connect"),
                ("state", "in", ("open", "failed")),
                ("institution_name", "!=", False),
            ],
            order="id desc",
            limit=MAX_BEGUN,
        )
        return [{"id": visit.id, "name": visit.institution_name, "action": visit._show()} for visit in visits]

    def _own(self):
        """:return: the visit with superuser rights; empty for another user's, or if deleted by the vacuum"""
        # sudo: returns only the user's own visit
        return as_server(self).exists().filtered(lambda visit: visit.user_id.id == self.env.uid)[:1]

    def _describe(self):
        """:return: what the screen shows, see :meth:`action_look`"""
        is_over = self.state in ("done", "cancelled")
        return {
            "state": self.state,
            "kind": self.kind,
            "name": self.institution_name or "",
            "logo": self.link_id.logo or "",
            "is_expired": bool(not is_over and self.expires_at and self.expires_at < fields.Datetime.now()),
            "message": (self.state == "failed" and self.error_message) or "",
            "reference": (self.state == "failed" and self.error_reference) or "",
            "action": (self.state == "done" and self.next_action) or False,
        }

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - CHATTER
    # -------------------------------------------------------------------------

    @api.model
    def _sentences_of_acts(self):
        """:return: dict from (event, kind) to a sentence; a code that the bank asks for changes no consent"""
        return {
            ("begun", "consent"): self.env._("Reconnect was started: the bank asks for a new consent."),
            ("begun", "credentials"): self.env._("Update Credentials was started at the bank."),
            ("done", "connect"): self.env._("The bank was connected: its consent is stored."),
            ("done", "consent"): self.env._("The consent was renewed at the bank."),
            ("done", "credentials"): self.env._(
                "The credentials, or the choice of accounts, were updated at the bank."
            ),
            ("cancelled", "consent"): self.env._("Reconnect was cancelled. The consent is unchanged."),
            ("cancelled", "credentials"): self.env._(
                "Update Credentials was cancelled. The consent is as it was before."
            ),
            ("failed", "consent"): self.env._("No new consent was given at the bank."),
            ("failed", "credentials"): self.env._("The credentials were not updated at the bank."),
        }

    def _note_act(self, event):
        """Note the user's action in the chatter of the connection, with the user as author.

        :param str event: ``begun``, or the state in which the visit has ended
        """
        if self.renewal_id:
            self.renewal_id._note_visit(self)
            return
        if (event, self.kind) == ("done", "consent"):
            self.link_id.renewal_ids._revoke()
        sentence = self._sentences_of_acts().get((event, self.kind))
        if sentence:
            self.link_id.message_post(body=sentence)
