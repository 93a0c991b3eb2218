import logging
from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tools import SQL, split_every

from ..providers.errors import ProtocolError
from ..providers.reading import words
from ..tools import banks

_logger = logging.getLogger(__name__)

#: How many banks are written at once, before the cache is cleared.
BATCH = 1000
#: A list that has shrunk to less than half is not accepted, unless it was very short before.
FEW = 20
#: Order of the update: a scheduled action that ran out of time continues with the lists updated longest ago.
FRESH_HOURS = 1
#: Characters. PostgreSQL can't index longer ids; larger logos would be sent with each page of the list.
MAX_ID = 500
MAX_LOGO = 32 * 1024


class BankSyncInstitution(models.Model):
    """The directory of banks that can be reached, filled from the providers.

    A row is one bank at one provider, and its identifier is what a connection is started with. Rows of several
    providers that are the same bank share a merge key; one of them, that of the first provider in order, is proposed,
    and only that one is found. See ..tools.banks for the rule, bank_sync_institution_search for the search.
    """

    _name = "bank.sync.institution"
    _description = "Bank"
    _order = "search_name, id"

    name = fields.Char(required=True, readonly=True)
    identifier = fields.Char(required=True, readonly=True, help="The id under which databases know the bank.")
    country_code = fields.Char(string="Country", size=2, readonly=True)
    bic = fields.Char(string="BIC", readonly=True)
    logo = fields.Char(readonly=True)
    status = fields.Selection(selection=[("stable", "Stable"), ("beta", "Beta")], required=True, readonly=True)
    active = fields.Boolean(default=True, help="No: the provider does not list this bank any more.")
    provider_id = fields.Many2one(comodel_name="bank.sync.provider", required=True, index=True, ondelete="cascade")
    provider_institution = fields.Char(string="Provider's ID", required=True, readonly=True)
    capabilities = fields.Json(readonly=True)
    failed_of_ten = fields.Integer(
        readonly=True, help="Of ten connections, how many fail as the provider itself reports; 0: nothing reported."
    )
    auto_sync = fields.Boolean(
        string="Automatic Synchronization", compute="_compute_capabilities", help="No: only while a user is present."
    )
    history_days = fields.Integer(compute="_compute_capabilities")
    consent_days = fields.Integer(compute="_compute_capabilities", help="0: until it is withdrawn.")
    refreshes_per_day = fields.Integer(compute="_compute_capabilities", help="0: no limit known.")
    merge_key = fields.Char(
        string="Same Bank",
        index=True,
        readonly=True,
        help="Same value for rows of different providers that are the same bank.",
    )
    is_proposed = fields.Boolean(
        string="Proposed", readonly=True, help="The row that is found, where several providers reach the bank."
    )
    # Why normalized in Python: a plain PostgreSQL index can be used, and every database finds the same.
    search_name = fields.Char(compute="_compute_search", store=True)
    search_text = fields.Char(compute="_compute_search", store=True)
    search_group = fields.Char(readonly=True, help="Search text of all rows of the bank, stored with the proposed one.")

    _identifier_unique = models.UniqueIndex("(identifier)", "Identifiers of banks are unique.")
    _provider_unique = models.UniqueIndex(
        "(provider_id, provider_institution)", "A provider lists each of its banks once."
    )
    # Why "C": only with this collation an index supports LIKE 'x%', and pages don't depend on the server's locale.
    _name_index = models.Index('(search_name COLLATE "C", id) WHERE is_proposed')
    _country_index = models.Index('(country_code, search_name COLLATE "C", id) WHERE is_proposed')
    _trigram_index = models.Index(
        lambda registry: registry.has_trigram and "USING gin (search_group gin_trgm_ops) WHERE is_proposed"
    )

    def init(self):
        """Fill the search columns of rows that are older than the merging of banks."""
        result = super().init()
        if self.search_count([("merge_key", "=", False)], limit=1):
            self.search([("merge_key", "=", False)])._compute_search()
            self._merge()
        return result

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("name", "bic")
    def _compute_search(self):
        for institution in self:
            institution.search_name = banks.normalize(institution.name)
            # The = distinguishes a BIC from a word; no query contains one.
            bic = f"{institution.bic.lower()}=" if institution.bic else ""
            institution.search_text = f"{institution.search_name} {bic}".strip()

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
    def _cron_update_directory(self):
        """Update the lists of all providers, each in a separate transaction, so that each result is kept."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), hours=FRESH_HOURS)
        due = self.env["bank.sync.provider"].search(
            ["|", ("directory_updated_at", "=", False), ("directory_updated_at", "<", limit)],
            order="directory_updated_at NULLS FIRST, sequence, id",
        )
        progress = self.env["ir.cron"]
        progress._commit_progress(remaining=len(due))
        for provider in due:
            try:
                # Commits, and retries after a conflict with another transaction.
                retrying(lambda provider=provider: self._update_directory(provider, merge=False), self.env)
            except UserError as error:
                self.env.cr.rollback()
                _logger.warning("The list of banks of %s was left alone: %s", provider.code, error)
            except Exception:
                self.env.cr.rollback()
                _logger.exception("The list of banks of %s could not be stored", provider.code)
            if not progress._commit_progress(1):
                break
        retrying(self._merge, self.env)

    @api.model
    def _update_directory(self, providers=None, merge=True, may_shrink=False):
        """Update the directory from the providers' lists. A provider that fails keeps its banks and does not stop
        others.

        :param bool merge: False: the caller calls :meth:`_merge`
        :param bool may_shrink: an administrator has confirmed that a much shorter list is right
        :raise UserError: when another transaction is updating it
        """
        if not self._hold_directory():
            raise UserError(self.env._("The list of banks is being updated already. Look again in a minute."))
        for provider in providers or self.env["bank.sync.provider"].search([("active", "=", True)]):
            _answer, error, record = self.env["bank.sync.error"]._attempt(
                lambda provider=provider: self._update_provider(
                    provider, list(provider._adapter().institutions()), may_shrink
                ),
                operation="institutions.update",
            )
            if record and not record.provider_code:
                record.provider_code = provider.code
            provider.directory_error_id = record
            # Only the error about a list that is too short has a sentence for the administrator.
            provider.may_accept_shorter = bool(error and error.note)
            # A newer version of the adapter may need more settings.
            provider._ensure_settings()
        if merge:
            self._merge()

    @api.model
    def _hold_directory(self):
        """:return: whether the lock on the update was granted; it is held until the transaction ends"""
        ((is_held,),) = self.env.execute_query(SQL("SELECT pg_try_advisory_xact_lock(hashtext(%s))", self._name))
        return is_held

    @api.model
    def _update_provider(self, provider, listed, may_shrink=False):
        """
        :param listed: :class:`~..providers.types.Institution` objects
        :raise ProtocolError: when the list is suspiciously short
        """
        listed = self._usable(provider, listed)
        if not may_shrink:
            self._check_shrinking(provider, len(listed))
        for batch in split_every(BATCH, listed.values()):
            self._take_batch(provider, batch)
        present = self.search_fetch([("provider_id", "=", provider.id)], ["provider_institution"])
        gone = present.filtered(lambda institution: institution.provider_institution not in listed)
        gone.write({"active": False})
        provider.directory_updated_at = fields.Datetime.now()

    @api.model
    def _usable(self, provider, listed):
        """:return: by id; entries without id or name are left out, and the second of two with the same id"""
        usable, left_out = {}, 0
        for institution in map(self._readable, listed):
            if institution and institution.id not in usable:
                usable[institution.id] = institution
            else:
                left_out += 1
        if left_out:
            _logger.warning("%s lists %s banks without id or name, or twice: left out", provider.code, left_out)
        return usable

    @api.model
    def _readable(self, institution):
        """Clean an entry, so that one malformed bank does not stop the list, and none can display misleading text.

        :return: :class:`~..providers.types.Institution` that can be stored and shown; None for an unusable entry
        """
        if not (isinstance(institution.id, str) and institution.id.isprintable() and len(institution.id) <= MAX_ID):
            return None
        name = words(institution.name) if isinstance(institution.name, str) else None
        if not institution.id or not name or not banks.normalize(name):
            return None
        country, logo = institution.country, institution.logo
        return replace(
            institution,
            name=name,
            country=country if isinstance(country, str) and country.isprintable() else None,
            bic=institution.bic if isinstance(institution.bic, str) else None,
            logo=logo if isinstance(logo, str) and logo.isprintable() and len(logo) <= MAX_LOGO else None,
            status=institution.status if institution.status in dict(self._fields["status"].selection) else "beta",
        )

    @api.model
    def _check_shrinking(self, provider, listed):
        """Refuse a suspiciously short list: during an outage a provider may return an empty one, though its banks
        exist.

        :raise ProtocolError: its note says what to do
        """
        known = self.search_count([("provider_id", "=", provider.id)])
        if (listed or not known) and (known < FEW or 2 * listed >= known):
            return
        raise ProtocolError(
            "unexpected_answer",
            f"the list of banks has {listed} entries, {known} are known",
            provider=provider.code,
            note=self.env._(
                "%(provider)s lists %(listed)s banks, but %(known)s are known, so the list was not changed. If so "
                "many banks really are gone, open the provider and use Accept the Shorter List.",
                provider=provider.name,
                listed=listed,
                known=known,
            ),
        )

    @api.model
    def _take_batch(self, provider, batch):
        """Write only what has changed. Odoo writes the rows of one flush together."""
        ids = [institution.id for institution in batch]
        domain = [("provider_id", "=", provider.id), ("provider_institution", "in", ids)]
        known = {
            institution.provider_institution: institution
            for institution in self.with_context(active_test=False).search(domain)
        }
        new = []
        for institution in batch:
            values = self._values_of(institution)
            record = known.get(institution.id)
            if record is None:
                identifier = f"{provider.code}.{institution.id}"
                identity = {"provider_institution": institution.id, "identifier": identifier}
                new.append({**values, **identity, "provider_id": provider.id})
                continue
            changed = {name: value for name, value in values.items() if (record[name] or False) != (value or False)}
            if changed:
                record.write(changed)
        self.create(new)
        # Why clear the cache: memory use stays that of one batch, however long the list.
        self.env.flush_all()
        self.env.invalidate_all()

    @api.model
    def _values_of(self, institution):
        country, logo = (institution.country or "").upper(), institution.logo or ""
        return {
            "name": institution.name.strip(),
            "country_code": country if len(country) == 2 else False,
            "bic": banks.clean_bic(institution.bic),
            # Pages are encrypted, so a browser would refuse anything else.
            "logo": logo if logo.startswith(("https://", "data:image/")) else False,
            "status": institution.status,
            "capabilities": institution.capabilities.to_protocol(),
            "failed_of_ten": min(max(institution.failed_of_ten, 0), 10),
            "active": True,
        }

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ONE ENTRY PER BANK
    # -------------------------------------------------------------------------

    @api.model
    def _merge(self):
        """Find which rows are the same bank. Includes rows of providers that are switched off: switching is then
        cheap."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT id, merge_key, identifier, provider_id, country_code, bic, name FROM %s WHERE active", self._sql
            )
        )
        keys = banks.merge(banks.Row(*row[2:]) for row in rows)
        changed = [(row_id, keys[identifier]) for row_id, key, identifier, *_other in rows if keys[identifier] != key]
        if changed:
            self.env.execute_query(
                SQL(
                    "UPDATE %s SET merge_key = new.key FROM unnest(%s, %s) AS new (id, key) WHERE %s.id = new.id "
                    "RETURNING 1",
                    self._sql,
                    [row_id for row_id, _key in changed],
                    [key for _row_id, key in changed],
                    self._sql,
                )
            )
        self._propose()

    @api.model
    def _propose(self):
        """Choose the row of each bank that is found: by the order of the providers, then a stable one before a beta."""
        self.flush_model()
        self.env["bank.sync.provider"].flush_model(["active", "sequence"])
        self.env.execute_query(
            SQL(
                """
                WITH bank AS (
                    SELECT (array_agg(row.id ORDER BY provider.sequence, row.status DESC, provider.id))[1] AS id,
                           ' ' || string_agg(DISTINCT row.search_text, ' | ' ) || ' ' AS text
                      FROM %(table)s AS row
                      JOIN bank_sync_provider AS provider ON provider.id = row.provider_id
                     WHERE row.active AND provider.active
                     GROUP BY row.merge_key
                )
                UPDATE %(table)s AS row
                   SET is_proposed = bank.id IS NOT NULL, search_group = bank.text
                  FROM %(table)s AS same LEFT JOIN bank ON bank.id = same.id
                 WHERE same.id = row.id
                   AND (row.is_proposed IS DISTINCT FROM (bank.id IS NOT NULL)
                        OR row.search_group IS DISTINCT FROM bank.text)
             RETURNING 1
                """,
                table=self._sql,
            )
        )
        self.invalidate_model(["merge_key", "is_proposed", "search_group"])

    @property
    def _sql(self):
        return SQL.identifier(self._table)
