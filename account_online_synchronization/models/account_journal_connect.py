import logging

from odoo import api, models, tools

from ..client.banks import read_banks
from ..client.errors import ProxyError
from .server_fields import as_server

_logger = logging.getLogger(__name__)

#: Banks that are proposed before anybody has searched.
FAVORITES = 6


class AccountJournal(models.Model):
    _inherit = "account.journal"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def fetch_online_sync_favorite_institutions(self):
        """A handful of banks of the company's country, under the name that core knows.

        It never fails, and asks the connection service once per country: without banks a page is still a page.

        :return: list of dictionaries with ``country``, ``id``, ``name``, ``picture``
        """
        company = self.env.company
        country = company.country_id.code or company.account_fiscal_country_id.code
        if not country or not self.env.user.has_group("account.group_account_manager"):
            return []
        service = self.env["account.online.service"]._get()
        if service.url and (not service._is_known() or service.state != "active"):
            # Nobody is registered, and no phone is asked for, because somebody looks at a page.
            return []
        try:
            return list(self._favorite_institutions(country, service.url or ""))
        except ProxyError as error:
            _logger.info("No favourite banks: %s", error.code)
            return []

    @api.model
    @tools.ormcache("country", "service_url")
    def _favorite_institutions(self, country, service_url):
        """:raise ProxyError: which is not remembered, an answer is"""
        # sudo: the caller has checked account.group_account_manager; banks of a country are public knowledge
        client = as_server(self.env["account.online.link"])._get_client()
        banks = read_banks(client.search_institutions(country=country, limit=FAVORITES)["institutions"])
        return tuple(
            {"country": bank["country"], "id": bank["id"], "name": bank["name"], "picture": bank["logo"]}
            for bank in banks
        )
