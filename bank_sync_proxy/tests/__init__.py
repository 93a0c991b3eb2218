from . import (
    test_access,
    test_dispatch,
    test_directory,
    test_directory_banks,
    test_directory_search,
    test_directory_update,
    test_institutions_page,
    test_pages,
    test_secrets,
)
