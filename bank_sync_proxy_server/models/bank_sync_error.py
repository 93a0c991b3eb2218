from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: Records per minute of requests that were refused at the gate.
REFUSED_OF_ADDRESS = 20
REFUSED_IN_ALL = 300
#: Records per day of all unverified callers together: those without credentials, and clients without a phone number.
DAILY_OF_UNVERIFIED = 2000


class BankSyncError(models.Model):
    """Error records of other databases, and of requests that were refused at the gate."""

    _inherit = "bank.sync.error"

    client_url = fields.Char(related="client_id.url", string="Database Address")
    address = fields.Char(readonly=True, help="Where a request came from that was refused before it was answered.")

    _refused = models.Index("(create_date) WHERE address IS NOT NULL")
    # The newest record of a connection, for each row of an accounting firm's page.
    _last_of_connection = models.Index("(connection_id, id DESC) WHERE connection_id IS NOT NULL")

    @api.model
    def _records_of_today(self, client, more):
        """Errors of unverified callers never use up the limit of a client, although they may name that client."""
        if not more.get("address") and not (client and client.awaits_phone_since):
            today, most = super()._records_of_today(client, more)
            return today and SQL("%s AND error.address IS NULL", today), most
        self.env["bank.sync.client"].flush_model(["awaits_phone_since"])
        # The records of a client that has confirmed its number count against that client's limit instead.
        today = SQL(
            "SELECT 1 FROM bank_sync_error AS error LEFT JOIN bank_sync_client AS client ON client.id = error.client_id"
            " WHERE error.create_date >= %s AND (error.address IS NOT NULL OR client.awaits_phone_since IS NOT NULL)",
            fields.Datetime.now() - timedelta(days=1),
        )
        return today, DAILY_OF_UNVERIFIED

    @api.model
    def _record_refused(self, error, *, operation, client, address):
        """Record a request that was refused at the gate, up to a limit per minute; beyond that it is only logged.

        :param str address: of :func:`~..tools.addresses.network_of`
        :return: reference, which the caller logs
        """
        since = fields.Datetime.now() - timedelta(minutes=1)
        self.env.cr.execute(
            "SELECT count(*) FILTER (WHERE address = %s), count(*) FROM bank_sync_error"
            " WHERE address IS NOT NULL AND create_date >= %s",
            [address, since],
        )
        of_address, in_all = self.env.cr.fetchone()
        if of_address >= REFUSED_OF_ADDRESS or in_all >= REFUSED_IN_ALL:
            return self._new_reference()
        return self._record(error, operation=operation, client=client, address=address).reference
