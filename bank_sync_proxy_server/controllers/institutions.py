from http import HTTPStatus
from urllib.parse import urlencode

from odoo import http
from odoo.addons.bank_sync_proxy.controllers.pages import HEADERS
from odoo.addons.bank_sync_proxy.providers.errors import ProviderError
from odoo.http import request

PAGE_SIZE = 25
MAX_QUERY = 100
MAX_CURSOR = 1000
MINUTES = 5
#: Search engines may index it, caches may store it. It varies by cookie, because signed-in users have a language.
CACHED = {
    **{name: value for name, value in HEADERS.items() if name != "X-Robots-Tag"},
    "Cache-Control": f"public, max-age={60 * MINUTES}",
    "Vary": "Accept-Language, Cookie",
}
#: System parameter; 0, no or false switches the page off.
PARAMETER = "bank_sync_proxy.public_institutions"
OFF = ("0", "no", "off", "false")


class BankSyncInstitutions(http.Controller):
    """The public list of supported institutions.

    It costs the server one search of a bounded page. It contains nothing about the visitor, so shared caches may store
    it, by language.
    """

    @http.route(
        "/bank_sync/institutions",
        type="http",
        auth="public",
        methods=["GET"],
        sitemap=False,
        save_session=False,
    )
    def show(self, q="", country="", cursor=None, **_parameters):
        if self._is_off():
            return self._page("bank_sync_proxy_server.institutions_off", HTTPStatus.NOT_FOUND)
        # sudo: the list of banks is public, and only its public columns are shown
        directory = request.env["bank.sync.institution"].sudo()
        query, country = q[:MAX_QUERY].replace("\x00", ""), country[:2].upper()
        counts = directory._count_by_country()
        countries = directory._countries(counts)
        # Only countries with banks are accepted; any other text shows all countries.
        country = country if country in counts else ""
        found, following, is_later = self._search(directory, query, country, cursor)
        return self._page(
            "bank_sync_proxy_server.institutions_public",
            institutions=found,
            rows=found._rows_of_banks(),
            next_cursor=following,
            is_later=is_later,
            query=query,
            country=country,
            countries=countries,
            country_names=dict(countries),
            bank_count=sum(counts.values()),
            link=lambda **parameters: f"?{urlencode({k: v for k, v in parameters.items() if v})}",
            number=lambda value: request.env["ir.qweb.field.integer"].value_to_html(value, {}),
        )

    def _search(self, directory, query, country, cursor):
        """:return: institutions, cursor of the next page, whether this is not the first page"""
        cursor = cursor if cursor and len(cursor) <= MAX_CURSOR else None
        try:
            return *directory._search_page(query, country, PAGE_SIZE, cursor), bool(cursor)
        except ProviderError:
            # A truncated address: show the first page rather than an error.
            return *directory._search_page(query, country, PAGE_SIZE), False

    def _is_off(self):
        # sudo: reads one system parameter that is not secret; the code fixes its name
        value = request.env["ir.config_parameter"].sudo().get_param(PARAMETER, "1")
        return value.strip().lower() in OFF

    def _page(self, template, status=HTTPStatus.OK, **values):
        language = (request.env.lang or "en_US").replace("_", "-")
        response = request.render(template, {"language": language, **values}, status=int(status))
        response.headers.update(CACHED if status == HTTPStatus.OK else HEADERS)
        return response
