"""Names in the earlier modules, known from public documentation and from live databases."""

#: ``account_online_sync``: one row is one connection, and one bank account.
PROVIDERS = "account_online_provider"
JOURNALS = "account_online_journal"
#: Enterprise's tables have the same names as this addon's; they are renamed to these.
LINKS, LINKS_ASIDE = "account_online_link", "account_online_link_legacy"
ACCOUNTS, ACCOUNTS_ASIDE = "account_online_account", "account_online_account_legacy"
#: Rows without a connection are identified by the journal that they filled.
JOURNAL = "account_journal"
LINE = "account_bank_statement_line"
MARKER = "account_online_migration"

LEGACY_MODULES = ("account_online_sync", "account_yodlee", "account_plaid", "account_ponto")
LEGACY_MODELS = ("account.online.provider", "account.online.journal", "account.online.wizard")

#: Columns of this addon on Odoo's tables that earlier modules had, too. Those are renamed to ``legacy_…``.
SHARED_COLUMNS = {
    JOURNAL: ("account_online_account_id", "account_online_link_id", "bank_statement_creation_groupby"),
    LINE: (
        "online_transaction_identifier",
        "online_account_id",
        "online_partner_information",
    ),
}
#: A column that only this addon has, which shows whether a table belongs to it.
OWN_COLUMN = {LINKS: "connection_identifier", ACCOUNTS: "id_scheme", LINE: "online_transaction_digest"}

PERIODICITIES = ("none", "day", "week", "bimonthly", "month")

#: Prefix of identifiers and suffix of digests of lines of an earlier module.
PREFIX = "legacy:"


def aside(column):
    """The new name of a shared column."""
    return f"legacy_{column}"
