from markupsafe import Markup

from odoo import api, models
from odoo.addons.bank_sync_common.models.server_fields import as_server

from ..client.banks import read_banks, read_countries
from ..client.errors import ProxyError
from ..sync.status import describe_health

#: Banks per page.
PAGE_SIZE = 20
MAX_QUERY = 100


class AccountOnlineDirectory(models.AbstractModel):
    """Server side of the bank search screen.

    The directory belongs to the connection service and is not stored here. The screen (``static/src/connect``) calls
    the public methods over RPC, so each of them checks the user's rights.
    """

    _name = "account.online.directory"
    _description = "Directory of Banks"

    # -------------------------------------------------------------------------
    # OPENING THE SCREEN
    # -------------------------------------------------------------------------

    def _open(self, journal=None):
        """:param journal: ``account.journal`` that the user started from, if any"""
        self.env["account.online.link"]._check_may_connect()
        action = self.env["ir.actions.client"]._for_xml_id(
            "account_online_synchronization.account_online_link_action_search"
        )
        # Why the active id: it is part of the address, so a reloaded page knows the journal. Why the company: the
        # connection may belong to another one than the user's first.
        return {
            **action,
            "context": {"active_id": journal.id} if journal else {},
            "params": {"company_id": (journal.company_id if journal else self.env.company).id},
        }

    # -------------------------------------------------------------------------
    # CALLED BY THE SCREEN
    # -------------------------------------------------------------------------

    @api.model
    def action_begin_bank_search(self, journal_id=False):
        """What the screen shows first.

        :param int journal_id: journal that the user started from
        :return: ``journal`` (its name), ``country`` (code of the company's, where it has banks), ``countries`` (list of
            code and name), ``begun`` (unfinished visits, see there), ``hint`` and ``administrator`` (see
            :meth:`_directory_hint`, :meth:`_describe_administrator`), and the first page as
            :meth:`action_search_banks` gives it
        """
        self.env["account.online.link"]._check_may_connect()
        journal = self._journal_to_connect(journal_id)
        company = journal.company_id or self.env.company
        country = company.country_id.code or company.account_fiscal_country_id.code or ""
        page = self._search_banks("", country, None, with_countries=True)
        codes = page.pop("countries", None)
        if country and not page["banks"] and not page.get("error"):
            country = ""
            page = self._search_banks("", "", None)
        if not page["banks"] and not page.get("error"):
            page["advice"] = self._advise("")
        return {
            "journal": journal.name or "",
            "country": country,
            "countries": self._named_countries(codes),
            "hint": self._directory_hint(page),
            "administrator": self._describe_administrator(company),
            "begun": self.env["account.online.authorization"]._begun(company),
            **page,
        }

    @api.model
    def action_search_banks(self, query, country, cursor=None):
        """
        :param str query: name, part of it, or BIC; empty for all
        :param str country: ISO 3166 code, empty for all
        :param str cursor: of the page before
        :return: ``banks`` (see :mod:`..client.banks`; instead of ``health`` a sentence ``trouble``), ``cursor`` of the
            next page or False, ``unlisted`` (entries behind which the user may find the bank) and, where there are no
            banks, ``advice`` (see :meth:`_advise`); or ``error``
        """
        self.env["account.online.link"]._check_may_connect()
        page = self._search_banks(query, country, cursor)
        if not page["banks"] and not cursor and not page.get("error"):
            page["advice"] = self._advise(country)
        return page

    @api.model
    def action_open_bank(self, institution_id, journal_id=False, name=False):
        """Begin the visit to the chosen bank's pages.

        :param str institution_id: of the bank, or of one of its providers; False if the user chooses it on these pages
        :param str name: of the bank, shown while the user is away
        :return: action that opens the pages, or a notification with the reason
        """
        self.env["account.online.link"]._check_may_connect()
        journal = self._journal_to_connect(journal_id)
        authorization = self.env["account.online.authorization"].with_company(journal.company_id or self.env.company)
        return authorization._open("connect", None, journal or None, institution_id or None, name and str(name)[:200])

    @api.model
    def action_bank_not_listed(self, journal_id=False):
        """*My bank is not listed*: a bank journal without synchronization, by core's own form for it."""
        self.env["account.online.link"]._check_may_connect()
        journal = self._journal_to_connect(journal_id)
        action = self.env["res.company"].setting_init_bank_account_action()
        context = {**action["context"], "bank_is_not_listed": True}
        if journal and not journal.bank_account_id:
            context["default_linked_journal_id"] = journal.id
        return {**action, "name": self.env._("A Bank That Is Not Listed"), "context": context}

    @api.model
    def action_ask_administrator(self, country="", journal_id=False):
        """*Ask …*: an activity for an administrator who can enable providers, unless one is open already.

        :param str country: ISO 3166 code of the bank's country, empty for the company's
        :return: as :meth:`_describe_administrator`
        """
        self.env["account.online.link"]._check_may_connect()
        company = self._journal_to_connect(journal_id).company_id or self.env.company
        administrator = self._find_administrator(company)
        if administrator and not self._open_request():
            where = self._find_country(country, company)
            service = self.env["account.online.service"]._get()
            # sudo: _check_may_connect has checked the user; recipient and text are chosen by the server
            service.provider_activity_id = as_server(self)._request_provider(administrator, where, company)
        return self._describe_administrator(company)

    @api.model
    def action_confirm_phone(self, code):
        """Open the confirmation of the phone number that the service requires before it shows banks.

        :param str code: of the refusal
        """
        self.env["account.online.link"]._check_may_connect()
        return self.env["account.online.phone"]._open(ProxyError(str(code), ""), "search")

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _journal_to_connect(self, journal_id):
        """:return: the journal that the user started from, or none if it can't be connected (any more)"""
        journal = self.env["account.journal"].browse(journal_id if isinstance(journal_id, int) else False).exists()
        return journal.filtered(
            lambda one: (
                one.has_access("read") and one.type in ("bank", "credit") and one.company_id in self.env.companies
            )
        )

    def _search_banks(self, query, country, cursor, with_countries=None):
        """:return: as :meth:`action_search_banks`, and ``countries`` where they are wanted and known"""
        service = self.env["account.online.service"]._get()
        try:
            answer = service._request_to_connect(
                lambda: (
                    # sudo: action_begin_bank_search and action_search_banks have checked the right to connect
                    as_server(self.env["account.online.link"])
                    ._get_client()
                    .search_institutions(
                        query=str(query or "")[:MAX_QUERY].replace("\x00", "") or None,
                        country=str(country or "")[:2] or None,
                        limit=PAGE_SIZE,
                        cursor=cursor or None,
                        with_countries=with_countries,
                    )
                )
            )
        except ProxyError as error:
            return {"banks": [], "cursor": False, "error": self._describe_search_error(error)}
        return {
            "banks": self._readable_banks(answer["institutions"]),
            "cursor": answer["next_cursor"] or False,
            "unlisted": self._readable_banks(answer.get("unlisted")),
            **({"countries": read_countries(answer.get("countries"))} if with_countries else {}),
        }

    def _readable_banks(self, institutions):
        """:return: banks of :mod:`..client.banks`, with outages of bank and provider as a sentence ``trouble``"""
        service = self.env["account.online.service"]
        banks = read_banks(institutions)
        for one in [*banks, *(provider for bank in banks for provider in bank["providers"])]:
            sentence = describe_health(one.pop("health"))
            one["trouble"] = service._translate(sentence) if sentence else ""
        return banks

    def _describe_search_error(self, error):
        """:return: ``message``, ``reference``, whether the ``phone`` has to be confirmed, whether to ``retry``"""
        return {
            "message": error.message,
            "reference": error.reference or "",
            "phone": self.env["account.online.service"]._get()._wants_phone(error) and error.code,
            "retry": error.action == "retry",
            "settings": error.code in ("no_service", "neutralized") and self.env.user.has_group("base.group_system"),
        }

    def _named_countries(self, codes):
        """:param codes: of countries with banks, None where that is not known
        :return: list of (code, name in the user's language), by name
        """
        domain = [] if codes is None else [("code", "in", codes)]
        return [[country.code, country.name] for country in self.env["res.country"].search(domain, order="name")]

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - PROVIDERS OF THIS DATABASE
    # -------------------------------------------------------------------------

    def _has_providers(self):
        """:return: whether this database is its own connection service, so that its providers are known here"""
        return not self.env["account.online.service"]._get().url and "bank.sync.provider" in self.env

    def _directory_hint(self, page):
        """Which advice to show if the providers reach few banks or none.

        :return: ``""``, ``none`` or ``demonstration`` (no real bank), with the suffix ``_here`` for users who can
            change that in this database
        """
        if page.get("error"):
            return ""
        is_known = self._has_providers()
        # sudo: reads which providers are on, no keys; action_begin_bank_search has checked the user
        providers = self.env["bank.sync.provider"].sudo().search([("active", "=", True)]) if is_known else []
        only_demo = is_known and all(provider.is_demonstration for provider in providers)
        hint = "none" if not page["banks"] else "demonstration" if only_demo else ""
        return f"{hint}_here" if hint and is_known and self.env.user.has_group("base.group_system") else hint

    def _advise(self, country):
        """Which providers to enable if a search finds no bank because none reaches the country.

        :param country: ISO 3166 code, empty for the company's
        :return: ``country`` (its name) and ``providers`` that would reach it, best first: ``id``, ``name``,
            ``audience``, ``price``, ``needs``; False if that is not the reason or is not known
        """
        where = self._find_country(country, self.env.company) if self._has_providers() else None
        if not where:
            return False
        found = self.env["bank.sync.provider"]._describe_choices(where.code)
        return not found["is_reached"] and {"country": where.name, "providers": found["choices"]}

    def _find_country(self, code, company):
        code = code if isinstance(code, str) and code.isalpha() else ""
        named = self.env["res.country"].search([("code", "=", code[:2].upper())], limit=1) if code else None
        return named or company.country_id or company.account_fiscal_country_id

    def _find_administrator(self, company):
        """:return: a user who can enable providers; empty if the current user can, or the service is another server"""
        users = self.env["res.users"]
        if not self._has_providers() or self.env.user.has_group("base.group_system"):
            return users
        administrators = [("share", "=", False), ("all_group_ids", "in", self.env.ref("base.group_system").ids)]
        # sudo: only the name of an administrator is shown; action_begin_bank_search has checked the user
        found = users.sudo().search(administrators, order="id")
        return found.filtered(lambda user: company in user.company_ids)[:1] or found[:1]

    def _describe_administrator(self, company):
        """:return: ``name`` and ``is_asked`` of the administrator who can enable providers; False if there is none"""
        administrator = self._find_administrator(company)
        return bool(administrator) and {"name": administrator.name, "is_asked": bool(self._open_request())}

    def _open_request(self):
        # sudo: reads only whether such an activity exists; the callers have checked the user
        return self.env["account.online.service"]._get().provider_activity_id.filtered("active")

    def _request_provider(self, administrator, country, company):
        """:return: activity of an administrator, in the administrator's language, not linked to a record"""
        env = self.with_context(lang=administrator.lang or self.env.lang).env
        sentence = env._(
            "%(user)s (%(company)s) wants to connect a bank in %(country)s, but no provider that reaches it is "
            "switched on. Choose one, enter its keys and switch it on.",
            user=self.env.user.name,
            company=company.name,
            country=country.with_env(env).name or env._("a country that the company does not name"),
        )
        link = Markup('<a href="/odoo/action-bank_sync_proxy.bank_sync_provider_action_choose">%s</a>')
        return env["mail.activity"].create(
            {
                "activity_type_id": env.ref("mail.mail_activity_data_todo").id,
                "summary": env._("Switch on a bank provider"),
                "note": Markup("<p>%s</p><p>%s</p>") % (sentence, link % env._("Bank Providers")),
                "user_id": administrator.id,
            }
        )
