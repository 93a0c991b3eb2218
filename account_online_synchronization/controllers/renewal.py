import logging
import re
import secrets
from http import HTTPStatus

from odoo import http
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.http import request

from ..client.errors import ProxyError
from ..models.account_online_renewal import PATH
from .main import HEADERS

_logger = logging.getLogger(__name__)

COOKIE = "online_renewal"


class Links(logging.Filter):
    """The server's log tells that such a page was asked for, but not the secret in its address."""

    ADDRESS = re.compile(r"(/account_online_synchronization/renew/(?:back/)?)[^\s?\"'/]+")

    def filter(self, record):
        if PATH in record.getMessage():
            record.msg, record.args = self.ADDRESS.sub(r"\1•••", record.getMessage()), ()
        return True


# Why here: the filter has to be there before the first request of this addon is.
logging.getLogger("werkzeug").addFilter(Links())


class AccountOnlineRenewalController(http.Controller):
    """The way of somebody without an Odoo user to the bank and back.

    Looking at the link changes nothing, because programs look at e-mails before people do: only the button goes on. Its
    address is a secret, so it is neither kept by browsers, nor passed on, nor shown in a frame.
    """

    @http.route(f"{PATH}<string:token>", type="http", auth="public", methods=["GET"], sitemap=False)
    def look(self, token, **_parameters):
        renewal = request.env["account.online.renewal"]._find(token)
        if not renewal:
            return self._ended()
        if renewal.browser_digest and not renewal._is_of(request.cookies.get(COOKIE)):
            return self._page("elsewhere", HTTPStatus.FORBIDDEN, renewal)
        return self._page("ask", HTTPStatus.OK, renewal)

    @http.route(f"{PATH}<string:token>", type="http", auth="public", methods=["POST"], sitemap=False)
    def begin(self, token, **_parameters):
        renewal = request.env["account.online.renewal"]._find(token)
        if not renewal:
            return self._ended()
        key = request.cookies.get(COOKIE) or secrets.token_urlsafe(32)
        try:
            url = renewal._begin(key)
        except ProxyError as error:
            _logger.info("A renewal by e-mail could not begin: %s", error.code)
            return self._with_key(self._page("later", HTTPStatus.OK, renewal, error=error), key)
        if not url:
            # Another browser, or one time too often.
            return self._page("elsewhere", HTTPStatus.FORBIDDEN, renewal) if not renewal._is_of(key) else self._ended()
        # Why not local: the service may be on another server; its address was chosen by this database.
        response = request.redirect(url, code=HTTPStatus.SEE_OTHER, local=False)
        response.headers.update(HEADERS)
        return self._with_key(response, key)

    @http.route(f"{PATH}back/<string:nonce>", type="http", auth="public", methods=["GET"], sitemap=False)
    def come_back(self, nonce, cancelled=None, **_parameters):
        """Nothing in the query is believed but that the user has left: the service is asked what happened."""
        visit = request.env["account.online.renewal"]._find_returned(nonce, request.cookies.get(COOKIE))
        if not visit:
            return self._ended()
        renewal = visit.renewal_id
        if visit._is_open() and cancelled:
            visit._cancel_at_bank()
        elif visit._is_open():
            try:
                visit._finish()
            except ProxyError as error:
                _logger.info("A renewal by e-mail did not end with a consent: %s", error.code)
                visit._fail(error)
        return self._page(visit.state, HTTPStatus.OK, renewal, visit=visit)

    # -------------------------------------------------------------------------
    # HELPERS
    # -------------------------------------------------------------------------

    def _ended(self):
        """The same page for whatever is not valid (any more), so that nobody learns what there is."""
        return self._page("ended", HTTPStatus.GONE)

    def _page(self, reason, status, renewal=None, **values):
        """:param str reason: ``ask`` · ``ended`` · ``elsewhere`` · ``later``, or the state in which a visit ended"""
        if renewal and renewal.user_id.lang:
            request.update_context(lang=renewal.user_id.lang)
        # sudo: without a request the page is about nothing; with one it names company, bank and who has asked
        renewal = renewal or as_server(request.env["account.online.renewal"])
        values = {"reason": reason, "renewal": renewal, "visit": None, "error": None, **values}
        response = request.render("account_online_synchronization.renewal_page", values, status=int(status))
        response.headers.update(HEADERS)
        return response

    def _with_key(self, response, key):
        # Lax: the bank's page leads back here from another site. No date: it goes when the browser is closed.
        response.set_cookie(
            COOKIE,
            key,
            expires=None,
            path=PATH,
            secure=request.httprequest.scheme == "https",
            httponly=True,
            samesite="Lax",
        )
        return response
