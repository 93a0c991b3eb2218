from markupsafe import Markup

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.fields import Domain
from odoo.tools.misc import formatLang
from odoo.tools.translate import get_translation

from ..providers import provider_class
from ..providers.facts import AUDIENCES, CALLBACK, DEMONSTRATION, WEBHOOK


class BankSyncProvider(models.Model):
    """What users read when they choose a provider: the facts of its adapter, and its state in this installation."""

    _inherit = "bank.sync.provider"  # pylint: disable=consider-merging-classes-inherited

    # Stored, so that cards can be filtered and sorted by them.
    country_ids = fields.Many2many(
        comodel_name="res.country", string="Countries", readonly=True, copy=False, help="None: banks worldwide."
    )
    country_id = fields.Many2one(
        comodel_name="res.country",
        string="Where is your bank?",
        store=False,
        search="_search_country_id",
        help="Only for the search: providers that reach banks of a country.",
    )
    rank = fields.Integer(readonly=True, copy=False, help="Providers that anybody can start with today come first.")

    audience = fields.Char(string="For Whom", compute="_compute_facts")
    region = fields.Char(string="Banks in", compute="_compute_facts")
    price = fields.Char(compute="_compute_facts")
    needs = fields.Char(string="To Begin", compute="_compute_facts")
    duration = fields.Char(compute="_compute_facts")
    consent = fields.Char(compute="_compute_facts")
    history = fields.Char(compute="_compute_facts")
    closed = fields.Char(string="Can't Be Used", compute="_compute_facts")
    signup_url = fields.Char(string="Sign-up Page", compute="_compute_facts")
    terms = fields.Html(compute="_compute_facts")

    steps = fields.Html(compute="_compute_steps")
    callback_url = fields.Char(string="Callback Address", compute="_compute_steps")
    webhook_url = fields.Char(string="Webhook Address", compute="_compute_steps")
    lacks_https = fields.Boolean(compute="_compute_steps")

    institution_country_count = fields.Integer(string="Countries Listed", compute="_compute_institution_count")
    reach = fields.Char(compute="_compute_institution_count")
    status = fields.Selection(
        selection=[
            ("on", "On"),
            ("ready", "Ready to switch on"),
            ("keys_missing", "Keys missing"),
            ("closed", "Can't be used"),
        ],
        compute="_compute_status",
    )
    status_message = fields.Char(string="State", compute="_compute_status")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    def _compute_institution_count(self):
        counts = {
            provider: values
            for provider, *values in self.env["bank.sync.institution"]
            .with_context(active_test=True)
            ._read_group(
                [("provider_id", "in", self.ids)],
                groupby=["provider_id"],
                aggregates=["__count", "country_code:count_distinct"],
            )
        }
        for provider in self:
            banks, countries = counts.get(provider, (0, 0))
            provider.institution_count, provider.institution_country_count = banks, countries
            provider.reach = self._describe_reach(banks, countries)

    def _describe_reach(self, banks, countries):
        """:return: such as "2,431 banks in 29 countries" """
        if not banks:
            return self.env._("no bank listed yet")
        number = formatLang(self.env, banks, digits=0)
        if banks == 1:
            return self.env._("1 bank")
        if countries == 1:
            return self.env._("%s banks in 1 country", number)
        return self.env._("%(banks)s banks in %(countries)s countries", banks=number, countries=countries)

    @api.depends("code")
    @api.depends_context("lang")
    def _compute_facts(self):
        for provider in self:
            facts = provider._facts()
            say = self._say
            provider.audience = " · ".join(say(AUDIENCES[code]) for code in facts.audience) or self.env._("Everybody")
            provider.region, provider.price, provider.needs = map(say, (facts.region, facts.price, facts.needs))
            provider.duration = self._describe_duration(facts.minutes)
            provider.consent = (
                self.env._("%s days at most", facts.consent_days)
                if facts.consent_days
                else self.env._("until it is withdrawn")
            )
            provider.history = (
                self.env._("%s days", facts.history_days) if facts.history_days else self.env._("as the bank allows")
            )
            provider.closed = say(facts.closed)
            provider.signup_url = facts.signup_url
            links = [self._link(url, say(title)) for title, url in facts.terms_urls]
            provider.terms = Markup(" ").join(filter(None, [say(facts.terms), Markup(" · ").join(links)]))

    def _describe_duration(self, minutes):
        if minutes is None:
            return self.env._("some days or longer")
        return self.env._("about %s minutes", minutes) if minutes else self.env._("at once")

    @api.depends("code")
    @api.depends_context("lang")
    def _compute_steps(self):
        base = self.browse().get_base_url()
        for provider in self:
            facts = provider._facts()
            addresses = {
                "callback": f"{base}/bank_sync/callback/{provider.code}",
                "webhook": f"{base}/bank_sync/webhook/{provider.code}",
            }
            shown = {name: Markup("<code>%s</code>") % address for name, address in addresses.items()}
            steps = [Markup("<li>%s</li>") % (Markup.escape(self._say(step)) % shown) for step in facts.steps]
            provider.steps = Markup("<ol>%s</ol>") % Markup().join(steps)
            provider.callback_url = addresses["callback"] if facts.asks_for(CALLBACK) else False
            provider.webhook_url = addresses["webhook"] if facts.asks_for(WEBHOOK) else False
            provider.lacks_https = bool(provider.callback_url) and not base.startswith("https://")

    @api.depends("active", "code", "keys_state", "setting_ids.is_set")
    @api.depends_context("lang")
    def _compute_status(self):
        texts = dict(self._fields["status"]._description_selection(self.env))
        for provider in self:
            has_keys = provider.keys_owner != "proxy" or not provider._missing_settings()
            if provider.active:
                provider.status, detail = "on", provider.reach
            elif has_keys:
                provider.status, detail = "ready", ""
            elif provider.closed:
                provider.status, detail = "closed", provider.closed
            else:
                provider.status, detail = "keys_missing", ""
            pattern = "%s: %s" if provider.status == "closed" else "%s · %s"
            text = texts[provider.status]
            provider.status_message = pattern % (text, detail) if detail else text

    def _search_country_id(self, operator, value):
        """Providers that reach a country: they list it, or reach banks worldwide. The Demo Bank is in no country."""
        if operator not in ("in", "any"):
            return NotImplemented
        worldwide = Domain("country_ids", "=", False) & Domain("rank", "!=", DEMONSTRATION)
        return Domain("country_ids", operator, value) | worldwide

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def action_choose(self):
        """*Providers*: those that reach the company's country; the filter can be removed."""
        action = self.env["ir.actions.act_window"]._for_xml_id("bank_sync_proxy.bank_sync_provider_action")
        country = self.env.company.country_id
        if country:
            action["context"] = {"active_test": False, "search_default_country_id": country.id}
        return action

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _facts(self):
        """:return: :class:`~..providers.facts.Facts`"""
        return provider_class(self.code).facts

    @api.model
    def _describe_choices(self, country):
        """For a search without results: which providers could be switched on.

        :param str country: ISO 3166 code
        :return: ``is_reached`` (a provider that is on reaches the country) and ``choices``, list of ``id``, ``name``,
            ``audience``, ``price`` and ``needs`` of those that are off, best first
        """
        # sudo: facts of the adapters and which of them are on, no keys; the calling code has checked access
        providers = (
            self.sudo()
            .with_context(active_test=False)
            .search([("rank", "!=", DEMONSTRATION)], order="rank, sequence, id")
        )
        reaching = providers.filtered(lambda provider: provider._facts().reaches(country))
        return {
            "is_reached": any(reaching.mapped("active")),
            "choices": [
                {name: provider[name] for name in ("id", "name", "audience", "price", "needs")}
                for provider in reaching
                if not provider.active and not provider._facts().closed
            ],
        }

    def _store_facts(self):
        """Store what cards are filtered and sorted by; run again after an adapter's declaration has changed."""
        codes = {code for provider in self for code in provider._facts().countries}
        countries = self.env["res.country"].search([("code", "in", list(codes))])
        # sudo: stores what the adapters declare; nothing comes from a caller
        for provider in as_server(self):
            facts = provider._facts()
            reached = countries.filtered(lambda country, codes=facts.countries: country.code in codes)
            rank = facts.group(provider.is_demonstration)
            provider.write({"country_ids": [fields.Command.set(reached.ids)], "rank": rank})

    def _say(self, text):
        """Sentences of adapters are English; they are exported for translation with the addon's own."""
        return get_translation("bank_sync_proxy", self.env.lang or "en_US", text, ()) if text else ""

    @api.model
    def _link(self, url, title):
        return Markup('<a href="%s" target="_blank" rel="noreferrer">%s</a>') % (url, title)
