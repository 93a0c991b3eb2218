"""Who may call what, and what it may change: every public method and every model of both addons.

test_every_door compares this table with the program and fails for whatever is missing here. To add something:

* **a method** that Odoo's base model does not have: who may call it, and which tables it may change. A method that
  acts on records checks the right to them itself, because RPC calls it with any ids.
* **a model**: who may read it (``READERS``), and which fields RPC may set (``SETTABLE``); all others are the server's.
* **a stored model without a company rule**: why none is needed (``NO_COMPANY_RULE``).
"""

from typing import NamedTuple

# -------------------------------------------------------------------------
# WHO
# -------------------------------------------------------------------------

#: Never one of the attackers: the system, or administrators of the same company.
SYSTEM, ADMINISTRATOR = "system", "administrator"
ACCOUNTANT, INVOICING, SUPPORT = "accountant", "invoicing", "support"
#: Users of the accounting firm that a client has agreed with; in this world the attacker is of another firm.
FIRM = "firm"
#: Every user: the answer is an action, or contains nothing that belongs to a user or company.
EVERYBODY = "everybody"
#: An override: who may call it is decided by Odoo's own access rights for the model.
ODOO = "odoo"
#: Which of these an attacker of the same company is.
RANKS = {
    "portal": (EVERYBODY,),
    "internal": (EVERYBODY,),
    "invoicing": (EVERYBODY, INVOICING),
    "auditor": (EVERYBODY, INVOICING),
    "basic": (EVERYBODY, INVOICING, ACCOUNTANT),
    "support": (EVERYBODY, SUPPORT, FIRM),
    "firm": (EVERYBODY,),
}

# -------------------------------------------------------------------------
# METHODS
# -------------------------------------------------------------------------

CHATTER = ("mail_*", "res_partner", "discuss_*")
BOOKS = ("account_bank_statement*", "account_move*", "account_partial_reconcile", "ir_sequence*", "ir_attachment")
#: What is proposed for new lines, and the scheduled action that is woken up to book it.
MATCHED = ("account_reconcile_decision", "ir_cron_trigger")
LOADED = ("account_online_*", "account_journal", *MATCHED, *BOOKS, *CHATTER)
RECONCILED = (*MATCHED, "account_full_reconcile", *BOOKS, *CHATTER)
FILES = ("res_partner_bank", "res_currency", *LOADED)
FIRM_SEEN = ("account_online_service", *CHATTER)
WIZARDS = ("account_missing_transaction_*", "account_duplicate_transaction_*")


class Door(NamedTuple):
    who: str
    #: Tables that it may change when an authorized user of the same company calls it; ``*`` at the end: a prefix.
    changes: tuple = ()
    #: Whether it may ask the connection service.
    asks: bool = False


