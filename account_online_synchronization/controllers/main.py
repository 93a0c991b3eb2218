from odoo import http
from odoo.http import request

LINK_ACTION = "account_online_synchronization.account_online_link_action"
SELECTION_ACTION = "account_online_synchronization.account_online_account_selection_action"

#: The return page has side effects, and its address contains a nonce: no framing, caching or referrer.
HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class AccountOnlineSynchronizationController(http.Controller):
    @http.route(
        "/account_online_synchronization/return/<string:nonce>",
        type="http",
        auth="user",
        methods=["GET"],
        sitemap=False,
    )
    def return_from_bank(self, nonce, cancelled=None, **_parameters):
        """The page to which the browser returns from the bank's pages.

        The query is not trusted: the result is requested from the proxy.
        """
        response = self._return_from_bank(nonce, cancelled)
        response.headers.update(HEADERS)
        return response

    def _return_from_bank(self, nonce, cancelled):
        visit = request.env["account.online.authorization"]._find(nonce)
        if not visit:
            # Expired, another user's, or replaced by another page of the visit: nothing is changed.
            return request.redirect(f"/odoo/action-{LINK_ACTION}")
        if visit._is_open() and not cancelled:
            visit._check_rights()
        visit._come_back(cancelled)
        # A finished visit is only shown, so reloading the page is harmless.
        return self._page_in_window(visit) if visit.is_in_window else self._page_in_same_tab(visit)

    def _page_in_window(self, visit):
        """A small page that closes itself if the waiting screen has noticed it, and otherwise redirects."""
        onward = {"done": self._url_after(visit), "cancelled": "/odoo/connect-bank"}
        return request.render(
            "account_online_synchronization.return_in_window",
            {"visit": visit, "onward": onward.get(visit.state, f"/odoo/bank-visit/{visit.id}")},
        )

    def _page_in_same_tab(self, visit):
        link = visit.link_id
        if visit.state == "done":
            return request.redirect(self._url_after(visit))
        if visit.state == "failed" and not link:
            return request.render("account_online_synchronization.return_without_consent", {"visit": visit})
        return request.redirect(self._url_of(link) if link else "/odoo/accounting")

    def _url_after(self, visit):
        """:return: address of the next page: the account selection after a new consent, otherwise the link"""
        action = visit.next_action or {}
        if action.get("xml_id") == SELECTION_ACTION and action.get("res_id"):
            return f"/odoo/action-{SELECTION_ACTION}/{action['res_id']}"
        return self._url_of(visit.link_id)

    def _url_of(self, link):
        return f"/odoo/action-{LINK_ACTION}/{link.id}"
