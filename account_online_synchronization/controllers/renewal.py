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
    """Logging filter that masks the secret in the addresses of these pages."""

    ADDRESS = re.compile(r"(/account_online_synchronization/renew/(?:back/)?)[^\s?\"'/]+")

    def filter(self, record):
        if PATH in record.getMessage():
            record.msg, record.args = self.ADDRESS.sub(r"\1•••", record.getMessage()), ()
        return True


# Why here: the filter must be installed before the first request to this addon.
logging.getLogger("werkzeug").addFilter(Links())


class AccountOnlineRenewalController(http.Controller):
    """The pages for a person without an Odoo user who renews a consent.

    Opening the link changes nothing, because mail scanners open links before people do; only the button continues. The
    address is secret: no caching, referrer or framing.
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
            # Another browser, or opened too often.
            return self._page("elsewhere", HTTPStatus.FORBIDDEN, renewal) if not renewal._is_of(key) else self._ended()
        # Why not local: the service may be on another server; its address was chosen by this database.
        response = request.redirect(url, code=HTTPStatus.SEE_OTHER, local=False)
        response.headers.update(HEADERS)
        return self._with_key(response, key)

    @http.route(f"{PATH}back/<string:nonce>", type="http", auth="public", methods=["GET"], sitemap=False)
    def come_back(self, nonce, cancelled=None, **_parameters):
        """The query is trusted only for a cancellation; the result is requested from the service."""
        visit = request.env["account.online.renewal"]._find_returned(nonce, request.cookies.get(COOKIE))
        if not visit:
            return self._ended()
        visit._come_back(cancelled)
        return self._page(visit.state, HTTPStatus.OK, visit.renewal_id, visit=visit)

    # -------------------------------------------------------------------------
    # HELPERS
    # -------------------------------------------------------------------------

    def _ended(self):
        """The same page for all invalid or ended links, so that it discloses nothing."""
        return self._page("ended", HTTPStatus.GONE)

    def _page(self, reason, status, renewal=None, **values):
        """:param str reason: ``ask`` · ``ended`` · ``elsewhere`` · ``later``, or the state in which a visit ended"""
        if renewal and renewal.user_id.lang:
            request.update_context(lang=renewal.user_id.lang)
        # sudo: without a request the page contains no data; with one it names company, bank and sender
        renewal = renewal or as_server(request.env["account.online.renewal"])
        values = {"reason": reason, "renewal": renewal, "visit": None, "error": None, **values}
        response = request.render("account_online_synchronization.renewal_page", values, status=int(status))
        response.headers.update(HEADERS)
        return response

    def _with_key(self, response, key):
        # Lax: the bank's page redirects here from another site. No date: it is deleted when the browser is closed.
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
