from . import bank_sync_intervention
