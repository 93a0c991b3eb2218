from . import (
    account_online_account_selection,
    account_online_account_selection_line,
    account_online_account_selection_legacy,
    account_online_authorization,
    account_online_phone,
)
