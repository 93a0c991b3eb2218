import hmac
import logging
import re
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from werkzeug.exceptions import BadRequest

from odoo import fields, http
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.http import request

from ..providers.errors import ProviderError
from .pages import FORM_TOKEN, Pages, hosted_page

_logger = logging.getLogger(__name__)

PAGE_SIZE = 20
PUBLIC_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
#: Marks that a browser was given its key already; without a cookie then, it accepts none.
SECOND_TIME = "again"


class BankSyncConnect(Pages, http.Controller):
    """The pages on which a user connects a bank. They work without JavaScript.

    A ticket in the address admits one browser, which is identified by its cookie from then on; the address of the pages
    themselves is not secret. The rest is kept on the server: a page shows the state of the visit, a form changes it and
    redirects to the page, so that reloading and going back are harmless.
    """

    # -------------------------------------------------------------------------
    # ROUTES
    # -------------------------------------------------------------------------

    @hosted_page("/bank_sync/connect/<string:token>", methods=["GET"])
    def enter(self, token, **parameters):
        # sudo: no user is logged in; the visit is found by its ticket of 256 bits only
        visit = self._use_its_language(as_server(request.env["bank.sync.visit"])._find(token))
        if not visit:
            return self._closed_page(visit)
        key = self._browser_key()
        query = {name: parameters[name] for name in ("q", "country") if name in parameters}
        if visit.browser_digest:
            return self._go_to(visit, query) if visit._is_of(key) else self._sign("used", HTTPStatus.GONE)
        if not visit._is_open():
            return self._closed_page(visit)
        if self._is_preview():
            return self._sign("preview")
        if not key and SECOND_TIME in parameters:
            return self._sign("cookies", HTTPStatus.FORBIDDEN)
        if not key:
            # Why two steps: link scanners keep no cookies, and so do not use up the ticket.
            query[SECOND_TIME] = 1
            return self._give_key(request.redirect_query(f"/bank_sync/connect/{token}", query, HTTPStatus.SEE_OTHER))
        visit._admit(key)
        return self._go_to(visit, query)

    @hosted_page("/bank_sync/visit/<string:public_id>", methods=["GET"])
    def show(self, public_id, q=None, country=None, cursor=None, **_parameters):
        visit, refusal = self._find_own(public_id)
        if refusal:
            return refusal
        try:
            if request.httprequest.method != "HEAD":
                visit._poll(self._address())
            if visit.state in ("done", "cancelled"):
                return self._leave(visit)
            if not visit._is_open():
                return self._closed_page(visit)
            return self._current_page(visit, q, country, cursor)
        except ProviderError as error:
            # sudo: _find_own has checked the browser's key; what failed is recorded, masked
            errors, connection = as_server(request.env["bank.sync.error"]), visit.connection_id
            about = {"client": connection.client_id, "connection": connection}
            visit._fail(error, errors._record(error, operation="visit.show", **about))
            return self._closed_page(visit)

    @hosted_page(
        "/bank_sync/visit/<string:public_id>",
        methods=["POST"],
        # Why not Odoo's CSRF token: it belongs to a session, which is a file on one machine. See _is_our_form.
        csrf=False,
    )
    def submit(self, public_id, **_parameters):
        visit, refusal = self._find_own(public_id)
        if refusal:
            return refusal
        form = request.httprequest.form
        if not self._is_our_form(visit, form.get(FORM_TOKEN, "")):
            _logger.warning("A form for visit %s came without the token of its page", visit.id)
            raise BadRequest()
        action = form.get("action")
        if action == "cancel":
            visit._close("cancelled")
        elif form.get("step") == str(visit.step):
            if action == "back":
                visit._choose_again()
            elif action == "again":
                visit._begin_again(self._address())
            elif action == "approved":
                visit._poll(self._address())
            elif "institution" in form:
                visit._choose_institution(form["institution"], self._address())
            else:
                visit._answer(form.to_dict(flat=False), self._address())
        # A form of an outdated page changes nothing: the browser gets the page of the current step.
        return self._leave(visit) if visit.state in ("done", "cancelled") else self._go_to(visit)

    @hosted_page("/bank_sync/visit/<string:public_id>/bank", methods=["GET"])
    def go_to_the_bank(self, public_id, **_parameters):
        """Redirect to the bank's page. None of our pages contains its address."""
        visit, refusal = self._find_own(public_id)
        if refusal:
            return refusal
        url = visit._redirect()
        if not url:
            return self._go_to(visit)
        if request.httprequest.method != "HEAD" and not visit.redirected_at:
            visit.redirected_at = fields.Datetime.now()
        return request.redirect(url, code=HTTPStatus.SEE_OTHER, local=False)

    # -------------------------------------------------------------------------
    # PAGES
    # -------------------------------------------------------------------------

    def _current_page(self, visit, query, country, cursor):
        challenge = visit._challenge()
        if challenge:
            return self._challenge_page(visit, challenge)
        url = visit._redirect()
        if url:
            return self._redirect_page(visit, url)
        if visit.connection_id.institution_id:
            return self._page("bank_sync_proxy.connect_again", visit)
        return self._institutions_page(visit, query, country, cursor)

    def _institutions_page(self, visit, query, country, cursor):
        # sudo: the list of banks is public
        directory = request.env["bank.sync.institution"].sudo()
        countries = directory._countries()
        if country is None:
            # The company's country comes first, unless it has no banks to choose from.
            country = visit.country_code if visit.country_code in dict(countries) else ""
        try:
            found, following = directory._search_page((query or "")[:100], country[:2], PAGE_SIZE, cursor)
        except ProviderError:
            # An invalid cursor: show the first page rather than an error.
            found, following = directory._search_page((query or "")[:100], country[:2], PAGE_SIZE)
        return self._page(
            "bank_sync_proxy.connect_institutions",
            visit,
            institutions=found,
            rows=found._rows_of_banks(),
            next_cursor=following,
            query=query or "",
            country=country,
            countries=countries,
            country_names=dict(countries),
            link=lambda **parameters: f"?{urlencode(parameters)}",
        )

    def _challenge_page(self, visit, challenge):
        if visit.error_id:
            # Why: it is about an earlier answer than the failure, which the page shows, too.
            challenge = replace(challenge, error="")
        is_approval = challenge.kind == "approval"
        return self._page(
            "bank_sync_proxy.connect_approval" if is_approval else "bank_sync_proxy.connect_challenge",
            visit,
            challenge=challenge,
            refresh=max(1, challenge.poll_seconds) if is_approval else None,
            form_url=challenge.form and challenge.form.url,
        )

    def _redirect_page(self, visit, url):
        # Why a page in between: browsers apply the policy of the submitted form to the bank's address, too. It
        # redirects only once automatically: a user who comes back with the browser's button wants to stay. Not
        # automatically if the user should first check where the data goes: the bank's page does not show that.
        onward = f"{visit.public_id}/bank"
        is_automatic = not visit.redirected_at and not visit._receiver()["is_doubtful"]
        return self._page(
            "bank_sync_proxy.connect_redirect",
            visit,
            onward=onward,
            host=urlsplit(url).hostname,
            refresh=f"1;url={onward}" if is_automatic else None,
        )

    # -------------------------------------------------------------------------
    # HELPERS
    # -------------------------------------------------------------------------

    def _find_own(self, public_id):
        """:return: (the open visit of this browser, None), or (None, what to answer instead)"""
        # sudo: the address alone gives no access: _is_of checks the browser's key before anything is shown
        visits = as_server(request.env["bank.sync.visit"])
        # Why checked first: PostgreSQL accepts no NUL, and anyone could fill the log with tracebacks.
        visit = visits.search([("public_id", "=", public_id)], limit=1) if PUBLIC_ID.fullmatch(public_id) else visits
        if not visit:
            return None, self._closed_page(visit)
        visit = self._use_its_language(visit)
        if not visit._is_of(self._browser_key()):
            return None, self._sign("elsewhere", HTTPStatus.FORBIDDEN)
        if not visit._is_open():
            return None, self._closed_page(visit)
        error = visit._refusal()
        if error:
            return None, self._refused_page(visit, error)
        return visit, None

    def _is_our_form(self, visit, token):
        """Whether a form is from a page that this browser was shown: another site can post one, but has no token."""
        return hmac.compare_digest(token.encode(), self._form_token(visit).encode())

    def _is_preview(self):
        """Whether a program such as a link scanner or a prefetch requests the address, not the user."""
        headers = request.httprequest.headers
        purposes = " ".join(headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")).lower()
        return (
            request.httprequest.method == "HEAD"
            or "prefetch" in purposes
            or "preview" in purposes
            or headers.get("Sec-Fetch-Dest", "document") not in ("document", "empty")
            or headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        )
