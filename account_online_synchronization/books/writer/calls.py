"""Odoo's methods that run for a new statement line, by how the bulk writer treats them.

``tests/test_writer_calls.py`` records the calls, and fails when a version of Odoo calls something else. With these
lists :mod:`.overrides` finds addons that extend a method, before anything is written.
"""

#: This addon's methods end these chains for written lines, so overrides before them in the MRO are called, and those
#: after them are not (:mod:`.hooks`).
REPLAYED = {
    "account.bank.statement.line": {"create"},
    "account.move": {"create", "write", "_post"},
    "account.move.line": {"create"},
}

#: Called for the first entry of a journal, or for all at once: the copies of the pilot contain the results.
CALLED_ONCE = {
    "account.move": {"_get_message_create_ignore_field_names", "_get_protected_vals", "_get_starting_sequence"}
}

#: Not called for written lines: if another addon extends one, Odoo creates all lines.
SKIPPED = {
    "account.bank.statement.line": {
        "_add_missing_default_values",
        "_create",
        "_prepare_move_line_default_vals",
        "_synchronize_from_moves",
        "default_get",
    },
    "account.move": {
        "_add_missing_default_values",
        "_affect_tax_report",
        "_check_balanced",
        "_check_fiscal_lock_dates",
        "_cleanup_write_orm_values",
        "_conditional_add_to_compute",
        "_create",
        "_creation_subtype",
        "_disable_recursion",
        "_field_will_change",
        "_get_accounting_date_source",
        "_get_chain_info",
        "_get_chains_to_hash",
        "_get_integrity_hash_fields",
        "_get_message_create_valid_field_names",
        "_get_move_hash_domain",
        "_get_sync_stack",
        "_get_unbalanced_moves",
        "_get_valid_journal_types",
        "_get_violated_lock_dates",
        "_hash_moves",
        "_inverse_company_id",
        "_inverse_journal_id",
        "_inverse_name",
        "_inverse_partner_id",
        "_is_move_restricted",
        "_locked_increment",
        "_message_auto_subscribe",
        "_message_auto_subscribe_followers",
        "_message_compute_author",
        "_message_create",
        "_message_log_batch",
        "_must_check_constrains_date_sequence",
        "_raise_for_invalid_parameters",
        "_sanitize_vals",
        "_sequence_matches_date",
        "_set_next_made_sequence_gap",
        "_set_next_sequence",
        "_stolen_move",
        "_sync_dynamic_line",
        "_sync_dynamic_line_needed_values",
        "_sync_dynamic_lines",
        "_sync_invoice",
        "_sync_non_deductible_base_lines",
        "_sync_rounding_lines",
        "_sync_tax_lines",
        "_sync_unbalanced_lines",
        "_synchronize_business_models",
        "_track_get_fields",
        "_truncate_year_to_length",
        "_year_match",
    },
    "account.move.line": {
        "_add_missing_default_values",
        "_affect_tax_report",
        "_check_constrains_account_id_journal_id",
        "_check_tax_lock_date",
        "_create",
        "_get_integrity_hash_fields",
        "_get_lock_date_protected_fields",
        "_inverse_account_id",
        "_inverse_amount_currency",
        "_inverse_analytic_distribution",
        "_inverse_partner_id",
        "_merge_distribution",
        "_parse_flush_fnames",
        "_reconcile_marked",
        "_sanitize_vals",
        "_sync_invoice",
        "write",
    },
    "mail.message": {
        "_add_missing_default_values",
        "_create",
        "_invalidate_documents",
        "_is_thread_message",
        "_is_thread_message_visible",
        "create",
        "default_get",
    },
    "res.currency": {"compare_amounts"},
}

#: Methods used by a computation whose result the writer knows or copies: if another addon extends one of them, Odoo
#: computes the fields of this computation.
COMPUTING = {
    "account.bank.statement.line._compute_is_reconciled": {"account.bank.statement.line": {"_seek_for_lines"}},
    "account.move._compute_always_tax_exigible": {"account.move": {"_collect_tax_cash_basis_values"}},
    "account.move._compute_checked": {"account.move": {"_is_user_able_to_review"}},
    "account.move._compute_payment_reference": {
        "account.move": {"_inverse_payment_reference"},
        "account.move.line": {"_conditional_add_to_compute"},
    },
    "account.move.line._compute_tax_ids": {
        "account.move": {"is_entry"},
        "account.move.line": {"_get_computed_taxes", "default_get"},
    },
    "account.move.line._compute_totals": {
        "account.move": {"_get_product_base_line_currency_rate", "_prepare_product_base_line_for_taxes_computation"},
        "account.tax": {
            "_add_tax_details_in_base_line",
            "_aggregate_base_line_tax_details",
            "_aggregate_base_lines_aggregated_values",
            "_aggregate_base_lines_tax_details",
            "_distribute_delta_amount_smoothly",
            "_eval_taxes_computation_prepare_product_default_values",
            "_eval_taxes_computation_prepare_product_uom_default_values",
            "_eval_taxes_computation_prepare_product_uom_values",
            "_eval_taxes_computation_prepare_product_values",
            "_get_base_line_field_value_from_record",
            "_import_base_line_extra_tax_data",
            "_prepare_base_line_for_taxes_computation",
            "_round_base_lines_tax_details",
            "_round_tax_details_base_lines",
            "_round_tax_details_tax_amounts",
            "_round_tax_details_tax_amounts_from_tax_lines",
        },
    },
}
