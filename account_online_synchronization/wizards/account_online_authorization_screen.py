import logging

from odoo import api, fields, models

from ..client.errors import ProxyError
from ..models.server_fields import as_server

_logger = logging.getLogger(__name__)

#: Visits that are offered to be continued.
BEGUN = 3


class AccountOnlineAuthorization(models.TransientModel):
    """What the screen that waits for a visit asks and does. A visit belongs to one user, so only he is answered."""

    _inherit = "account.online.authorization"  # pylint: disable=consider-merging-classes-inherited

    def _show(self, url=False):
        """
        :param str url: address of the bank's page; False: the user is asked whether to go on
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
        """:return: list of ``id``, ``name``, ``action``: connections that the user has begun and left, newest first"""
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
            limit=BEGUN,
        )
        return [{"id": visit.id, "name": visit.institution_name, "action": visit._show()} for visit in visits]

    def _own(self):
        """:return: the visit with superuser rights, or none: another user's, or taken away by the vacuum"""
        # sudo: only the user's own visit is given back
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
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_look(self):
        """How the visit stands.

        :return: ``state`` (also ``gone``), ``kind``, ``name`` and ``logo`` of the bank, ``is_expired`` (the page),
            ``message`` and ``reference`` of a failure, ``action`` to go on with
        """
        visit = self._own()
        return visit._describe() if visit else {"state": "gone"}

    def action_note_window(self, is_in_window):
        """The screen waits, or the bank's page takes its place: what comes back has to know."""
        visit = self._own()
        if visit.is_in_window != bool(is_in_window):
            visit.is_in_window = bool(is_in_window)

    def action_open_again(self):
        """*Open Again* and *Go On*. What was finished at the bank while nobody looked is taken over instead.

        :return: as :meth:`action_look`; with ``url`` where there is a page to go to, ``message`` where there is none
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
            page = service._ask_to_connect(lambda: visit._ask_for_page_again(nonce))
        except ProxyError as error:
            return {**visit._describe(), "message": error.message, "reference": error.reference or ""}
        visit._take_page(nonce, page)
        return {**visit._describe(), "url": page["page_url"]}

    def action_cancel(self):
        """*Cancel* and *Forget*: nothing is left of the attempt, here and at the connection service.

        :return: as :meth:`action_look`; a visit that was finished meanwhile stays finished
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
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _cancel_at_bank(self):
        """The browser has come back and says that the user has cancelled. A consent is not given back for its word."""
        self._hold()
        if not self._is_open():
            return
        try:
            if self.kind == "connect" and not self._is_connected():
                self._give_back()
        except ProxyError as error:
            _logger.info("What became of a visit that was cancelled is not known: %s", error.code)
        self._end("cancelled")

    def _give_back(self):
        """Leave no connection at the service that nobody finishes; one that a link holds is in use, and stays."""
        # sudo: only counted: the link that holds the connection may belong to a company that the user does not see
        links = self.env["account.online.link"].sudo()
        if links.search_count([("connection_identifier", "=", self.connection_identifier)], limit=1):
            return
        try:
            self.env["account.online.link"]._get_client().delete_connection(self.connection_identifier)
        except ProxyError as error:
            _logger.info("A connection that was given up could not be deleted: %s", error.code)

    def _is_connected(self):
        """Whether the consent was given, and only the way back was left out."""
        try:
            client = self.env["account.online.link"]._get_client()
            return client.get_connection(self.connection_identifier).get("state") == "connected"
        except ProxyError as error:
            # Why: what the service no longer has is begun anew.
            if error.action != "reconnect":
                raise
            return False

    def _ask_for_page_again(self, nonce):
        if self.kind == "connect":
            client = self.env["account.online.link"]._get_client()
            try:
                return client.renew_connection(self.connection_identifier, "consent", **self._arguments(nonce))
            except ProxyError as error:
                if error.action != "reconnect":
                    raise
        return self._ask_for_page(self.kind, self.link_id, nonce, self.institution_identifier or None)

    def _take_page(self, nonce, page):
        """Another page serves the visit from now on; the way back of the former one serves no longer."""
        self.write(
            {
                "state": "open",
                "nonce_digest": self._digest(nonce),
                "connection_identifier": page.get("connection_id") or self.connection_identifier,
                "expires_at": self._moment(page),
            }
        )

    def _refresh_again(self):
        """The bank is asked once more; its question is another one, so it is another visit."""
        answer = self.link_id._synchronize(user_present=True, may_defer=True)
        self._end("cancelled")
        return {**self._describe(), "state": "done", "action": self._tell_in(self.link_id, answer)}
