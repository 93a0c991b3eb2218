"""Names that the earlier modules used, as public documentation and clients of live databases show them."""

#: ``account_online_sync``: one row is one connection, and one bank account.
PROVIDERS = "account_online_provider"
JOURNALS = "account_online_journal"
#: Enterprise's tables have the names of ours; they are kept under these.
LINKS, LINKS_ASIDE = "account_online_link", "account_online_link_legacy"
ACCOUNTS, ACCOUNTS_ASIDE = "account_online_account", "account_online_account_legacy"
#: Rows that belong to no connection any more are found by the journal that they filled.
JOURNAL = "account_journal"
LINE = "account_bank_statement_line"
MARKER = "account_online_migration"

LEGACY_MODULES = ("account_online_sync", "account_yodlee", "account_plaid", "account_ponto")
LEGACY_MODELS = ("account.online.provider", "account.online.journal", "account.online.wizard")

#: Columns of ours on Odoo's tables that earlier modules had, too. They are kept under ``legacy_…``.
SHARED_COLUMNS = {
    JOURNAL: ("account_online_account_id", "account_online_link_id", "bank_statement_creation_groupby"),
    LINE: (
        "online_transaction_identifier",
        "online_account_id",
        "online_partner_information",
    ),
}
#: A column that only this addon has shows whether a table of our own name is ours.
OWN_COLUMN = {LINKS: "connection_identifier", ACCOUNTS: "id_scheme", LINE: "online_transaction_digest"}

PERIODICITIES = ("none", "day", "week", "bimonthly", "month")

#: Begins the identifiers and ends the digests of lines that an earlier module brought.
PREFIX = "legacy:"


def aside(column):
    """The name under which a shared column is kept."""
    return f"legacy_{column}"
