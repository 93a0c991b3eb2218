from . import account_online_file
from . import account_online_link
from . import account_online_account
from . import account_online_run
from . import account_bank_statement_line
from . import account_journal
