from . import bank_sync_firm_letter, bank_sync_intervention
