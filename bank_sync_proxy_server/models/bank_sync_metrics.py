from datetime import timedelta
from pathlib import Path

from odoo import api, fields, models
from odoo.addons.bank_sync_proxy.models.bank_sync_provider import MAX_SLOTS, SLOTS
from odoo.addons.bank_sync_proxy.models.bank_sync_usage import CAPABILITIES, DAY
from odoo.addons.bank_sync_proxy.providers.errors import CODES
from odoo.tools import SQL, config

from ..tools.metrics import Metrics

#: Days before the end of a consent, by which consents that end soon are counted.
ENDING = (7, 14)
RECENT = timedelta(minutes=5)
#: A sample of the latest limited requests, so that counting costs the same whatever their number.
SAMPLE = 1_000

METRICS = Metrics(Path(config["data_dir"]) / "bank_sync" / "metrics", CODES)


class BankSyncMetrics(models.AbstractModel):
    """What ``/bank_sync/metrics`` reads from the database: the same on every machine and in every process.

    So with several machines values must not be added up: use ``max by (…)``, never ``sum``.
    """

    _name = "bank.sync.metrics"
    _description = "Metrics of the Proxy"

    @api.model
    def _families(self):
        """:return: list of Prometheus metric families, each with a name, a help text and samples"""
        return [
            self._connections(),
            self._consents_ending(),
            self._newest_success(),
            self._clients(),
            self._errors(),
            self._checks(),
            *self._slots(),
            self._quota(),
            *self._events(),
        ]

    @api.model
    def _gauge(self, name, text, labels, samples):
        """
        :param samples: list of (values of the labels, number)
        """
        from prometheus_client.core import GaugeMetricFamily

        family = GaugeMetricFamily(name, text, labels=labels)
        for values, number in samples:
            family.add_metric([str(value or "") for value in values], number)
        return family

    @api.model
    def _connections(self):
        groups = self.env["bank.sync.connection"]._read_group([], ["state", "provider_id"], ["__count"])
        return self._gauge(
            "bank_sync_connections",
            "Connections to banks.",
            ["state", "provider"],
            [((state, provider.code), count) for state, provider, count in groups],
        )

    @api.model
    def _consents_ending(self):
        now, connections = fields.Datetime.now(), self.env["bank.sync.connection"]
        return self._gauge(
            "bank_sync_consents_ending",
            "Connected banks whose consent ends within so many days.",
            ["days"],
            [
                (
                    (days,),
                    connections.search_count(
                        [
                            ("state", "=", "connected"),
                            ("consent_expires_at", ">=", now),
                            ("consent_expires_at", "<", now + timedelta(days=days)),
                        ]
                    ),
                )
                for days in ENDING
            ],
        )

    @api.model
    def _newest_success(self):
        now, connections = fields.Datetime.now(), self.env["bank.sync.connection"]
        newest = [
            # Why one query each: each reads the last entry of an index; GROUP BY would read all connections.
            (
                provider,
                connections.search(
                    [("provider_id", "=", provider.id), ("refreshed_at", "!=", False)],
                    order="refreshed_at desc",
                    limit=1,
                ).refreshed_at,
            )
            for provider in self.env["bank.sync.provider"].with_context(active_test=False).search([])
        ]
        return self._gauge(
            "bank_sync_newest_success_age_seconds",
            "Time since a bank of the provider last gave news.",
            ["provider"],
            [((provider.code,), (now - moment).total_seconds()) for provider, moment in newest if moment],
        )

    @api.model
    def _clients(self):
        groups = self.env["bank.sync.client"]._read_group([], ["state"], ["__count"])
        return self._gauge(
            "bank_sync_clients", "Databases that use this proxy.", ["state"], [([s], n) for s, n in groups]
        )

    @api.model
    def _errors(self):
        recent = [("create_date", ">=", fields.Datetime.now() - RECENT)]
        groups = self.env["bank.sync.error"]._read_group(recent, ["code", "actor"], ["__count"])
        return self._gauge(
            "bank_sync_errors_recent",
            "Errors of the last five minutes; actor is who must act.",
            ["code", "actor"],
            [((code, actor), count) for code, actor, count in groups],
        )

    @api.model
    def _checks(self):
        return self._gauge(
            "bank_sync_check_passed",
            "Checks of /bank_sync/health/ready: 1 for those that have passed.",
            ["check"],
            [((name,), int(passed)) for name, passed in self.env["bank.sync.doctor"]._health().items()],
        )

    @api.model
    def _slots(self):
        """*Requests at Once* of each provider: the number used by all machines together, and the limit."""
        providers = self.env["bank.sync.provider"].search([("max_concurrent", ">", 0)])
        used = dict(
            self.env.execute_query(
                SQL(
                    # Why this cast: PostgreSQL shows the two numbers of an advisory lock as unsigned.
                    "SELECT objid::bigint / %s, count(*) FROM pg_locks"
                    " WHERE locktype = 'advisory' AND classid::bigint = %s AND objsubid = 2 AND granted"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY 1",
                    MAX_SLOTS,
                    SLOTS,
                )
            )
        )
        return [
            self._gauge(
                "bank_sync_provider_slots_used",
                "Calls of the provider that run at this moment, of all machines.",
                ["provider"],
                [((provider.code,), used.get(provider.id, 0)) for provider in providers],
            ),
            self._gauge(
                "bank_sync_provider_slots",
                "Calls of the provider that may run at once: Requests at Once of its form.",
                ["provider"],
                [((provider.code,), min(provider.max_concurrent, MAX_SLOTS)) for provider in providers],
            ),
        ]

    @api.model
    def _quota(self):
        """Requests that banks still allow within 24 hours, for the connections with the latest limited requests."""
        since = fields.Datetime.now() - DAY
        samples = []
        for kind, capability in CAPABILITIES.items():
            query = SQL(
                """
                WITH last AS (
                    SELECT DISTINCT connection_id, account
                      FROM (SELECT connection_id, account, kind, create_date
                              FROM bank_sync_usage ORDER BY id DESC LIMIT %(sample)s) AS newest
                     WHERE kind = %(kind)s AND create_date > %(since)s
                ), counted AS (
                    SELECT last.connection_id,
                           (SELECT count(*) FROM bank_sync_usage AS usage
                             WHERE usage.connection_id = last.connection_id AND usage.kind = %(kind)s
                               AND usage.create_date > %(since)s
                               AND usage.account IS NOT DISTINCT FROM last.account) AS used
                      FROM last
                ), compared AS (
                    SELECT connection.provider_id, counted.used,
                           (institution.capabilities ->> %(capability)s)::numeric AS most
                      FROM counted
                      JOIN bank_sync_connection AS connection ON connection.id = counted.connection_id
                      JOIN bank_sync_institution AS institution ON institution.id = connection.institution_id
                )
                SELECT provider.code, avg(greatest(most - used, 0) / most)
                  FROM compared JOIN bank_sync_provider AS provider ON provider.id = compared.provider_id
                 WHERE most > 0 GROUP BY 1 ORDER BY 1
                """,
                kind=kind,
                since=since,
                sample=SAMPLE,
                capability=capability,
            )
            samples += [((code, kind), share) for code, share in self.env.execute_query(query)]
        return self._gauge(
            "bank_sync_provider_quota_left_ratio",
            "Share that is left of what banks allow within 24 hours, on average over the connections asked last.",
            ["provider", "kind"],
            samples,
        )

    @api.model
    def _events(self):
        waiting = self.env["bank.sync.event"].search_count([("state", "=", "pending")])
        oldest = self.env["bank.sync.doctor"]._oldest_event()
        return [
            self._gauge("bank_sync_events_waiting", "Events that are not delivered yet.", [], [([], waiting)]),
            self._gauge(
                "bank_sync_oldest_event_seconds",
                "Age of the oldest event that nobody has tried to deliver.",
                [],
                [([], oldest.total_seconds() if oldest else 0)],
            ),
        ]
