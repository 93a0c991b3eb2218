"""Common parts of all pages of the proxy: headers, the browser's key, the layout, the pages that end a visit."""

import functools
import re
import secrets
from http import HTTPStatus
from urllib.parse import urlsplit

from odoo import http
from odoo.http import request
from odoo.tools.misc import hmac as odoo_hmac

from ..tools.links import with_links
from ..tools.urls import is_local_path

#: Cookie with the browser's key, which binds a visit to one browser.
COOKIE = "bank_sync_browser"
#: Over https this prefix makes browsers refuse a cookie that another host of the same domain has set.
HOST_COOKIE = f"__Host-{COOKIE}"
#: Name of the hidden field in each form of a visit.
FORM_TOKEN = "csrf_token"
KEY_SHAPE = re.compile(r"[\w-]{43}")
ORIGIN_SHAPE = re.compile(r"https?://[\w.\[\]:-]+", re.ASCII)
#: The pages need one style sheet, logos and forms that post to their own origin. Nothing else is allowed.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data: https:; form-action {forms}; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY.format(forms="'self'"),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


def hosted_page(*paths, **options):
    """Route of a page for any visitor. Every answer has the headers of the hosted pages, redirects included.

    Why no session is saved: a form posted by another site is sent without the user's cookie, and the new session in the
    answer would sign the user out.

    :param options: of ``http.route``
    """

    def decorate(method):
        @http.route(*paths, type="http", auth="public", sitemap=False, save_session=False, **options)
        @functools.wraps(method)
        def wrapper(*arguments, **parameters):
            response = method(*arguments, **parameters)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return wrapper

    return decorate


class Pages:
    """For controllers that show hosted pages."""

    # -------------------------------------------------------------------------
    # THE BROWSER
    # -------------------------------------------------------------------------

    def _browser_key(self):
        """:return: the key of this browser, or an empty text"""
        key = request.httprequest.cookies.get(self._cookie_name(), "")
        return key if KEY_SHAPE.fullmatch(key) else ""

    def _cookie_name(self):
        return HOST_COOKIE if self._is_https() else COOKIE

    def _is_https(self):
        """Whether the browser's connection is encrypted; behind a reverse proxy this depends on Odoo's
        ``proxy_mode``."""
        return request.httprequest.scheme == "https"

    def _give_key(self, response):
        # Lax: the bank's page, on another site, leads back here. No expiry: the cookie ends with the browser's session.
        response.set_cookie(
            self._cookie_name(),
            secrets.token_urlsafe(32),
            expires=None,
            path="/",
            secure=self._is_https(),
            httponly=True,
            samesite="Lax",
        )
        return response

    def _form_token(self, visit):
        """:return: token that proves, on every machine, that a form is from a page of this visit in this browser"""
        message = f"{visit.public_id}:{self._browser_key()}"
        # sudo: computes a digest with the database's secret, which is not shown
        return odoo_hmac(request.env(su=True), "bank_sync_form", message)

    def _address(self):
        """:return: where the request comes from"""
        return request.httprequest.remote_addr

    # -------------------------------------------------------------------------
    # THE VISIT
    # -------------------------------------------------------------------------

    def _use_its_language(self, visit):
        """Also pass the user's data to the adapter: the request to the bank is sent on this user's behalf."""
        agent = request.httprequest.headers.get("User-Agent", "")
        visit = visit.with_context(bank_sync_user={"ip_address": self._address(), "agent": agent})
        if visit.language and request.env["bank.sync.api"]._is_installed(visit.language):
            request.update_context(lang=visit.language)
            visit = visit.with_context(lang=visit.language)
        return visit

    def _go_to(self, visit, query=None):
        """:param dict query: initial search of the choice of the bank"""
        return request.redirect_query(f"/bank_sync/visit/{visit.public_id}", query, code=HTTPStatus.SEE_OTHER)

    def _leave(self, visit, from_elsewhere=False):
        """Redirect back to the database, at the address that was fixed when the visit began.

        :param bool from_elsewhere: the browser comes from a page of another site
        """
        cancelled = {"cancelled": 1} if visit.state == "cancelled" else {}
        way_back = visit._way_back(**cancelled)
        if not way_back:
            return self._closed_page(visit)
        if from_elsewhere and not is_local_path(way_back):
            # Why a page in between: browsers apply a form's policy to all redirects that follow it, and the bank's
            # policy allows us, but not the database.
            return self._page("bank_sync_proxy.connect_leaving", visit, way_back=way_back, refresh=f"0;url={way_back}")
        return request.redirect(way_back, code=HTTPStatus.SEE_OTHER, local=is_local_path(way_back))

    # -------------------------------------------------------------------------
    # PAGES
    # -------------------------------------------------------------------------

    def _closed_page(self, visit):
        """The visit is over, or never was."""
        if not visit:
            return self._sign("unknown", HTTPStatus.NOT_FOUND)
        reason = "expired" if visit.state == "open" else visit.state
        if reason == "failed" or (reason == "done" and not visit.return_url):
            return self._page("bank_sync_proxy.connect_closed", visit, reason=reason)
        return self._page("bank_sync_proxy.connect_closed", visit, HTTPStatus.GONE, reason=reason)

    def _refused_page(self, visit, error):
        """The client is blocked or disconnected: says why, and leads back."""
        # sudo: makes a sentence of an error, reads nothing
        sentence = request.env["bank.sync.error"].sudo()._sentence(error)
        return self._page(
            "bank_sync_proxy.connect_closed", visit, HTTPStatus.FORBIDDEN, reason="refused", sentence=sentence
        )

    def _sign(self, reason, status=HTTPStatus.OK):
        """A page that reveals nothing about any visit, for a visitor without one."""
        # sudo: an empty recordset: the page shows no visit
        nothing = request.env["bank.sync.visit"].sudo()
        return self._page("bank_sync_proxy.connect_closed", nothing, status, reason=reason)

    def _page(self, template, visit, status=HTTPStatus.OK, **values):
        institution = visit.connection_id.institution_id
        language = request.env["res.lang"]._get_data(code=request.env.lang or "en_US")
        values = {
            "visit": visit,
            "institution": institution,
            "is_demonstration": institution.provider_id.is_demonstration,
            "error": visit.error_id,
            "language": (request.env.lang or "en_US").replace("_", "-"),
            "direction": language.direction or "ltr",
            "form_token": self._form_token(visit),
            "refresh": None,
            "form_url": None,
            "translate": visit._translate,
            "say": lambda text: with_links(visit._translate(text)),
            "with_links": with_links,
            "receiver": visit._receiver(),
            "is_embedded": "account.online.link" in request.env,
            **values,
        }
        response = request.render(template, values, status=int(status))
        # The last form leads to the database, which may be somewhere else; a form of the provider to its page.
        origins = [origin for url in (visit.return_url, values["form_url"]) if (origin := self._origin_of(url))]
        if origins:
            response.headers["Content-Security-Policy"] = POLICY.format(forms=" ".join(["'self'", *origins]))
        return response

    def _origin_of(self, url):
        """:return: such as ``https://books.example.com``; empty for what is on this host"""
        if not url or is_local_path(url):
            return ""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return origin if ORIGIN_SHAPE.fullmatch(origin) else ""
