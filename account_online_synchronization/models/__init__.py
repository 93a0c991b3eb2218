# Why first: the other models inherit it.
from . import account_online_server_fields

# Why next: its _auto_init() renames tables of earlier modules before the other models create theirs.
from . import account_online_migration

# Why next: models below inherit them.
from . import account_online_counters, account_online_notices
from . import (
    account_bank_statement,
    account_bank_statement_line,
    account_journal,
    account_move,
    account_move_line,
    account_online_account,
    account_online_directory,
    account_online_doctor,
    account_online_event,
    account_online_link,
    account_online_load,
    account_online_progress,
    account_online_renewal,
    account_online_run,
    account_online_service,
    account_online_transaction,
    ir_websocket,
    res_company,
    res_config_settings,
)
