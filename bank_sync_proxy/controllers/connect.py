import functools
from http import HTTPStatus
from urllib.parse import urlencode

from odoo import http
from odoo.http import request

from ..providers.errors import ProviderError

PAGE_SIZE = 20
HEADERS = {
    # The pages need one style sheet, logos and forms that go back to where they came from. Nothing else is allowed.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data: https:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


def hosted_page(method):
    """What every answer of the hosted pages has in common, also when it redirects."""

    @functools.wraps(method)
    def wrapper(*arguments, **parameters):
        response = method(*arguments, **parameters)
        response.headers.update(HEADERS)
        return response

    return wrapper


class BankSyncConnect(http.Controller):
    """The pages on which a user connects a bank. They work without JavaScript, and the address is the only ticket.

    A visit is found by its address, all else is kept on the server: a page shows where the visit stands, a form changes
    it and leads to the page again, so that reloading and going back are harmless.
    """

    # -------------------------------------------------------------------------
    # ROUTES
    # -------------------------------------------------------------------------

    @http.route(
        "/bank_sync/connect/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        sitemap=False,
    )
    @hosted_page
    def show(self, token, q=None, country=None, cursor=None, **_parameters):
        visit = self._find(token)
        if not self._is_open(visit):
            return self._closed_page(visit)
        try:
            challenge = visit._challenge()
            if challenge:
                return self._challenge_page(visit, challenge)
            return self._institutions_page(visit, q, country, cursor)
        except ProviderError as error:
            record = (
                request.env["bank.sync.error"]
                .sudo()
                ._record(
                    error, operation="visit.show", client=visit.connection_id.client_id, connection=visit.connection_id
                )
            )
            visit._fail(error, record)
            return self._closed_page(visit)

    @http.route(
        "/bank_sync/connect/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        sitemap=False,
    )
    @hosted_page
    def submit(self, token, **_parameters):
        visit = self._find(token)
        form = request.httprequest.form
        if not self._is_open(visit):
            return self._closed_page(visit)
        action = form.get("action")
        if action == "cancel":
            visit._close("cancelled")
        elif form.get("step") == str(visit.step):
            if action == "back":
                visit._choose_again()
            elif "institution" in form:
                visit._choose_institution(form["institution"])
            else:
                visit._answer(form.to_dict(flat=False))
        # A form of an older page changes nothing: the browser gets the page of the current step.
        return self._leave(visit) if visit.state in ("done", "cancelled") else self._show_again(token)

    # -------------------------------------------------------------------------
    # PAGES
    # -------------------------------------------------------------------------

    def _institutions_page(self, visit, query, country, cursor):
        directory = request.env["bank.sync.institution"].sudo()
        countries = directory._countries()
        if country is None:
            # The company's own country comes first, unless there is nothing to choose in it.
            country = visit.country_code if visit.country_code in dict(countries) else ""
        try:
            found, following = directory._search_page((query or "")[:100], country[:2], PAGE_SIZE, cursor)
        except ProviderError:
            found, following = directory._search_page((query or "")[:100], country[:2], PAGE_SIZE)
        return self._page(
            "bank_sync_proxy.connect_institutions",
            visit,
            institutions=found,
            next_cursor=following,
            query=query or "",
            country=country,
            countries=countries,
            country_names=dict(countries),
            link=lambda **parameters: f"?{urlencode(parameters)}",
        )

    def _challenge_page(self, visit, challenge):
        return self._page("bank_sync_proxy.connect_challenge", visit, challenge=challenge, translate=visit._translate)

    def _closed_page(self, visit):
        """The visit is over, or never was."""
        if not visit:
            return self._page("bank_sync_proxy.connect_closed", visit, HTTPStatus.NOT_FOUND, reason="unknown")
        reason = "expired" if visit.state == "open" else visit.state
        if reason == "failed" or (reason == "done" and not visit.return_url):
            return self._page("bank_sync_proxy.connect_closed", visit, reason=reason)
        return self._page("bank_sync_proxy.connect_closed", visit, HTTPStatus.GONE, reason=reason)

    def _page(self, template, visit, status=HTTPStatus.OK, **values):
        institution = visit.connection_id.institution_id
        values.update(
            visit=visit,
            institution=institution,
            is_demonstration=institution.provider_id.is_demonstration,
            error=visit.error_id,
            language=(request.env.lang or "en_US").replace("_", "-"),
        )
        return request.render(template, values, status=int(status))

    # -------------------------------------------------------------------------
    # HELPERS
    # -------------------------------------------------------------------------

    def _find(self, token):
        visit = request.env["bank.sync.visit"].sudo()._find(token)
        if visit.language and request.env["bank.sync.api"]._is_installed(visit.language):
            request.update_context(lang=visit.language)
            visit = visit.with_context(lang=visit.language)
        return visit

    def _is_open(self, visit):
        return visit and visit.state == "open" and not visit._is_expired()

    def _show_again(self, token):
        return request.redirect(f"/bank_sync/connect/{token}", code=HTTPStatus.SEE_OTHER)

    def _leave(self, visit):
        """Back to the database, at the address that was fixed when the visit began."""
        cancelled = {"cancelled": 1} if visit.state == "cancelled" else {}
        way_back = visit._way_back(**cancelled)
        if not way_back:
            return self._closed_page(visit)
        return request.redirect(way_back, code=HTTPStatus.SEE_OTHER)
