from . import account_online_file_import
from . import account_online_file_import_statement
