from odoo import models

from .bank_sync_metrics import METRICS


class BankSyncProvider(models.Model):
    """Counts requests to a provider, see ``/bank_sync/metrics``."""

    _inherit = "bank.sync.provider"

    def _new_adapter(self):
        return METRICS.observe(super()._new_adapter())
