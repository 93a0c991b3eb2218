import logging

from odoo import http
from odoo.http import request

from ..proxy.errors import ProxyError

_logger = logging.getLogger(__name__)

LINK_ACTION = "account_online_synchronization.account_online_link_action"
SELECTION_ACTION = "account_online_synchronization.account_online_account_selection_action"


class AccountOnlineSynchronizationController(http.Controller):
    @http.route(
        "/account_online_synchronization/return/<string:nonce>",
        type="http",
        auth="user",
        methods=["GET"],
        sitemap=False,
    )
    def return_from_bank(self, nonce, cancelled=None, **_parameters):
        """Where the browser arrives after the bank's pages.

        Nothing in the query is believed: what happened at the bank is asked from the proxy.
        """
        authorization = request.env["account.online.authorization"]._find(nonce)
        if not authorization:
            # Used already, expired, or another user's. What is stored is shown, nothing is changed.
            return request.redirect(f"/odoo/action-{LINK_ACTION}")
        link = authorization.link_id
        if cancelled:
            authorization.unlink()
            return request.redirect(self._url_of(link) if link else "/odoo/accounting")
        try:
            action, link = authorization._finish()
        except ProxyError as error:
            _logger.info("The visit of the bank's pages did not end with a consent: %s", error.code)
            if not link:
                return request.render("account_online_synchronization.return_without_consent", {"error": error})
            link._register_error(error)
            return request.redirect(self._url_of(link))
        if action:
            return request.redirect(f"/odoo/action-{SELECTION_ACTION}/{action['res_id']}")
        return request.redirect(self._url_of(link))

    def _url_of(self, link):
        return f"/odoo/action-{LINK_ACTION}/{link.id}"
