"""SQL that reads connections and bank accounts from the tables of any earlier module in a common form.

It contains only SELECT statements, which the audit before the upgrade and the installation share. Texts can be used as
subqueries.
"""

from .names import (
    ACCOUNTS,
    ACCOUNTS_ASIDE,
    JOURNAL,
    JOURNALS,
    LINE,
    LINKS,
    LINKS_ASIDE,
    OWN_COLUMN,
    PERIODICITIES,
    PROVIDERS,
    aside,
)
from .schema import quoted

UNKNOWN_PROVIDER = "unknown"


def link_tables(schema):
    """Tables with connections of earlier modules, in the order in which they are migrated."""
    found = [_foreign(schema, LINKS, LINKS_ASIDE), PROVIDERS]
    return [table for table in found if table and schema.has(table, "id")]


def account_tables(schema):
    found = [_foreign(schema, ACCOUNTS, ACCOUNTS_ASIDE), JOURNALS]
    return [table for table in found if table and schema.has(table, "id")]


def _foreign(schema, table, kept_as):
    """The name of another module's table: renamed, or, before the installation, its own."""
    if schema.has(kept_as):
        return kept_as
    return table if schema.has(table) and not schema.has(table, OWN_COLUMN[table]) else None


def link_table_of(accounts):
    return PROVIDERS if accounts == JOURNALS else accounts.replace(ACCOUNTS, LINKS)


def shared(schema, table, column):
    """The name of a column that both an earlier module and this addon have; None without one."""
    if schema.has(table, aside(column)):
        return aside(column)
    is_ours = schema.has(LINE, OWN_COLUMN[LINE])
    return column if schema.has(table, column) and not is_ours else None


def links(schema, table):
    """:return: SELECT of ``row_id, name, company_id, provider, reference, institution, last_refresh``

    ``company_id`` is NULL if the company is missing or deleted.
    """

    def text(column):
        return schema.text(table, column, "legacy")

    company = schema.reference(table, "company_id", "legacy")
    return f"""
        SELECT legacy.id AS row_id, {text("name")} AS name, company.id AS company_id,
               {text("provider_type")} AS provider,
               COALESCE({text("provider_account_identifier")}, {text("client_id")}) AS reference,
               {text("provider_identifier")} AS institution,
               {schema.moment(table, "last_refresh", "legacy")} AS last_refresh
          FROM {quoted(table)} legacy
     LEFT JOIN res_company company ON company.id = {company}
    """


def accounts(schema, table):
    """:return: SELECT of ``row_id, link_row_id, name, number, identifier, balance, last_sync, journal_id``

    ``link_row_id`` is NULL if the connection is missing or deleted. A masked number is replaced by the full number of
    the journal's own bank account.
    """
    link_table = link_table_of(table)
    link_column = "account_online_provider_id" if table == JOURNALS else "account_online_link_id"
    link_join, link_id = "", "NULL::int"
    if schema.has(link_table, "id"):
        reference = schema.reference(table, link_column, "legacy")
        link_join = f"LEFT JOIN {quoted(link_table)} link ON link.id = {reference}"
        link_id = "link.id"
    number = schema.text(table, "account_number", "legacy")
    return f"""
        SELECT legacy.id AS row_id, {link_id} AS link_row_id, {schema.text(table, "name", "legacy")} AS name,
               CASE WHEN {_is_full(number)} THEN {number} ELSE COALESCE(journal.number, {number}) END AS number,
               {schema.text(table, "online_identifier", "legacy")} AS identifier,
               {schema.number(table, "balance", "legacy")} AS balance,
               {schema.moment(table, "last_sync", "legacy")}::date AS last_sync, journal.id AS journal_id
          FROM {quoted(table)} legacy
          {link_join}
     LEFT JOIN ({journals(schema, table)}) journal ON journal.account_row_id = legacy.id AND journal.place = 1
    """


def journals(schema, table):
    """:return: SELECT of ``id, account_row_id, number, place``: the journals that accounts filled.

    An Enterprise account may fill several; the one with ``place`` 1 counts.
    """
    column = _journal_column(schema, table)
    if not column:
        return (
            "SELECT NULL::int AS id, NULL::int AS account_row_id, NULL::text AS number, NULL::bigint AS place LIMIT 0"
        )
    reference = schema.reference(JOURNAL, column, "journal")
    bank, number = "", "NULL::text"
    if schema.has(JOURNAL, "bank_account_id") and schema.has("res_partner_bank", "id", "acc_number"):
        bank = "LEFT JOIN res_partner_bank bank ON bank.id = journal.bank_account_id"
        number = schema.text("res_partner_bank", "acc_number", "bank")
    return f"""
        SELECT journal.id, {reference} AS account_row_id, {number} AS number,
               row_number() OVER (PARTITION BY {reference} ORDER BY journal.id) AS place
          FROM account_journal journal
          {bank}
         WHERE {reference} IS NOT NULL
    """


def _journal_column(schema, table):
    if table == JOURNALS:
        return "account_online_journal_id" if schema.has(JOURNAL, "account_online_journal_id") else None
    return shared(schema, JOURNAL, "account_online_account_id")


def _is_full(number):
    """Whether a number can be compared: not masked, and not a few last digits."""
    bare = f"regexp_replace({number}, '[^[:alnum:]*•]', '', 'g')"
    return f"({bare} ~ '^[[:alnum:]]{{8,}}$' AND {bare} !~* 'xxx')"


def periodicity(schema):
    """SQL for the periodicity of a row ``journal``; NULL if unknown."""
    names = [shared(schema, JOURNAL, "bank_statement_creation_groupby"), "bank_statement_creation"]
    texts = [schema.text(JOURNAL, name, "journal") for name in names if name]
    known = ", ".join(f"'{name}'" for name in PERIODICITIES)
    return f"(SELECT value FROM (SELECT COALESCE({', '.join(texts)}) AS value) found WHERE value IN ({known}))"


def line_identifier(schema):
    """SQL for the transaction id of a row ``line``, or None if the database has none."""
    names = [shared(schema, LINE, "online_transaction_identifier"), "online_identifier"]
    texts = [schema.text(LINE, name, "line") for name in names if name and schema.has(LINE, name)]
    return f"COALESCE({', '.join(texts)})" if texts else None


def line_account(schema):
    """SQL for the account id of an Enterprise row ``line``."""
    column = shared(schema, LINE, "online_account_id")
    return schema.reference(LINE, column, "line") if column else "NULL::int"


def line_partner(schema):
    """SQL for the counterparty key of a row ``line``, as the import stores it."""
    number = schema.text(LINE, "online_partner_bank_account", "line")
    name = schema.text(LINE, "online_partner_vendor_name", "line")
    return (
        f"COALESCE('number:' || NULLIF(upper(regexp_replace({number}, '[^[:alnum:]]', '', 'g')), ''),"
        f" 'name:' || lower({name}))"
    )