METHODS = {
    # What is opened for a user: an action, without looking at a record.
    "account.bank.statement.line.action_open_journal_entry": Door(INVOICING),
    "account.journal.action_open_online_account": Door(EVERYBODY),
    "account.journal.action_open_online_link": Door(EVERYBODY),
    "account.journal.action_open_online_progress": Door(EVERYBODY),
    "account.journal.action_open_online_settings": Door(INVOICING),
    "account.journal.action_open_online_transactions": Door(EVERYBODY),
    "account.online.account.action_open_lines": Door(EVERYBODY),
    "account.online.account.action_open_transactions": Door(EVERYBODY),
    "account.online.account.selection.action_later": Door(EVERYBODY),
    "account.online.link.action_open_first_load": Door(EVERYBODY),
    "account.online.link.action_open_lines": Door(EVERYBODY),
    "account.online.link.action_open_migration": Door(EVERYBODY),
    "account.online.link.action_open_runs": Door(EVERYBODY),
    "account.online.link.action_open_settings": Door(EVERYBODY),
    "account.online.link.action_open_transactions": Door(EVERYBODY),
    "account.journal.open_action": Door(ODOO),
    "account.setup.bank.manual.config.validate": Door(ODOO, ("account_setup_bank_manual_config",)),
    # A visit of the bank's pages answers only the user to whom it belongs.
    "account.online.authorization.action_cancel": Door(EVERYBODY),
    "account.online.authorization.action_look": Door(EVERYBODY),
    "account.online.authorization.action_note_window": Door(EVERYBODY),
    "account.online.authorization.action_open_again": Door(EVERYBODY),
    # Accountants synchronize.
    "account.journal.action_synchronize_now": Door(ACCOUNTANT, LOADED, asks=True),
    "account.online.link.action_fetch_transactions": Door(ACCOUNTANT, LOADED, asks=True),
    "account.online.link.action_open_reconciliation": Door(ACCOUNTANT),
    "account.online.link.get_first_load": Door(ACCOUNTANT),
    "account.online.run.action_fetch": Door(ACCOUNTANT, LOADED, asks=True),
    # Accountants reconcile; auditors see what was found.
    "account.bank.statement.line.reconcile_accept": Door(ACCOUNTANT, RECONCILED),
    "account.bank.statement.line.reconcile_accept_all": Door(ACCOUNTANT, RECONCILED),
    "account.bank.statement.line.reconcile_book": Door(ACCOUNTANT, RECONCILED),
    "account.bank.statement.line.reconcile_compute_taxes": Door(INVOICING),
    "account.bank.statement.line.reconcile_describe_account": Door(INVOICING),
    "account.bank.statement.line.reconcile_find": Door(INVOICING),
    "account.bank.statement.line.reconcile_create_partner": Door(ACCOUNTANT, ("res_partner_bank", *BOOKS, *CHATTER)),
    "account.bank.statement.line.reconcile_read": Door(INVOICING),
    "account.bank.statement.line.reconcile_set_partner": Door(ACCOUNTANT, BOOKS),
    "account.bank.statement.line.reconcile_set_to_review": Door(ACCOUNTANT, (*BOOKS, *CHATTER)),
    "account.bank.statement.line.reconcile_undo": Door(ACCOUNTANT, RECONCILED),
    "account.journal.action_reconcile": Door(INVOICING),
    "account.reconcile.decision.action_open_line": Door(INVOICING),
    "account.journal.action_find_counterparts": Door(ACCOUNTANT, RECONCILED),
    "account.journal.action_open_reconciliation": Door(EVERYBODY),
    "account.journal.action_reconcile_dry_run": Door(ACCOUNTANT, ("account_journal",)),
    "account.reconcile.decision.action_accept": Door(ACCOUNTANT, RECONCILED),
    "account.reconcile.decision.action_make_rule": Door(ACCOUNTANT, ("account_reconcile_model*", *CHATTER)),
    "account.reconcile.decision.action_undo": Door(ACCOUNTANT, RECONCILED),
    # Accountants import files.
    "account.journal.action_import_online_file": Door(ACCOUNTANT, ("account_online_file_import",)),
    "account.journal.action_open_online_files": Door(EVERYBODY),
    "account.journal.create_document_from_attachment": Door(ODOO, ("account_online_file_import*",)),
    "account.online.file.action_dismiss_doubtful": Door(ACCOUNTANT, ("account_online_file",)),
    "account.online.file.action_import_doubtful": Door(ACCOUNTANT, FILES),
    "account.online.file.action_open_lines": Door(EVERYBODY),
    "account.online.file.action_undo": Door(ACCOUNTANT, FILES),
    "account.online.file.import.statement.action_confirm": Door(ACCOUNTANT, ("account_online_file_import*",)),
    "account.online.file.import.action_back": Door(ACCOUNTANT, ("account_online_file_import*",)),
    "account.online.file.import.action_import": Door(ACCOUNTANT, FILES),
    "account.online.file.import.action_preview": Door(ACCOUNTANT, ("account_online_file_import*",)),
    "account.online.file.import.action_read": Door(ACCOUNTANT, ("account_online_file_import*",)),
    # The system decides from where the server reads.
    "account.online.file.source.action_collect": Door(SYSTEM, ("account_online_file_source",)),
    "account.online.file.source.action_confirm_host_key": Door(SYSTEM, ("account_online_file_source",)),
    "account.online.file.source.action_test": Door(SYSTEM, ("account_online_file_source",)),
    "account.online.file.taken.action_retry": Door(SYSTEM, ("account_online_file_taken",)),
    # Accountants look again at what the bank has brought.
    "account.bank.statement.line.action_no_duplicate": Door(ACCOUNTANT, ("account_bank_statement_line",)),
    "account.bank.statement.line.action_reconcile": Door(ACCOUNTANT),
    "account.bank.statement.line.action_separate_online_transaction": Door(ACCOUNTANT, LOADED),
    "account.duplicate.transaction.wizard.action_delete": Door(ACCOUNTANT, (*LOADED, *WIZARDS)),
    "account.duplicate.transaction.wizard.action_dismiss_group": Door(ACCOUNTANT, (*BOOKS, *WIZARDS)),
    "account.duplicate.transaction.wizard.action_search": Door(ACCOUNTANT, WIZARDS),
    "account.duplicate.transaction.wizard.action_undo": Door(ACCOUNTANT, (*LOADED, *WIZARDS)),
    "account.journal.action_find_duplicate_transactions": Door(ACCOUNTANT, WIZARDS),
    "account.journal.action_find_missing_transactions": Door(ACCOUNTANT),
    "account.missing.transaction.wizard.action_change": Door(ACCOUNTANT, WIZARDS),
    "account.missing.transaction.wizard.action_compare": Door(ACCOUNTANT, WIZARDS, asks=True),
    "account.missing.transaction.wizard.action_import": Door(ACCOUNTANT, LOADED),
    "account.missing.transaction.wizard.action_read_on": Door(ACCOUNTANT, WIZARDS, asks=True),
    "account.missing.transaction.wizard.action_solve": Door(ACCOUNTANT, (*LOADED, *WIZARDS), asks=True),
    "account.online.account.action_find_duplicate_transactions": Door(ACCOUNTANT, WIZARDS),
    "account.online.account.action_find_missing_transactions": Door(ACCOUNTANT),
    "account.online.transaction.action_dismiss": Door(ACCOUNTANT, ("account_online_transaction",)),
    "account.online.transaction.action_restore": Door(ACCOUNTANT, LOADED),
    # Accounting administrators connect.
    "account.journal.action_ask_to_renew_online_link": Door(ADMINISTRATOR),
    "account.journal.action_book_online_opening_balance": Door(ADMINISTRATOR),
    "account.journal.action_connect_bank": Door(ADMINISTRATOR),
    "account.journal.action_disable_online_auto_sync": Door(ADMINISTRATOR),
    "account.journal.action_fetch_online_accounts": Door(ADMINISTRATOR),
    "account.journal.action_leave_out_refused_accounts": Door(ADMINISTRATOR),
    "account.journal.action_reactivate_online_link": Door(ADMINISTRATOR),
    "account.journal.action_reconnect_online_link": Door(ADMINISTRATOR),
    "account.journal.action_renew_online_link": Door(ADMINISTRATOR),
    "account.journal.action_unlink_online_account": Door(ADMINISTRATOR),
    "account.journal.action_update_online_credentials": Door(ADMINISTRATOR),
    "account.journal.fetch_online_sync_favorite_institutions": Door(EVERYBODY),
    "account.online.account.action_book_opening_balance": Door(ADMINISTRATOR),
    "account.online.account.action_decline_opening_balance": Door(ADMINISTRATOR),
    "account.online.account.action_reconsider_opening_balance": Door(ADMINISTRATOR),
    "account.online.account.action_reverse_transactions": Door(ADMINISTRATOR),
    "account.online.account.selection.action_confirm": Door(ADMINISTRATOR),
    "account.online.account.selection.action_show_all": Door(ADMINISTRATOR),
    "account.online.directory.action_ask_administrator": Door(ADMINISTRATOR),
    "account.online.directory.action_bank_not_listed": Door(ADMINISTRATOR),
    "account.online.directory.action_begin_bank_search": Door(ADMINISTRATOR),
    "account.online.directory.action_confirm_phone": Door(ADMINISTRATOR),
    "account.online.link.action_ask_to_renew": Door(ADMINISTRATOR),
    "account.online.link.action_connect_bank": Door(ADMINISTRATOR),
    "account.online.link.action_disable_auto_sync": Door(ADMINISTRATOR),
    "account.online.link.action_disconnect": Door(ADMINISTRATOR),
    "account.online.link.action_fetch_accounts": Door(ADMINISTRATOR),
    "account.online.link.action_leave_out_refused": Door(ADMINISTRATOR),
    "account.online.directory.action_open_bank": Door(ADMINISTRATOR),
    "account.online.link.action_reactivate": Door(ADMINISTRATOR),
    "account.online.link.action_reconnect": Door(ADMINISTRATOR),
    "account.online.link.action_renew": Door(ADMINISTRATOR),
    "account.online.directory.action_search_banks": Door(ADMINISTRATOR),
    "account.online.link.action_revoke_renewal": Door(ADMINISTRATOR),
    "account.online.link.action_update_credentials": Door(ADMINISTRATOR),
    "account.online.opening.action_book": Door(ADMINISTRATOR),
    "account.online.opening.action_decline": Door(ADMINISTRATOR),
    # The service keeps the agreement; here are its name, and who agreed, in the chatter of the connections.
    "account.online.firm.action_agree": Door(ADMINISTRATOR, FIRM_SEEN),
    "account.online.firm.action_back": Door(ADMINISTRATOR),
    "account.online.firm.action_change": Door(ADMINISTRATOR, FIRM_SEEN),
    "account.online.firm.action_find": Door(ADMINISTRATOR),
    "account.online.firm.action_revoke": Door(ADMINISTRATOR, FIRM_SEEN),
    "account.online.phone.action_back": Door(ADMINISTRATOR),
    "account.online.phone.action_confirm": Door(ADMINISTRATOR, ("account_online_service",)),
    "account.online.phone.action_send": Door(ADMINISTRATOR, ("account_online_service",)),
    "account.online.renewal.action_send": Door(ADMINISTRATOR),
    "account.online.reversal.action_reverse": Door(ADMINISTRATOR),
    # The system chooses the connection service.
    "res.config.settings.execute": Door(SYSTEM),
    "res.config.settings.action_register_online_sync": Door(SYSTEM),
    "res.config.settings.action_rotate_online_sync_secret": Door(SYSTEM),
    "res.config.settings.action_test_online_sync": Door(SYSTEM),
    "res.config.settings.get_values": Door(ODOO),
    "res.config.settings.set_values": Door(SYSTEM),
    # The proxy's back office. Support reads and intervenes, administrators of the proxy do the rest.
    "bank.sync.client.action_ask_phone_again": Door(SUPPORT, ("bank_sync_*", *CHATTER)),
    "bank.sync.concern.action_open": Door(EVERYBODY),
    "bank.sync.firm.action_replace_code": Door(SYSTEM),
    "bank.sync.firm.agreement.action_end": Door(SUPPORT, ("bank_sync_firm_agreement", *CHATTER)),
    "bank.sync.firm.consent.action_write": Door(FIRM, ("bank_sync_firm_letter*",)),
    "bank.sync.firm.letter.action_send": Door(FIRM, ("bank_sync_firm_agreement", *CHATTER)),
    "bank.sync.intervention.action_apply": Door(
        SUPPORT,
        (
            "bank_sync_client",
            "bank_sync_connection",
            "bank_sync_event",
            "bank_sync_suspicion",
            "bank_sync_visit",
            "bank_sync_error",
            *CHATTER,
        ),
    ),
    "bank.sync.provider.action_accept_shorter_directory": Door(SYSTEM),
    "bank.sync.provider.action_change_keys": Door(SYSTEM),
    "bank.sync.provider.action_choose": Door(EVERYBODY),
    "bank.sync.provider.action_one_day_later": Door(SYSTEM),
    "bank.sync.provider.action_search_bank": Door(EVERYBODY),
    "bank.sync.provider.action_sign_up": Door(SUPPORT),
    "bank.sync.provider.action_switch_on": Door(SYSTEM),
    "bank.sync.provider.action_test_keys": Door(SYSTEM),
    "bank.sync.provider.action_update_directory": Door(SYSTEM),
    "bank.sync.refused.database.action_accept": Door(
        SUPPORT, ("bank_sync_client", "bank_sync_refused_database", *CHATTER)
    ),
}

