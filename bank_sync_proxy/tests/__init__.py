from . import (
    test_access,
    test_adapters,
    test_dispatch,
    test_directory,
    test_events,
    test_fairness,
    test_pages,
    test_providers,
    test_redirects,
    test_secrets,
    test_webhooks,
)
