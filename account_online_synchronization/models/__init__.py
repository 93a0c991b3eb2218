# Why first: it makes room for the tables of all others.
from . import account_online_migration
from . import (
    account_bank_statement,
    account_bank_statement_line,
    account_journal,
    account_move,
    account_move_line,
    account_online_account,
    account_online_account_import,
    account_online_account_legacy,
    account_online_event,
    account_online_link,
    account_online_link_legacy,
    account_online_link_notices,
    account_online_link_schedule,
    account_online_link_service,
    account_online_link_synchronization,
    account_online_run,
    account_online_service,
    account_online_service_registration,
    account_online_transaction,
    res_config_settings,
)