# -------------------------------------------------------------------------
# MODELS
# -------------------------------------------------------------------------

#: Who reads what our addons keep, within one company.
READERS = {
    "account.online.server.fields": SYSTEM,
    "bank.sync.server.fields": SYSTEM,
    "account.bank.statement": INVOICING,
    "account.bank.statement.line": INVOICING,
    "account.duplicate.transaction.wizard": ACCOUNTANT,
    "account.journal": INVOICING,
    "account.missing.transaction.page": ACCOUNTANT,
    "account.missing.transaction.wizard": ACCOUNTANT,
    "account.move": INVOICING,
    "account.move.line": INVOICING,
    "account.online.account": INVOICING,
    "account.online.account.selection": ADMINISTRATOR,
    "account.online.doctor": SYSTEM,
    "account.online.account.selection.line": ADMINISTRATOR,
    "account.online.authorization": SYSTEM,
    "account.online.counters": SYSTEM,
    "account.online.directory": SYSTEM,
    "account.online.event": SYSTEM,
    "account.online.file": ACCOUNTANT,
    "account.online.firm": ADMINISTRATOR,
    "account.online.file.import": ACCOUNTANT,
    "account.online.file.import.statement": ACCOUNTANT,
    "account.online.file.source": SYSTEM,
    "account.online.file.taken": SYSTEM,
    "account.online.link": ACCOUNTANT,
    "account.online.load": ACCOUNTANT,
    "account.online.migration": ADMINISTRATOR,
    "account.online.notices": SYSTEM,
    "account.online.opening": ADMINISTRATOR,
    "account.online.phone": ADMINISTRATOR,
    "account.online.renewal": ADMINISTRATOR,
    "account.online.reversal": ADMINISTRATOR,
    "account.online.progress": SYSTEM,
    "account.online.run": ACCOUNTANT,
    "account.online.service": SYSTEM,
    "account.online.transaction": INVOICING,
    "account.reconcile.decision": INVOICING,
    "account.setup.bank.manual.config": ODOO,
    "ir.websocket": SYSTEM,
    "res.company": ODOO,
    "res.config.settings": SYSTEM,
    "bank.sync.api": SYSTEM,
    "bank.sync.client": SUPPORT,
    "bank.sync.concern": SUPPORT,
    "bank.sync.connection": SUPPORT,
    "bank.sync.connection.secret": SYSTEM,
    "bank.sync.doctor": SYSTEM,
    "bank.sync.error": SUPPORT,
    "bank.sync.event": SUPPORT,
    "bank.sync.firm": FIRM,
    "bank.sync.firm.agreement": FIRM,
    "bank.sync.firm.consent": FIRM,
    "bank.sync.firm.letter": FIRM,
    "bank.sync.firm.member": FIRM,
    "bank.sync.gate": SYSTEM,
    "bank.sync.institution": SUPPORT,
    "bank.sync.intervention": SUPPORT,
    "bank.sync.metrics": SYSTEM,
    "bank.sync.nonce": SYSTEM,
    "bank.sync.phone.code": SYSTEM,
    "bank.sync.provider": SUPPORT,
    "bank.sync.provider.setting": SYSTEM,
    "bank.sync.reason": SUPPORT,
    "bank.sync.refused.database": SUPPORT,
    "bank.sync.registration": SYSTEM,
    "bank.sync.suspicion": SUPPORT,
    "bank.sync.usage": SYSTEM,
    "bank.sync.vault": SYSTEM,
    "bank.sync.visit": SUPPORT,
}

