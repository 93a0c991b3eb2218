from . import (
    test_access,
    test_connect,
    test_dashboard,
    test_demo_bank,
    test_errors,
    test_import,
    test_schedule,
    test_statements,
)
