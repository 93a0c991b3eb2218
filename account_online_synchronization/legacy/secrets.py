"""Credentials of former connections: never copied, and deleted from the tables that contain them."""

import re

from .names import ACCOUNTS, ACCOUNTS_ASIDE, JOURNALS, LINKS, LINKS_ASIDE, PROVIDERS
from .schema import FAMILIES, quoted

TABLES = (PROVIDERS, JOURNALS, LINKS_ASIDE, ACCOUNTS_ASIDE)
#: In a table of another module with a name of this addon, before or without being renamed.
IN_OUR_NAME = {LINKS: {"access_token", "refresh_token", "provider_data"}, ACCOUNTS: {"account_data"}}
#: Opaque data of the former proxy, which its keys can decrypt, and Plaid's connection.
BY_NAME = {"provider_data", "account_data", "plaid_item_id"}
BY_WORD = re.compile(
    r"token|secret|passw|passphrase|credential|access_?key|api_?key|private_?key|auth_?key|cookie|session"
)
#: Prefixes of columns of companies that contain credentials of providers.
OF_COMPANIES = re.compile(r"(plaid|yodlee|ponto|saltedge)_")


def secret_columns(schema):
    """:return: list of (table, column)"""
    found = []
    for table in TABLES:
        for column in schema.columns(table):
            if column in BY_NAME or BY_WORD.search(column):
                found.append((table, column))
    for table, columns in IN_OUR_NAME.items():
        found += [(table, column) for column in sorted(columns & set(schema.columns(table)))]
    for column in schema.columns("res_company"):
        if OF_COMPANIES.match(column) and BY_WORD.search(column):
            found.append(("res_company", column))
    return found


def filled_secrets(schema):
    """:return: dict from (table, column) to the number of rows that hold something"""
    counts = {}
    for table, column in secret_columns(schema):
        empty = _empty(schema.columns(table)[column])
        ((counts[table, column],),) = schema.rows(
            f"SELECT count(*) FROM {quoted(table)} WHERE {quoted(column)}::text NOT IN ('', {empty or repr('')})"
        )
    return {key: count for key, count in counts.items() if count}


def blank_secrets(schema, problems):
    """Delete all secrets.

    :param problems: list to which columns that can't be blanked are added
    :return: dict from (table, column) to the number of rows that were blanked
    """
    blanked = {}
    for table, column in secret_columns(schema):
        empty = _empty(schema.columns(table)[column])
        value = "NULL"
        with schema.attempt(problems, table):
            if not schema.columns(table)[column].nullable:
                if empty is None:
                    schema.execute(f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(column)} DROP NOT NULL")
                else:
                    value = empty
            schema.execute(
                f"UPDATE {quoted(table)} SET {quoted(column)} = {value}"
                f" WHERE {quoted(column)}::text NOT IN ('', {empty or repr('')})"
            )
            if schema.cr.rowcount:
                blanked[table, column] = schema.cr.rowcount
    return blanked


def _empty(column):
    """SQL for an empty value of a column, None if only NULL is possible."""
    if column.type in FAMILIES["text"]:
        return "''"
    if column.type in FAMILIES["json"]:
        return "'{}'"
    return None