#: Fields that others than the readers of their model see, because they stand in names or on cards.
SHOWN = {
    # The bank's name is shown beside the account, and on the dashboard card with the sentence about it.
    ("account.online.link", "name"): INVOICING,
    ("account.online.link", "error_message"): INVOICING,
    ("account.online.link", "error_reference"): INVOICING,
    # Support of the connection service asks for it.
    ("account.online.service", "client_identifier"): ADMINISTRATOR,
}

#: Fields of our own models that RPC may set; the web client sends no others. None: no user may create or write.
SETTABLE = {
    "account.duplicate.transaction.wizard": {"journal_id", "date", "chosen"},
    "account.missing.transaction.page": set(),
    "account.missing.transaction.wizard": {"journal_id", "date_from", "date_to", "chosen"},
    "account.online.account": {
        "name",
        "inverse_transaction_sign",
        "inverse_balance_sign",
        "date_choice",
        "start_date",
        "fee_lines",
    },
    "account.online.account.selection": {"line_ids", "bank_statement_creation_groupby"},
    "account.online.account.selection.line": {
        "action",
        "journal_id",
        "journal_name",
        "journal_type",
        "start_date",
        "fee_lines",
    },
    "account.online.file": set(),
    "account.online.file.import": {"attachment_ids", "encoding", "split_batches", "chosen", "statement_ids"},
    "account.online.file.import.statement": {"journal_id", "create_journal"},
    "account.online.file.source": {
        "name",
        "active",
        "journal_id",
        "kind",
        "host",
        "port",
        "username",
        "folder",
        "new_password",
        "new_private_key",
    },
    "account.online.file.taken": set(),
    "account.online.firm": {"code", "client_name", "contact_name", "contact_email"},
    "account.online.link": {"name", "auto_sync", "responsible_user_id", "renewal_contact_email"},
    "account.online.opening": {"counterpart_account_id"},
    "account.online.phone": {"phone", "country_id", "code"},
    "account.online.renewal": {"email"},
    "account.online.reversal": {"scope", "with_balance"},
    "bank.sync.firm.letter": {"subject", "body"},
    "bank.sync.intervention": {"action", "client_ids", "connection_ids", "reason_id", "reason"},
}

