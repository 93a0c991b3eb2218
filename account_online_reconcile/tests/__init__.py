from . import test_after_import
from . import test_books
from . import test_payments
from . import test_reconcile
from . import test_reconcile_machine
from . import test_reconcile_screen
from . import test_server_fields
from . import test_taxes
