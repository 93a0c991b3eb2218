from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.addons.bank_sync_common.tools.signing import MAX_SKEW

#: A request is accepted for this time before and after its timestamp, then refused as too old. One minute of reserve.
KEEP_SECONDS = 2 * MAX_SKEW + 60
BATCH = 10_000


class BankSyncNonce(models.Model):
    """A signed request of a client: accepted once, and counted for a minute.

    Rows are only inserted, one per request, and counted for the rate limit: two requests that update the same counter
    would wait for each other, and one of them would fail (Odoo uses REPEATABLE READ) and be retried.
    """

    _name = "bank.sync.nonce"
    _description = "Request of a Bank Synchronization Client"
    _order = "id desc"
    _log_access = False

    # Why no Many2one: its foreign key would lock, and so write, the client's row for each request.
    client = fields.Integer(required=True, readonly=True)
    nonce = fields.Char(required=True, readonly=True)
    moment = fields.Datetime(required=True, readonly=True)
    is_counted = fields.Boolean(readonly=True, help="Not rejected as too many.")

    _client_nonce = models.UniqueIndex("(client, nonce)", "A nonce serves once.")
    _client_moment = models.Index("(client, moment) WHERE is_counted")
    _moment = models.Index("(moment)")

    @api.model
    def _add(self, client, nonce, moment, most, seconds):
        """Add a request, unless it is a replay.

        A plain INSERT waits for another transaction that adds the same nonce, and fails when that one commits, also
        where this transaction's snapshot is too old to see it. ON CONFLICT DO NOTHING would be a serialization failure.

        :param int client: id
        :param moment: naive datetime, UTC
        :param int most: requests that are answered within ``seconds``; 0 for any number
        :return: whether it is one of these; None for a replay, after which the transaction must be rolled back
        """
        since = moment - timedelta(seconds=seconds)
        try:
            self.env.cr.execute(
                "INSERT INTO bank_sync_nonce (client, nonce, moment, is_counted) VALUES (%s, %s, %s, %s = 0 OR %s > ("
                " SELECT count(*) FROM bank_sync_nonce WHERE client = %s AND is_counted AND moment > %s"
                ")) RETURNING is_counted",
                [client, nonce, moment, most, most, client, since],
                log_exceptions=False,
            )
        except psycopg2.errors.UniqueViolation:
            return None
        return self.env.cr.fetchone()[0]

    @api.model
    def _seconds_until_one_more(self, client, moment, most, seconds):
        """:return: after how many seconds, a float, a request counts as one of ``most`` within ``seconds`` again"""
        self.env.cr.execute(
            "SELECT moment FROM bank_sync_nonce WHERE client = %s AND is_counted"
            " ORDER BY moment DESC OFFSET %s LIMIT 1",
            [client, most - 1],
        )
        row = self.env.cr.fetchone()
        return max(seconds - (moment - row[0]).total_seconds(), 0) if row else 0

    @api.model
    def _forget_old(self):
        """Delete expired rows, in batches, in a scheduled action, so that no request waits for it."""
        limit = fields.Datetime.now() - timedelta(seconds=KEEP_SECONDS)
        while True:
            self.env.cr.execute(
                "DELETE FROM bank_sync_nonce WHERE id IN"
                " (SELECT id FROM bank_sync_nonce WHERE moment < %s ORDER BY moment LIMIT %s)",
                [limit, BATCH],
            )
            deleted = self.env.cr.rowcount
            time_left = self.env["ir.cron"]._commit_progress(deleted, remaining=int(deleted == BATCH))
            if deleted < BATCH or not time_left:
                return