#: Fields of Odoo's models that only the synchronization sets.
SERVER_FIELDS = {
    "account.bank.statement": {"online_period_start", "online_period_end", "online_start_unknown"},
    "account.bank.statement.line": {
        "online_account_id",
        "online_transaction_identifier",
        "online_transaction_digest",
        "online_partner_information",
        "online_adopted",
        "online_distinct",
        "online_possible_duplicate",
        "online_duplicate_of_id",
        "online_file_id",
        "online_was_future",
        "online_withdrawn",
    },
    "account.journal": {"account_online_account_id"},
}

#: Who writes in the chatter of records that he may only read.
NOTES = {"bank.sync.client": SUPPORT, "bank.sync.connection": SUPPORT, "bank.sync.firm": SUPPORT}

#: Why one of our stored models has no rule about companies.
NO_COMPANY_RULE = {
    "account.online.authorization": "One user's: only the system reads it, and its methods answer that user.",
    "account.online.event": "Says what to ask about, of the whole database; nobody but the system reads it.",
    "account.online.progress": "Machinery of a load, nobody but the system reads it.",
    "account.online.service": "One record per database; nobody but the system reads it.",
    "bank.sync": "The proxy knows clients, which are databases; all of them have one back office.",
}

#: Columns whose value means something for the program, so that no canary takes its place.
KEPT = {
    "account.bank.statement.line": {"online_transaction_identifier", "online_transaction_digest"},
    "account.missing.transaction.page": {"transactions", "removed_ids", "next_cursor"},
    "account.missing.transaction.wizard": {"error_action"},
    # The scripted bank reads its bookmark.
    "account.online.account": {"online_identifier", "sync_cursor"},
    "account.online.authorization": {"connection_identifier"},
    "account.online.file": {"statement_key", "format_code", "digest", "kind"},
    "account.online.file.import.statement": {"key"},
    "account.online.link": {"connection_identifier", "error_code", "error_action", "legacy_source"},
    "account.online.phone": {"kind"},
    "account.online.service": {"url", "registered_with", "registered_url", "blocked_by"},
    "account.online.transaction": {"online_transaction_identifier", "online_transaction_digest"},
    "bank.sync.client": {"database_uuid", "identifier", "url"},
    "bank.sync.connection": {"identifier", "secret_state"},
    "bank.sync.institution": {"identifier", "name", "search_name", "search_text", "search_group", "merge_key"},
    "bank.sync.provider": {"name"},
    "bank.sync.provider.setting": {"name", "plain_value", "encrypted_value"},
    "bank.sync.reason": {"name", "text"},
}

#: Methods for which there is nothing in this world, so that not even those who may get an answer.
NOT_HERE = {
    "account.online.account.selection.action_confirm": "the choices are canaries",
    "bank.sync.concern.action_open": "no concern: nothing has failed",
    "bank.sync.provider.action_one_day_later": "the Demo Bank's clock is a canary",
    "res.config.settings.execute": "saves the form of all settings, and there is no connection service at that address",
    "res.config.settings.action_register_online_sync": "there is no connection service at that address",
}

#: Tables that any request may change, and why that is harmless.
HARMLESS = {
    "bus_bus": "messages to whoever the server has chosen; a test of their channels is test_dashboard's",
    "bus_presence": "who is there",
    "mail_presence": "who is there",
    "ir_cron_trigger": "wakes up a scheduled action, which decides by itself what is due",
    "res_users_log": "when somebody has logged in",
    "res_device_log": "from where somebody has logged in",
}
