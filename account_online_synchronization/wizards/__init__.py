from . import (
    account_duplicate_transaction,
    account_missing_transaction,
    account_online_account_selection,
    account_online_account_selection_legacy,
    account_online_authorization,
    account_online_phone,
)
