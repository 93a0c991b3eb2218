"""Migrates each bank account of an earlier module, without a journal, but with the one that it filled before."""

from . import sources
from .links import main_company, unknown_link
from .names import ACCOUNTS, JOURNAL, JOURNALS, LINE, LINKS, MARKER
from .schema import Problem

#: Columns into which every source of accounts is read.
STAGED = """
    CREATE TEMPORARY TABLE legacy_accounts ON COMMIT DROP AS
    SELECT DISTINCT ON (row_id) found.*, NULL::int AS link_id, NULL::int AS company_id, NULL::int AS new_id
      FROM ({select}) found
     WHERE row_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM {marker} WHERE kind = 'account' AND source = %s AND row_id = found.row_id)
  ORDER BY row_id
"""


def take_accounts(migration, table):
    schema = migration.schema
    _stage(migration, table, sources.accounts(schema, table))
    schema.execute(
        f"""
        UPDATE legacy_accounts account
           SET link_id = link.id, company_id = link.company_id
          FROM {MARKER} marker
          JOIN {LINKS} link ON link.id = marker.account_online_link_id
         WHERE marker.kind = 'link' AND marker.source = %s AND marker.row_id = account.link_row_id
        """,
        [sources.link_table_of(table)],
    )
    _give_to_unknown(migration, table)
    _insert_all(migration, table, keep=table != JOURNALS)


def take_lost_journals(migration):
    """Create accounts for journals whose lines have transaction ids but whose bank account no longer exists."""
    schema = migration.schema
    identifier = sources.line_identifier(schema)
    if not identifier or not schema.has(LINE, "journal_id"):
        return
    number = schema.text("res_partner_bank", "acc_number", "bank")
    # Why not those of a known account: they belong to it, even if its journal has changed.
    _stage(
        migration,
        JOURNAL,
        f"""
        SELECT journal.id AS row_id, NULL::int AS link_row_id, {schema.text(JOURNAL, "name", "journal")} AS name,
               {number} AS number, NULL::text AS identifier, NULL::numeric AS balance, NULL::date AS last_sync,
               journal.id AS journal_id
          FROM account_journal journal
     LEFT JOIN res_partner_bank bank ON bank.id = journal.bank_account_id
         WHERE NOT EXISTS (SELECT FROM {ACCOUNTS} WHERE legacy_journal_id = journal.id)
           AND NOT EXISTS (SELECT FROM {MARKER} WHERE kind = 'account' AND journal_id = journal.id)
           AND EXISTS (SELECT FROM {LINE} line
                        WHERE line.journal_id = journal.id AND {identifier} IS NOT NULL
                          AND line.online_account_id IS NULL
                          AND NOT EXISTS (SELECT FROM {MARKER} marker
                                           WHERE marker.kind = 'account'
                                             AND marker.row_id = {sources.line_account(schema)}
                                             AND marker.source LIKE 'account\\_online\\_account%%'))
        """,
    )
    _give_to_unknown(migration, JOURNAL)
    _insert_all(migration, JOURNAL, keep=False)


def _stage(migration, table, select):
    migration.schema.execute("DROP TABLE IF EXISTS legacy_accounts")
    migration.schema.execute(STAGED.format(select=select, marker=MARKER), [table])


def _give_to_unknown(migration, table):
    schema = migration.schema
    schema.execute(
        """
        UPDATE legacy_accounts account
           SET company_id = COALESCE(
                   (SELECT company_id FROM account_journal WHERE id = account.journal_id), %s)
         WHERE link_id IS NULL
        RETURNING row_id, company_id
        """,
        [main_company(schema)],
    )
    orphans = schema.cr.fetchall()
    for company_id in sorted({company_id for _row_id, company_id in orphans}):
        link_id = unknown_link(migration, company_id)
        schema.execute(
            "UPDATE legacy_accounts SET link_id = %s WHERE link_id IS NULL AND company_id = %s", [link_id, company_id]
        )
    migration.report.problems += [
        Problem(table, row_id, "The connection that it belonged to is gone: it was put under “Unknown (legacy)”.")
        for row_id, _company_id in orphans
    ]


def _insert_all(migration, table, keep):
    migration.number_rows("legacy_accounts", ACCOUNTS, keep)
    rows = migration.schema.rows("SELECT new_id FROM legacy_accounts ORDER BY row_id")
    if rows:
        migration.in_halves(table, [row[0] for row in rows], lambda ids: _insert(migration, table, ids))


def _insert(migration, table, ids):
    values = {
        "id": "staged.new_id",
        "name": f"COALESCE(staged.name, staged.number, {migration.schema.text(JOURNAL, 'name', 'journal')}, 'Account')",
        "account_online_link_id": "staged.link_id",
        "company_id": "staged.company_id",
        "online_identifier": """
            CASE WHEN staged.identifier IS NULL THEN 'legacy:' || %(table)s || ':' || staged.row_id
                 WHEN row_number() OVER (PARTITION BY staged.link_id, staged.identifier ORDER BY staged.row_id) > 1
                      OR EXISTS (SELECT FROM account_online_account other
                                  WHERE other.account_online_link_id = staged.link_id
                                    AND other.online_identifier = staged.identifier)
                 THEN staged.identifier || ' ~' || %(table)s || ':' || staged.row_id
                 ELSE staged.identifier END
        """,
        "account_number": "staged.number",
        "currency_id": "COALESCE(journal.currency_id, company.currency_id)",
        "balance": "COALESCE(staged.balance, 0)",
        "last_sync": "staged.last_sync",
        "legacy_source": "%(table)s",
        "legacy_journal_id": "staged.journal_id",
    }
    source = """
        legacy_accounts staged
        JOIN res_company company ON company.id = staged.company_id
   LEFT JOIN account_journal journal ON journal.id = staged.journal_id
       WHERE staged.new_id = ANY(%(ids)s)
    """
    statement, parameters = migration.insert(ACCOUNTS, values, source)
    migration.schema.execute(statement, {**parameters, "table": table, "ids": ids})
    marker = {
        "kind": "'account'",
        "source": "%(table)s",
        "row_id": "row_id",
        "account_online_link_id": "link_id",
        "account_online_account_id": "new_id",
        "journal_id": "journal_id",
        "company_id": "company_id",
    }
    statement, parameters = migration.insert(MARKER, marker, "legacy_accounts WHERE new_id = ANY(%(ids)s)")
    migration.schema.execute(statement, {**parameters, "table": table, "ids": ids})
    migration.report.accounts += ids
