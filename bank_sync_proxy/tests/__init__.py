from . import (
    test_access,
    test_dispatch,
    test_directory,
    test_pages,
    test_secrets,
)
