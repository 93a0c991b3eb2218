import math
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server

from ..providers.errors import RateLimited
from .clean_up import clean_up

DAY = timedelta(hours=24)
KEEP_DAYS = 2
#: Which requests count against which capability of the institution.
CAPABILITIES = {"refresh": "refreshes_per_day", "fetch": "fetches_per_day"}


class BankSyncUsage(models.Model):
    """Requests to a bank that limits them per 24 hours. Rows are only inserted, so that transactions do not block."""

    _name = "bank.sync.usage"
    _description = "Bank Requests That Count"
    _order = "id desc"

    create_date = fields.Datetime(string="When", readonly=True, index=True)
    connection_id = fields.Many2one(
        comodel_name="bank.sync.connection", required=True, readonly=True, ondelete="cascade"
    )
    account = fields.Char(readonly=True, help="The account that was asked for; empty: the whole connection.")
    kind = fields.Selection(
        selection=[("refresh", "Refresh Without the User"), ("fetch", "Transactions")], required=True, readonly=True
    )

    _connection_kind = models.Index("(connection_id, kind, create_date)")

    @api.model
    def _limit(self, connection, kind):
        """:return: requests that the bank allows within 24 hours; 0: no limit known"""
        return (connection.institution_id.capabilities or {}).get(CAPABILITIES[kind]) or 0

    @api.model
    def _check(self, connection, kind, account=None):
        """:raise RateLimited: with the seconds until the bank allows another request"""
        limit = self._limit(connection, kind)
        if not limit:
            return
        now = self.env.cr.now()
        domain = [
            ("connection_id", "=", connection.id),
            ("kind", "=", kind),
            ("account", "=", account or False),
            ("create_date", ">", now - DAY),
        ]
        # sudo: counts the requests of a connection to which the calling code has access
        used = self.sudo().search(domain, order="create_date desc", limit=limit)
        if len(used) == limit:
            seconds = (used[-1].create_date + DAY - now).total_seconds()
            raise RateLimited(
                detail=f"{limit} of {limit} a day are used",
                provider=connection.provider_id.code,
                retry_after=max(1, math.ceil(seconds)),
            )

    @api.model
    def _count(self, connection, kind, account=None):
        """Count one request. Without a known limit the count would never be read."""
        if self._limit(connection, kind):
            # sudo: callers are private: a request of the connection's client is counted
            as_server(self).create({"connection_id": connection.id, "kind": kind, "account": account or False})

    @api.autovacuum
    def _gc_usage(self):
        return clean_up(self, [("create_date", "<", fields.Datetime.now() - timedelta(days=KEEP_DAYS))])
