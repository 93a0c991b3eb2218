from . import (
    test_access,
    test_connect,
    test_dashboard,
    test_errors,
    test_import,
    test_notices,
    test_return,
    test_schedule,
    test_statements,
)
