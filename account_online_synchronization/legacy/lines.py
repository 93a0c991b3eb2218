"""Migrates the transaction ids of statement lines of earlier modules.

``online_transaction_identifier`` becomes ``legacy:plaid:<id>``, with the provider, so that it never equals an id of
another one. ``online_transaction_digest`` becomes ``2026-05-20 -12.3 EUR legacy:<line>``, with day and amount, by which
the first load of another provider recognizes the transaction.
"""

from . import sources
from .names import ACCOUNTS, LINE, PREFIX

#: PostgreSQL's indexes refuse longer texts; real ids are shorter.
LONGEST = 200


def take_lines(migration):
    """Migrate the lines of the accounts that were migrated in this call."""
    schema = migration.schema
    identifier = sources.line_identifier(schema)
    if not identifier:
        return
    by_table = sources.line_account(schema)
    schema.execute("DROP TABLE IF EXISTS legacy_line_accounts")
    # Why this order: if both modules know a journal, Enterprise's was the later one.
    schema.execute(
        f"""
        CREATE TEMPORARY TABLE legacy_line_accounts ON COMMIT DROP AS
        SELECT account.id, marker.row_id, marker.source, account.legacy_journal_id AS journal_id,
               link.legacy_provider AS provider, currency.name AS currency,
               row_number() OVER (PARTITION BY account.legacy_journal_id
                                  ORDER BY marker.source = 'account_online_journal', account.id) AS place
          FROM {ACCOUNTS} account
          JOIN account_online_link link ON link.id = account.account_online_link_id
          JOIN res_currency currency ON currency.id = account.currency_id
          JOIN account_online_migration marker
               ON marker.kind = 'account' AND marker.account_online_account_id = account.id
         WHERE account.id = ANY(%s)
        """,
        [migration.report.accounts],
    )
    schema.execute("ANALYZE legacy_line_accounts")

    def update(ids):
        schema.execute(_statement(schema, identifier, by_table), {"ids": ids, "longest": LONGEST})
        migration.report.lines += schema.cr.rowcount

    migration.in_halves(LINE, migration.report.accounts, update)


def _statement(schema, identifier, by_table):
    partner = sources.line_partner(schema)
    return f"""
        WITH found AS (
              SELECT line.id, COALESCE(own.id, filled.id) AS account_id,
                     COALESCE(own.provider, filled.provider) AS provider,
                     COALESCE(own.currency, filled.currency) AS currency,
                     {identifier} AS identifier, {partner} AS partner, move.date, line.amount::numeric AS amount
                FROM {LINE} line
                JOIN account_move move ON move.id = line.move_id
           LEFT JOIN legacy_line_accounts own
                     ON own.row_id = {by_table} AND own.source LIKE 'account\\_online\\_account%%'
           LEFT JOIN legacy_line_accounts filled ON filled.journal_id = line.journal_id AND filled.place = 1
               WHERE line.online_account_id IS NULL AND line.online_transaction_identifier IS NULL
        ), known AS (
              SELECT *, '{PREFIX}' || provider || ':' ||
                     CASE WHEN length(identifier) > %(longest)s
                          THEN left(identifier, %(longest)s) || ' ' || md5(identifier) ELSE identifier END AS scoped
                FROM found
               WHERE account_id = ANY(%(ids)s) AND identifier IS NOT NULL
        ), numbered AS (
              SELECT *, row_number() OVER (PARTITION BY account_id, scoped ORDER BY id) AS place FROM known
        )
        UPDATE {LINE} line
           SET online_account_id = numbered.account_id,
               online_transaction_identifier = scoped || CASE WHEN place > 1 THEN ' ~' || line.id ELSE '' END,
               online_transaction_digest = to_char(numbered.date, 'YYYY-MM-DD') || ' '
                   || trim_scale(numbered.amount) || ' ' || numbered.currency || ' {PREFIX}' || line.id,
               online_partner_information = COALESCE(line.online_partner_information, numbered.partner)
          FROM numbered
         WHERE numbered.id = line.id
    """


def continue_lines(cr, account_id, former_ids, journal_id):
    """Move the lines of an earlier module's accounts in a journal to the account that fills it now.

    Deleted ones are moved, too, so that they are not imported again.
    """
    for table, column in (
        (LINE, "online_account_id"),
        ("account_online_transaction", "account_online_account_id"),
    ):
        # Why SQL: there may be years of lines. Why not equal identifiers: each is unique in its account.
        cr.execute(
            f"""
            UPDATE {table} moved
               SET {column} = %(account)s,
                   online_transaction_identifier = online_transaction_identifier ||
                       CASE WHEN EXISTS (SELECT FROM {table} other
                                          WHERE other.online_transaction_identifier =
                                                moved.online_transaction_identifier
                                            AND other.{column} = ANY(%(all)s)
                                            AND other.{column} != moved.{column})
                            THEN ' ~' || id ELSE '' END
             WHERE journal_id = %(journal)s AND {column} = ANY(%(former)s)
               AND online_transaction_identifier LIKE %(legacy)s
            """,  # pylint: disable=sql-injection
            {
                "account": account_id,
                "former": former_ids,
                "all": [account_id, *former_ids],
                "journal": journal_id,
                "legacy": f"{PREFIX}%",
            },
        )
