import base64
import json
import unicodedata

from odoo import api, fields, models
from odoo.fields import Domain

from ..providers.errors import ConfigurationError, ProtocolError

MAX_PAGE = 100


def normalize(text):
    """Lower case, without accents: what is compared when people search."""
    folded = unicodedata.normalize("NFKD", (text or "").casefold())
    return " ".join("".join(character for character in folded if not unicodedata.combining(character)).split())


class BankSyncInstitution(models.Model):
    """The directory of banks that can be reached, filled from the providers."""

    _name = "bank.sync.institution"
    _description = "Bank"
    _order = "search_name, id"

    name = fields.Char(required=True, readonly=True)
    identifier = fields.Char(required=True, readonly=True, help="The id under which databases know the bank.")
    country_code = fields.Char(string="Country", size=2, index=True, readonly=True)
    bic = fields.Char(string="BIC", readonly=True)
    logo = fields.Char(readonly=True)
    status = fields.Selection(selection=[("stable", "Stable"), ("beta", "Beta")], required=True, readonly=True)
    active = fields.Boolean(default=True, help="No: the provider does not list this bank any more.")
    provider_id = fields.Many2one(comodel_name="bank.sync.provider", required=True, index=True, ondelete="cascade")
    provider_institution = fields.Char(string="Provider's ID", required=True, readonly=True)
    capabilities = fields.Json(readonly=True)
    auto_sync = fields.Boolean(
        string="Automatic Synchronization", compute="_compute_capabilities", help="No: only while a user is present."
    )
    history_days = fields.Integer(compute="_compute_capabilities")
    consent_days = fields.Integer(compute="_compute_capabilities", help="0: until it is withdrawn.")
    refreshes_per_day = fields.Integer(compute="_compute_capabilities", help="0: no limit known.")
    # Why stored in this form: the search needs no extension of PostgreSQL, and an index serves it as it is.
    search_name = fields.Char(compute="_compute_search", store=True, index=True)
    search_text = fields.Char(compute="_compute_search", store=True)

    _identifier_unique = models.UniqueIndex("(identifier)", "Identifiers of banks are unique.")
    _provider_unique = models.UniqueIndex(
        "(provider_id, provider_institution)", "A provider lists each of its banks once."
    )

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("name", "bic", "country_code")
    def _compute_search(self):
        for institution in self:
            institution.search_name = normalize(institution.name)
            institution.search_text = normalize(f"{institution.name} {institution.bic or ''}")

    @api.depends("capabilities")
    def _compute_capabilities(self):
        for institution in self:
            capabilities = institution.capabilities or {}
            institution.auto_sync = capabilities.get("auto_sync", True)
            institution.history_days = capabilities.get("history_days") or 0
            institution.consent_days = capabilities.get("consent_days") or 0
            institution.refreshes_per_day = capabilities.get("refreshes_per_day") or 0

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - DIRECTORY
    # -------------------------------------------------------------------------

    @api.model
    def _update_directory(self, providers=None):
        """Take over what the providers list. One that does not answer keeps what it had and stops no other one."""
        for provider in providers or self.env["bank.sync.provider"].search([("active", "=", True)]):
            self.env["bank.sync.error"]._attempt(
                lambda provider=provider: self._update_provider(provider, list(provider._adapter().institutions())),
                operation="institutions.update",
            )
            # A newer version of the adapter may need more settings.
            provider._ensure_settings()

    @api.model
    def _update_provider(self, provider, listed):
        """:param listed: :class:`~..providers.types.Institution` objects"""
        known = {
            institution.provider_institution: institution
            for institution in self.with_context(active_test=False).search([("provider_id", "=", provider.id)])
        }
        new = []
        for institution in listed:
            values = self._values_of(institution)
            record = known.pop(institution.id, None)
            if record is None:
                identifier = f"{provider.code}.{institution.id}"
                new.append(
                    {
                        **values,
                        "provider_id": provider.id,
                        "identifier": identifier,
                        "provider_institution": institution.id,
                    }
                )
            else:
                changed = {name: value for name, value in values.items() if (record[name] or False) != (value or False)}
                if changed:
                    record.write(changed)
        self.create(new)
        for record in known.values():
            record.active = False
        provider.directory_updated_at = fields.Datetime.now()

    @api.model
    def _values_of(self, institution):
        return {
            "name": institution.name,
            "country_code": institution.country,
            "bic": institution.bic,
            "logo": institution.logo,
            "status": institution.status,
            "capabilities": institution.capabilities.to_protocol(),
            "active": True,
        }

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SEARCH
    # -------------------------------------------------------------------------

    @api.model
    def _search_page(self, query=None, country=None, limit=20, cursor=None):
        """Search by name and BIC; each word must occur, accents and case do not matter.

        :param str cursor: as returned with the page before
        :return: institutions, cursor of the next page or None
        """
        domain = Domain("provider_id.active", "=", True)
        for word in normalize(query).split():
            domain &= Domain("search_text", "like", word)
        if country:
            domain &= Domain("country_code", "=", country.upper())
        if cursor:
            name, last = self._read_cursor(cursor)
            domain &= Domain("search_name", ">", name) | (Domain("search_name", "=", name) & Domain("id", ">", last))
        limit = max(1, min(int(limit or 20), MAX_PAGE))
        found = self.search(domain, limit=limit + 1)
        page = found[:limit]
        if len(found) <= limit:
            return page, None
        place = json.dumps([page[-1].search_name, page[-1].id]).encode()
        return page, base64.urlsafe_b64encode(place).decode()

    @api.model
    def _read_cursor(self, cursor):
        try:
            name, last = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            return str(name), int(last)
        except (ValueError, TypeError):
            raise ProtocolError("invalid_request", "not a cursor of institutions.search")

    @api.model
    def _countries(self):
        """:return: list of (code, name in the user's language) of the countries with banks, by name"""
        groups = self._read_group([("provider_id.active", "=", True)], groupby=["country_code"])
        codes = [code for (code,) in groups if code]
        countries = self.env["res.country"].sudo().search([("code", "in", codes)])
        names = {country.code: country.name for country in countries}
        return sorted(((code, names.get(code, code)) for code in codes), key=lambda item: normalize(item[1]))

    @api.model
    def _find(self, identifier):
        """:raise ConfigurationError: ``unknown_institution``"""
        found = self.search([("identifier", "=", str(identifier)), ("provider_id.active", "=", True)], limit=1)
        if not found:
            raise ConfigurationError("unknown_institution", f"no institution {identifier}")
        return found

    def _to_protocol(self):
        """:return: *institution* of docs/protocol.md"""
        self.ensure_one()
        return {
            "id": self.identifier,
            "name": self.name,
            "country": self.country_code or None,
            "bic": self.bic or None,
            "logo": self.logo or None,
            "status": self.status,
            "providers": [self.provider_id._to_protocol()],
            "capabilities": self.capabilities or {},
        }
