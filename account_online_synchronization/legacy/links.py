"""Migrates each connection of an earlier module to a disconnected link."""

from . import sources
from .names import LINKS, MARKER, PROVIDERS
from .schema import Problem

UNKNOWN = "unknown"


def take_links(migration, table):
    schema = migration.schema
    schema.execute("DROP TABLE IF EXISTS legacy_links")
    schema.execute(
        f"""
        CREATE TEMPORARY TABLE legacy_links ON COMMIT DROP AS
        SELECT DISTINCT ON (row_id) found.*, NULL::int AS new_id
          FROM ({sources.links(schema, table)}) found
         WHERE row_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM {MARKER} WHERE kind = 'link' AND source = %s AND row_id = found.row_id)
      ORDER BY row_id
        """,
        [table],
    )
    _fill_companies(migration, table)
    migration.number_rows("legacy_links", LINKS, keep=table != PROVIDERS)
    rows = schema.rows("SELECT new_id FROM legacy_links ORDER BY row_id")
    if rows:
        migration.in_halves(table, [row[0] for row in rows], lambda ids: _insert(migration, table, ids))


def _fill_companies(migration, table):
    """Set missing companies of connections to that of their journals, else to the main one."""
    schema = migration.schema
    if not schema.rows("SELECT FROM legacy_links WHERE company_id IS NULL LIMIT 1"):
        return
    for accounts in sources.account_tables(schema):
        if sources.link_table_of(accounts) == table:
            schema.execute(
                f"""
                UPDATE legacy_links link
                   SET company_id = found.company_id
                  FROM (SELECT account.link_row_id, min(journal.company_id) AS company_id
                          FROM ({sources.accounts(schema, accounts)}) account
                          JOIN account_journal journal ON journal.id = account.journal_id
                      GROUP BY 1 HAVING count(DISTINCT journal.company_id) = 1) found
                 WHERE link.company_id IS NULL AND found.link_row_id = link.row_id
                RETURNING link.row_id
                """
            )
            for (row_id,) in schema.cr.fetchall():
                migration.report.problems.append(
                    Problem(table, row_id, "Its company is missing: it was put into the company of its journals.")
                )
    schema.execute(
        "UPDATE legacy_links SET company_id = %s WHERE company_id IS NULL RETURNING row_id", [main_company(schema)]
    )
    for (row_id,) in schema.cr.fetchall():
        migration.report.problems.append(
            Problem(table, row_id, "Its company is missing: it was put into the main company.")
        )


def main_company(schema):
    rows = schema.rows(
        """
        SELECT company.id
          FROM res_company company
     LEFT JOIN ir_model_data xmlid
               ON xmlid.module = 'base' AND xmlid.name = 'main_company' AND xmlid.res_id = company.id
      ORDER BY xmlid.id, company.id LIMIT 1
        """
    )
    return rows[0][0]


def _insert(migration, table, ids):
    values = {
        "id": "new_id",
        "name": "COALESCE(name, initcap(provider), 'Bank')",
        "company_id": "company_id",
        "state": "'disconnected'",
        "auto_sync": "FALSE",
        "last_refresh": "last_refresh",
        "provider_label": "CASE WHEN provider = lower(provider) THEN initcap(provider) ELSE provider END",
        "legacy_source": "%(table)s",
        "legacy_provider": f"COALESCE(provider, '{sources.UNKNOWN_PROVIDER}')",
        "legacy_reference": "reference",
        "legacy_institution": "institution",
    }
    statement, parameters = migration.insert(LINKS, values, "legacy_links WHERE new_id = ANY(%(ids)s)")
    parameters.update(table=table, ids=ids)
    migration.schema.execute(statement, parameters)
    marker = {
        "kind": "'link'",
        "source": "%(table)s",
        "row_id": "row_id",
        "account_online_link_id": "new_id",
        "company_id": "company_id",
    }
    statement, parameters = migration.insert(MARKER, marker, "legacy_links WHERE new_id = ANY(%(ids)s)")
    migration.schema.execute(statement, {**parameters, "table": table, "ids": ids})
    migration.report.links += ids


def unknown_link(migration, company_id):
    """The link of a company for accounts without a connection.

    :return: its id
    """
    schema = migration.schema
    known = schema.rows(f"SELECT id FROM {LINKS} WHERE legacy_source = %s AND company_id = %s", [UNKNOWN, company_id])
    if known:
        return known[0][0]
    values = {
        "name": "'Unknown (legacy)'",
        "company_id": "%(company)s",
        "state": "'disconnected'",
        "auto_sync": "FALSE",
        "legacy_source": f"'{UNKNOWN}'",
        "legacy_provider": f"'{sources.UNKNOWN_PROVIDER}'",
    }
    statement, parameters = migration.insert(LINKS, values, "(VALUES (1)) AS one RETURNING id")
    ((link_id,),) = schema.rows(statement, {**parameters, "company": company_id})
    migration.report.links.append(link_id)
    return link_id
