import base64
import json
from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..providers.errors import ConfigurationError, ProtocolError
from ..providers.types import moment_text
from ..tools import banks, health
from .bank_sync_connection import aware

MAX_PAGE = 100
MAX_QUERY = 100
MAX_WORDS = 8
#: Shorter words have too few trigrams: they would be similar to everything.
SHORTEST_MISSPELT = 4
#: The share of equal trigrams, as PostgreSQL's word_similarity() counts it. Close matches (Comerz, Commerzbank: 0.56)
#: #: are found in addition to exact ones; distant matches only if nothing else is found.
CLOSE = 0.5
FAR = 0.35


class Step(NamedTuple):
    """One step of a search: banks that match a query equally well.

    :param where: condition
    :param closeness: expression, a number by which they are ordered before their names; None: by their names only
    :param threshold: minimal similarity, where misspellings are tolerated
    """

    where: SQL
    closeness: SQL | None = None
    threshold: float | None = None


class Place(NamedTuple):
    """The end of a page: the step, and the last bank within it."""

    step: int
    closeness: int
    name: str
    id: int


class BankSyncInstitution(models.Model):
    """Search of the directory: one entry per bank, tolerating accents and misspellings, in pages.

    The best matches come first: the search runs in steps, each a separate query that reads from an index in the order
    in which results are shown. Why not one query with a rank: *bank* matches half of all rows, and all would have to be
    ranked and sorted for the first twenty; in steps, the first that fills the page is the last to run.
    """

    _inherit = "bank.sync.institution"

    @api.model
    def _search_page(self, query=None, country=None, limit=20, cursor=None):
        """Search by name and BIC; without a query all banks, by name.

        :param str cursor: as returned with the page before
        :return: institutions, cursor of the next page or None
        """
        limit = max(1, min(int(limit or 20), MAX_PAGE))
        place = self._read_cursor(cursor) if cursor else None
        self.flush_model()
        found = []
        for number, step in enumerate(self._steps(query or "")):
            if place and number < place.step:
                continue
            if step.threshold == CLOSE and not found and not place:
                # The next step finds these, too, and lists them first.
                continue
            if step.threshold == FAR and (found or (place and place.step < number)):
                break
            after = place if place and number == place.step else None
            rows = self._rows(step, country, after, limit + 1 - len(found))
            found += [Place(number, *row) for row in rows]
            if len(found) > limit:
                break
        page = self.browse(place.id for place in found[:limit])
        return page, self._write_cursor(found[limit - 1]) if len(found) > limit else None

    @api.model
    def _steps(self, query):
        """:return: list of :class:`Step`, best first; no bank is in two of them"""
        query = query[:MAX_QUERY]
        words = banks.normalize(query).split()[:MAX_WORDS]
        if not words:
            return [Step(SQL("TRUE"))]
        text = " ".join(words)
        begins = SQL('search_name COLLATE "C" LIKE %s', f"{text}%")
        word_begins = SQL("search_group LIKE %s", f"% {text}%")
        contains = SQL(" AND ").join(SQL("search_group LIKE %s", f"%{word}%") for word in words)
        conditions = [
            begins,
            SQL("%s AND NOT %s", word_begins, begins),
            SQL("%s AND NOT %s AND NOT %s", contains, word_begins, begins),
        ]
        steps = [
            Step(SQL("%s AND status = %s", condition, status))
            for condition in conditions
            for status in ("stable", "beta")
        ]
        if self.env.registry.has_trigram:
            steps += self._similar(words, contains)
        bic = banks.clean_bic(query)
        if not bic:
            return steps
        has_bic = SQL("search_group LIKE %s", f"% {bic.lower()}= %")
        others = [step._replace(where=SQL("%s AND NOT %s", step.where, has_bic)) for step in steps]
        return [Step(has_bic, SQL("(status = 'beta')::int")), *others]

    @api.model
    def _similar(self, words, contains):
        """Each longer word is similar to one of the bank's words, each shorter one is the beginning of one."""
        long = [word for word in words if len(word) >= SHORTEST_MISSPELT]
        if not long:
            return []
        conditions = [SQL("%s <%% search_group", word) for word in long]
        conditions += [SQL("search_group LIKE %s", f"% {word}%") for word in words if word not in long]
        similarity = SQL(" + ").join(SQL("word_similarity(%s, search_group)", word) for word in long)
        # Why rounded: equally close banks are then ordered by name, and a cursor can hold an exact number.
        closeness = SQL("2 * floor(10 - 10 * (%s) / %s)::int + (status = 'beta')::int", similarity, len(long))
        where = SQL("%s AND NOT (%s)", SQL(" AND ").join(conditions), contains)
        return [Step(where, closeness, CLOSE), Step(where, closeness, FAR)]

    @api.model
    def _rows(self, step, country, after, limit):
        """:return: list of (closeness, search name, id)"""
        if step.threshold:
            setting = "pg_trgm.word_similarity_threshold"
            self.env.cr.execute(SQL("SELECT set_config(%s, %s, true)", setting, str(step.threshold)))
        where = SQL("is_proposed AND %s", step.where)
        if country:
            where = SQL("%s AND country_code = %s", where, country.upper())
        if step.closeness:
            source = SQL(
                "(SELECT search_name, id, %s AS closeness FROM %s WHERE %s) AS row", step.closeness, self._sql, where
            )
            key, where = SQL('closeness, search_name COLLATE "C", id'), SQL("TRUE")
            position = after and SQL("%s, %s, %s", after.closeness, after.name, after.id)
            closeness = SQL("closeness")
        else:
            source, key, closeness = self._sql, SQL('search_name COLLATE "C", id'), SQL("0")
            position = after and SQL("%s, %s", after.name, after.id)
        if position:
            where = SQL("%s AND (%s) > (%s)", where, key, position)
        return self.env.execute_query(
            SQL(
                "SELECT %s, search_name, id FROM %s WHERE %s ORDER BY %s LIMIT %s", closeness, source, where, key, limit
            )
        )

    @api.model
    def _write_cursor(self, place):
        return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()

    @api.model
    def _read_cursor(self, cursor):
        try:
            step, closeness, name, last = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            place = Place(int(step), int(closeness), str(name).replace("\x00", ""), int(last))
        except (ValueError, TypeError, OverflowError, RecursionError):
            raise ProtocolError("invalid_request", "not a cursor of institutions.search")
        if not all(0 <= number < 2**31 for number in (place.step, place.closeness, place.id)):
            raise ProtocolError("invalid_request", "not a cursor of institutions.search")
        return place

    @api.model
    def _unlisted(self, country=None):
        """
        :param str country: ISO 3166 code, None for all
        :return: entries that each give access to many banks, chosen later, which the directory does not list; each name
            once
        """
        providers = self.env["bank.sync.provider"].search([("active", "=", True)])
        behind = providers.filtered(lambda provider: not provider._facts().lists_banks)
        domain = [("provider_id", "in", behind.ids), ("is_proposed", "=", True)]
        if country:
            domain.append(("country_code", "in", (country.upper(), False, "")))
        found = self.search(domain, order="search_name, id").grouped(lambda row: (row.provider_id, row.search_name))
        once = self.browse(rows[:1].id for rows in found.values())
        return once.sorted(lambda row: not row.country_code)

    @api.model
    def _count_by_country(self):
        """:return: number of banks by code of their country"""
        self.flush_model()
        return dict(
            self.env.execute_query(
                SQL("SELECT coalesce(country_code, ''), count(*) FROM %s WHERE is_proposed GROUP BY 1", self._sql)
            )
        )

    @api.model
    def _countries(self, codes=None):
        """:return: list of (code, name in the user's language) of the countries with banks, by name"""
        codes = [code for code in (self._count_by_country() if codes is None else codes) if code]
        # sudo: reads names of countries, which are public
        countries = self.env["res.country"].sudo().search([("code", "in", codes)])
        names = {country.code: country.name for country in countries}
        return sorted(((code, names.get(code, code)) for code in codes), key=lambda item: banks.normalize(item[1]))

    @api.model
    def _find(self, identifier):
        """:raise ConfigurationError: ``unknown_institution``"""
        found = self.search([("identifier", "=", str(identifier)), ("provider_id.active", "=", True)], limit=1)
        if not found:
            raise ConfigurationError("unknown_institution", f"no institution {identifier}")
        return found

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - PROTOCOL
    # -------------------------------------------------------------------------

    def _rows_of_banks(self):
        """
        :return: by id of the record all rows of the same bank that can be chosen, the proposed one first; for one that
            cannot be chosen any more, only itself
        """
        # Why a subquery: these rows are among those that it finds, so one query reads them all.
        same_bank = Domain.custom(
            to_sql=lambda _model, alias, _query: SQL(
                "%s IN (SELECT merge_key FROM bank_sync_institution WHERE id = ANY(%s))",
                SQL.identifier(alias, "merge_key"),
                self.ids,
            )
        )
        groups = {}
        for row in self.search_fetch(same_bank & Domain("provider_id.active", "=", True)):
            groups[row.merge_key] = groups.get(row.merge_key, self.browse()) | row
        found = {}
        for institution in self:
            group = groups.get(institution.merge_key, institution)
            group = group if institution in group else institution
            found[institution.id] = group.sorted(
                lambda row: (not row.is_proposed, row.provider_id.sequence, row.status != "stable", row.provider_id.id)
            )
        return found

    def _health(self, client):
        """The present health of these banks, counted from their connections.

        Only the connections with the latest requests are read, from an index: a bank with many connections costs no
        more.

        :param client: ``bank.sync.client`` that sent the request
        :return: dict from id of the record to *health* of docs/protocol.md; banks without one are left out
        """
        found = {
            bank.id: {"failed_of_ten": bank.failed_of_ten, "answered_at": None, "trouble": "institution_unavailable"}
            for bank in self
            if bank.failed_of_ten
        }
        # Why only those: where one entry represents many banks, one bank's outage says nothing about the others.
        single = self.filtered(lambda bank: bank.provider_id._facts().lists_banks)
        for bank, outcomes in single._outcomes(client).items():
            if described := health.describe(outcomes):
                found[bank] = {**described, "answered_at": moment_text(aware(described["answered_at"]))}
        return found

    def _outcomes(self, client):
        """:return: dict from id of the record to :class:`~..tools.health.Outcomes`, which no client may see"""
        if not self:
            return {}
        self.env["bank.sync.connection"].flush_model(["institution_id", "asked_at", "answered_at", "trouble"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT bank.id, count(*), count(recent.trouble), count(DISTINCT recent.client_id),
                       bool_or(recent.client_id != %(client)s), max(recent.answered_at),
                       mode() WITHIN GROUP (ORDER BY recent.trouble)
                  FROM unnest(%(banks)s::int[]) AS bank (id)
                 CROSS JOIN LATERAL (
                       SELECT client_id, answered_at, trouble
                         FROM bank_sync_connection
                        WHERE institution_id = bank.id AND asked_at > %(since)s
                        ORDER BY asked_at DESC
                        LIMIT %(sample)s
                       ) AS recent
                 GROUP BY bank.id
                """,
                client=client.id,
                banks=self.ids,
                since=fields.Datetime.now() - timedelta(hours=health.HOURS),
                sample=health.SAMPLE,
            )
        )
        return {bank: health.Outcomes(*outcomes) for bank, *outcomes in rows}

    def _to_protocol(self, rows=None, health=None):
        """
        :param rows: of the bank, as in :meth:`_rows_of_banks`
        :param health: as :meth:`_health` gives it for these rows
        :return: *institution* of docs/protocol.md
        """
        self.ensure_one()
        rows = rows or self._rows_of_banks()[self.id]
        health = health or {}
        return {
            "id": self.identifier,
            "name": self.name,
            "country": self.country_code or None,
            "bic": self.bic or next(filter(None, rows.mapped("bic")), None),
            "logo": self.logo or next(filter(None, rows.mapped("logo")), None),
            "status": self.status,
            "providers": [
                {
                    **row.provider_id._to_protocol(),
                    "institution_id": row.identifier,
                    "status": row.status,
                    "health": health.get(row.id),
                }
                for row in rows
            ],
            "capabilities": self.capabilities or {},
            "health": health.get(self.id),
        }
