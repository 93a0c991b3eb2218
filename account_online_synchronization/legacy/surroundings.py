"""What stands around connections: journals that say they are synchronized, and scheduled actions that would do it."""

from . import sources
from .names import ACCOUNTS, JOURNAL, LEGACY_MODELS, LEGACY_MODULES, MARKER


def free_journals(migration):
    """A journal whose connection is over offers *Connect bank* again, and keeps its periodicity."""
    schema = migration.schema
    schema.execute(
        f"""
        UPDATE {JOURNAL} journal
           SET bank_statements_source = CASE bank_statements_source WHEN 'online_sync' THEN 'undefined'
                                        ELSE bank_statements_source END,
               bank_statement_creation_groupby = COALESCE({sources.periodicity(schema)}, bank_statement_creation_groupby)
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


def crons(schema):
    """SELECT of ``id, name`` of the scheduled actions of earlier modules that are switched on."""
    joins, conditions = "", []
    modules = ", ".join(f"'{name}'" for name in LEGACY_MODULES)
    models = ", ".join(f"'{name}'" for name in LEGACY_MODELS)
    if schema.has("ir_model_data"):
        conditions.append(
            "EXISTS (SELECT FROM ir_model_data xmlid WHERE xmlid.model = 'ir.cron' AND xmlid.res_id = cron.id"
            f" AND xmlid.module IN ({modules}))"
        )
    if schema.has("ir_cron", "ir_actions_server_id") and schema.has("ir_act_server"):
        joins = "LEFT JOIN ir_act_server action ON action.id = cron.ir_actions_server_id"
        conditions.append(f"{schema.text('ir_act_server', 'model_name', 'action')} IN ({models})")
        conditions.append(f"{schema.text('ir_act_server', 'code', 'action')} ~ 'account[._]online[._](provider|journal)'")
    conditions.append(f"{schema.text('ir_cron', 'model', 'cron')} IN ({models})")
    names = [schema.text("ir_cron", column, "cron") for column in ("cron_name", "name")]
    return f"""
        SELECT cron.id, COALESCE({", ".join(names)}, cron.id::text) AS name
          FROM ir_cron cron
          {joins}
         WHERE cron.active AND ({" OR ".join(conditions)})
      ORDER BY cron.id
    """


def switch_off_crons(schema):
    """:return: their names"""
    if not schema.has("ir_cron", "active"):
        return []
    found = schema.rows(crons(schema))
    if found:
        schema.execute("UPDATE ir_cron SET active = FALSE WHERE id = ANY(%s)", [[row[0] for row in found]])
    return [name for _id, name in found]


def mark(migration, kind, source, row_id=None, *, journal_id=None, text=None):
    """Leave a marker, once."""
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
