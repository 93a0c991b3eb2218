"""Renames tables and columns of other modules that have the same names as this addon's.

Why not reused: such columns may be required, have another type, or violate this addon's constraints, and Odoo would
drop them when this addon is uninstalled. Under another name every row is kept unchanged, and this addon's tables are
created as in an empty database.
"""

from .names import ACCOUNTS, ACCOUNTS_ASIDE, LINE, LINKS, LINKS_ASIDE, OWN_COLUMN, SHARED_COLUMNS, aside
from .schema import Schema, quoted

LONGEST_NAME = 63


def set_aside(cr, in_use=frozenset()):
    """Rename tables and columns of other modules with names of this addon, if there are any.

    :param in_use: pairs of table and column that are fields of another installed addon: those are shared with it
    :return: (list of what was renamed, list of :class:`~.schema.Problem`)
    """
    schema = Schema(cr)
    renamed, problems = [], []
    for table, name in ((LINKS, LINKS_ASIDE), (ACCOUNTS, ACCOUNTS_ASIDE)):
        if schema.has(table) and not schema.has(table, OWN_COLUMN[table]):
            with schema.attempt(problems, table):
                _rename_table(schema, table, _free(schema.tables, name))
                renamed.append(table)
    if LINKS in renamed:
        with schema.attempt(problems, "ir_cron"):
            _switch_off_crons(schema)
    # Why by the lines' table: an installation, of this or another module, adds all shared columns at once.
    if schema.has(LINE) and not schema.has(LINE, OWN_COLUMN[LINE]):
        for table, columns in SHARED_COLUMNS.items():
            for column in columns:
                if schema.has(table, column) and (table, column) not in in_use:
                    with schema.attempt(problems, table):
                        _rename_column(schema, table, column)
                        renamed.append(f"{table}.{column}")
    return renamed, problems


def _switch_off_crons(schema):
    """Disable the scheduled actions of a module with the same name, before this addon creates its own."""
    if schema.has("ir_cron", "active") and schema.has("ir_model_data"):
        schema.execute(
            "UPDATE ir_cron SET active = FALSE WHERE id IN (SELECT res_id FROM ir_model_data"
            " WHERE model = 'ir.cron' AND module = 'account_online_synchronization')"
        )


def _rename_table(schema, table, name):
    # Why its indexes, too: Odoo searches indexes by name in all tables.
    for index in _names(
        schema, "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = %s", table
    ):
        _rename("INDEX", schema, index)
    owned = """
        SELECT sequence.relname
          FROM pg_depend
          JOIN pg_class sequence ON sequence.oid = objid AND sequence.relkind = 'S'
         WHERE refobjid = %s::regclass
    """
    for sequence in _names(schema, owned, quoted(table)):
        _rename("SEQUENCE", schema, sequence)
    schema.execute(f"ALTER TABLE {quoted(table)} RENAME TO {quoted(name)}")


def _rename_column(schema, table, column):
    """Rename a column; if an earlier installation has used the new name, a further one is chosen."""
    indexes = """
        SELECT index.relname
          FROM pg_index
          JOIN pg_class index ON index.oid = indexrelid
          JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
         WHERE indrelid = %s::regclass AND attname = %s
    """
    for index in _names(schema, indexes, quoted(table), column):
        _rename("INDEX", schema, index)
    # Why: a renamed column must not restrict deletions by its foreign key, or be required in new rows.
    for constraint in _names(
        schema,
        "SELECT conname FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY(conkey)"
        " WHERE conrelid = %s::regclass AND attname = %s AND contype IN ('f', 'u', 'c')",
        quoted(table),
        column,
    ):
        schema.execute(f"ALTER TABLE {quoted(table)} DROP CONSTRAINT IF EXISTS {quoted(constraint)}")
    name = _free(schema.columns(table), aside(column))
    schema.execute(f"ALTER TABLE {quoted(table)} RENAME COLUMN {quoted(column)} TO {quoted(name)}")
    schema.execute(f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(name)} DROP NOT NULL")


def _rename(kind, schema, name):
    shorter = name[: LONGEST_NAME - len("_legacy00")]
    taken = _names(schema, "SELECT relname FROM pg_class WHERE relname LIKE %s", f"{shorter}%")
    schema.execute(f"ALTER {kind} {quoted(name)} RENAME TO {quoted(_free(taken, f'{shorter}_legacy'))}")


def _free(taken, name):
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}{number}"
    return free


def _names(schema, query, *parameters):
    return [name for (name,) in schema.rows(query, parameters)]
