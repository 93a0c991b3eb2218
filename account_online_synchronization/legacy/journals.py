"""Journals that are marked as synchronized, and the markers of migrated rows."""

from . import sources
from .names import ACCOUNTS, JOURNAL, MARKER


def free_journals(migration):
    """Let journals without a connection offer *Connect bank* again; they keep their periodicity."""
    schema = migration.schema
    schema.execute(
        f"""
        UPDATE {JOURNAL} journal
           SET bank_statements_source = CASE bank_statements_source WHEN 'online_sync' THEN 'undefined'
                                        ELSE bank_statements_source END,
               bank_statement_creation_groupby =
                   COALESCE({sources.periodicity(schema)}, bank_statement_creation_groupby)
         WHERE account_online_account_id IS NULL
           AND (bank_statements_source = 'online_sync'
                OR EXISTS (SELECT FROM {ACCOUNTS} WHERE legacy_journal_id = journal.id))
           AND NOT EXISTS (SELECT FROM {MARKER} WHERE kind = 'journal' AND journal_id = journal.id)
        RETURNING id
        """
    )
    migration.report.journals = [row[0] for row in schema.cr.fetchall()]
    for journal_id in migration.report.journals:
        mark(migration, "journal", JOURNAL, journal_id, journal_id=journal_id)


def mark(migration, kind, source, row_id=None, *, journal_id=None, text=None):
    """Create a marker, once."""
    values = {
        "kind": "%(kind)s",
        "source": "%(source)s",
        "row_id": "%(row_id)s::int",
        "journal_id": "%(journal_id)s::int",
        "text": "%(text)s",
        "company_id": f"(SELECT company_id FROM {JOURNAL} WHERE id = %(journal_id)s)",
    }
    where = f"""
        (VALUES (1)) AS one
        WHERE NOT EXISTS (SELECT FROM {MARKER} WHERE kind = %(kind)s AND source = %(source)s
                             AND row_id IS NOT DISTINCT FROM %(row_id)s AND text IS NOT DISTINCT FROM %(text)s)
    """
    statement, parameters = migration.insert(MARKER, values, where)
    found = {"kind": kind, "source": source, "row_id": row_id, "journal_id": journal_id, "text": text}
    migration.schema.execute(statement, {**parameters, **found})
