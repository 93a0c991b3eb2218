from . import (
    test_access,
    test_attacks,
    test_clients,
    test_dispatch,
    test_door,
    test_directory,
    test_pages,
    test_phone,
    test_secrets,
    test_suspicion,
)
