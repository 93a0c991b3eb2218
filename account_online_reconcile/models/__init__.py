from . import account_bank_statement_line
from . import account_journal
from . import account_online_run
from . import account_online_server_fields
from . import account_reconcile_decision
