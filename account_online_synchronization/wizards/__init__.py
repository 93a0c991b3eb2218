from . import (
    account_duplicate_transaction,
    account_missing_transaction,
    account_online_account_selection,
    account_online_account_selection_line,
    account_online_authorization,
    account_online_firm,
    account_online_opening,
    account_online_phone,
    account_online_reversal,
    account_setup_bank_manual_config,
)
