from datetime import timedelta

from odoo import api, fields, models

#: Days before the end of a consent that are counted.
ENDING = (7, 14)
RECENT = timedelta(minutes=5)


class BankSyncMetrics(models.AbstractModel):
    """What ``/bank_sync/metrics`` reads from the database: the same on every machine and in every process."""

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
        now = fields.Datetime.now()
        groups = self.env["bank.sync.connection"]._read_group(
            [("refreshed_at", "!=", False)], ["provider_id"], ["refreshed_at:max"]
        )
        return self._gauge(
            "bank_sync_newest_success_age_seconds",
            "Time since a bank of the provider last gave news.",
            ["provider"],
            [((provider.code,), (now - newest).total_seconds()) for provider, newest in groups],
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
