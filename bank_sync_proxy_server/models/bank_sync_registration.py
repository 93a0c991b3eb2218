from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_proxy.models.clean_up import clean_up


class BankSyncRegistration(models.Model):
    """An attempt to register, without credentials. Rows are only inserted and counted, also if the attempt fails."""

    _name = "bank.sync.registration"
    _description = "Requested Registration of a Database"
    _order = "id desc"
    _log_access = False

    moment = fields.Datetime(required=True, readonly=True)
    address = fields.Char(required=True, readonly=True, help="One IPv4 address, or the /64 of an IPv6 address.")

    _address_moment = models.Index("(address, moment)")
    _moment = models.Index("(moment)")

    @api.model
    def _seconds_until_one_more(self, address, moment, most, seconds):
        """:param address: or None for all
        :param int most: registrations within ``seconds``
        :return: seconds (float) until one more is allowed; 0 for now
        """
        self.env.cr.execute(
            "SELECT moment FROM bank_sync_registration WHERE moment > %s AND (%s IS NULL OR address = %s)"
            " ORDER BY moment DESC OFFSET %s LIMIT 1",
            [moment - timedelta(seconds=seconds), address, address, most - 1],
        )
        row = self.env.cr.fetchone()
        return seconds - (moment - row[0]).total_seconds() if row else 0

    @api.model
    def _add(self, address, moment):
        self.env.cr.execute("INSERT INTO bank_sync_registration (address, moment) VALUES (%s, %s)", [address, moment])

    @api.autovacuum
    def _gc_registrations(self):
        return clean_up(self, [("moment", "<", fields.Datetime.now() - timedelta(days=1))], order="moment")
