"""Tests that the ordinary run leaves to CI (``scripts/test --complete``), because together they take most of the time.

They also run if their file or folder is named on the command line. Keys are files, or tests as ``file::function``;
values name what covers them in the ordinary run, or say why nothing does.
"""

TESTS = {
    # Without Odoo
    "bank_statement_formats/tests/pure/test_formats_linear.py": "nothing: time and memory are measured by CI",
    "bank_statement_formats/tests/pure/test_camt.py::test_many_entries_need_no_more_memory_than_few": (
        "nothing, as above"
    ),
    "bank_statement_formats/tests/pure/test_line_formats.py::test_twice_as_much_takes_about_twice_the_time": (
        "nothing, as above"
    ),
    "bank_sync_proxy/tests/pure/test_patterns.py": "test_masking.py tries the expressions that read any text",
    "account_online_files/tests/pure/test_files_contract.py::"
    "test_of_a_part_of_a_file_no_row_comes_in_that_the_whole_does_not_have": "test_files.py, which cuts histories",
    "account_online_reconcile/tests/pure/test_labelled_lines.py::test_nothing_is_booked_wrongly_with_other_seeds": (
        "the same lines with one seed"
    ),
    # Inside Odoo
    "account_online_synchronization/tests/test_every_door.py": "test_doors.py, and test_access.py of each addon",
    "bank_sync_proxy/tests/test_provider_doors.py": "test_redirects.py and test_receiver.py",
    "account_online_synchronization/tests/test_connect_tours.py": "test_connect.py, test_bank_visit.py",
    "account_online_synchronization/tests/test_first_load_tours.py": "test_first_load.py; test_browser.py",
    "account_online_synchronization/tests/test_machine_scenarios.py": "test_machine.py, with fewer sequences",
    "account_online_synchronization/tests/test_review_tours.py": "test_missing.py, test_duplicates.py; test_browser.py",
    "account_online_synchronization/tests/test_status_tours.py": "test_status.py; test_browser.py",
    "account_online_synchronization/tests/test_writer_calls.py": "test_writer_equality.py and test_writer_fallback.py",
    # The whole: pages in a browser
    "tests/test_accessibility.py": "the tours inside Odoo, most of them by keyboard",
    "tests/test_bank_health_browser.py": "bank_sync_proxy/tests/test_health.py",
    "tests/test_bank_lines_browser.py": "test_bank_lines.py inside Odoo",
    "tests/test_bank_pages.py": "bank_sync_proxy/tests/test_pages.py",
    "tests/test_enable_banking_browser.py": "test_browser.py; the contract of all adapters",
    "tests/test_fints_browser.py": "test_browser.py; the contract of all adapters",
    "tests/test_files_browser.py": "account_online_files/tests/test_import_file.py",
    "tests/test_firm_browser.py": "bank_sync_proxy_server/tests/test_firms.py",
    "tests/test_first_bank_browser.py": "test_browser.py",
    "tests/test_identity_browser.py": "test_access.py of each addon",
    "tests/test_legacy_browser.py": "account_online_synchronization/tests/test_legacy_first_load.py",
    "tests/test_provider_browser.py": "bank_sync_proxy/tests/test_provider_switch.py and test_provider_keys.py",
    "tests/test_reconcile_browser.py": "test_reconcile_screen.py, test_hoot.py",
    "tests/test_remote_browser.py": "test_remote.py",
    "tests/test_renewal_browser.py": "account_online_synchronization/tests/test_renewal_link.py",
    "tests/test_search_browser.py": "account_online_synchronization/tests/test_bank_search.py",
    "tests/test_support_browser.py": "bank_sync_proxy_server/tests/test_support.py",
    # The whole: servers, installations, updates
    "tests/test_benchmarks.py": "nothing: figures, not behaviour",
    "tests/test_canaries.py": "test_secrets.py of each addon",
    "tests/test_demonstration.py": "test_demo_bank.py",
    "tests/test_directory.py": "bank_sync_proxy/tests/test_directory_update.py",
    "tests/test_key_change.py": "bank_sync_proxy/tests/test_secrets.py",
    "tests/test_lifecycle.py": "nothing: the ordinary run uninstalls no addon",
    "tests/test_migration.py": "test_legacy.py, rule by rule",
    "tests/test_payment_service.py": "account_online_synchronization/tests/test_fees.py; the contract of all adapters",
    "tests/test_phone_codes.py": "bank_sync_proxy_server/tests/test_phone.py",
    "tests/test_restore.py": "bank_sync_proxy_server/tests/test_clients.py",
    "tests/test_secret_update.py": "nothing: the ordinary run updates no database",
    "tests/test_server_addon_update.py": "nothing: the ordinary run updates no database",
    "tests/test_two_machines.py": "test_replays.py and test_remote.py",
    "tests/test_visits_at_once.py": "test_replays.py",
    "tests/test_wheels.py": "test_dependencies.py",
    "tests/test_workers.py": "test_overlap.py",
}
