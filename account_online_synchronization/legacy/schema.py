"""Existing tables and columns, and expressions that read columns which may be missing or of an unexpected type.

Databases of earlier versions have different columns, so each is optional: missing ones are read as NULL, and texts in
place of dates are parsed if possible.
"""

from contextlib import contextmanager
from typing import NamedTuple

import psycopg2

#: PostgreSQL's types by the type as which they are read.
FAMILIES = {
    "number": {"integer", "bigint", "smallint", "numeric", "double precision", "real"},
    "moment": {"date", "timestamp without time zone", "timestamp with time zone"},
    "text": {"text", "character varying", "character"},
    "json": {"json", "jsonb"},
}


class Column(NamedTuple):
    type: str
    nullable: bool


class Problem(NamedTuple):
    """Something that could not be migrated. It never stops the rest."""

    table: str
    row_id: int | None
    text: str


class Schema:
    """Current tables and columns of the database.

    :param cr: cursor of psycopg2, or one of Odoo's
    """

    def __init__(self, cr):
        self.cr = cr
        self.refresh()

    def refresh(self):
        """Read them again, after tables or columns have changed."""
        self.execute(
            """
            SELECT table_name, column_name, data_type, is_nullable = 'YES'
              FROM information_schema.columns
             WHERE table_schema = current_schema()
            """
        )
        self.tables = {}
        for table, column, *found in self.cr.fetchall():
            self.tables.setdefault(table, {})[column] = Column(*found)

    def execute(self, query, parameters=None):
        """Why not the cursor's own: Odoo would log expected failures as errors."""
        silent = {"log_exceptions": False} if hasattr(self.cr, "dbname") else {}
        self.cr.execute(query, parameters, **silent)

    def rows(self, query, parameters=None):
        self.execute(query, parameters)
        return self.cr.fetchall()

    def has(self, table, *columns):
        return table in self.tables and all(column in self.tables[table] for column in columns)

    def columns(self, table):
        return self.tables.get(table, {})

    @contextmanager
    def attempt(self, problems, table, row_id=None):
        """A savepoint: failures inside are rolled back and added to ``problems``, without an exception."""
        self.execute("SAVEPOINT legacy")
        try:
            yield
        except psycopg2.Error as error:
            self.execute("ROLLBACK TO SAVEPOINT legacy")
            problems.append(Problem(table, row_id, message_of(error)))
        finally:
            # Why also after a failure: ROLLBACK TO does not release the savepoint.
            self.execute("RELEASE SAVEPOINT legacy")

    # -------------------------------------------------------------------------
    # EXPRESSIONS
    # -------------------------------------------------------------------------

    def text(self, table, column, alias):
        """SQL for a column's text without blanks around it; NULL if empty."""
        found = self.columns(table).get(column)
        if not found:
            return "NULL::text"
        name = f"{alias}.{quoted(column)}"
        if found.type in FAMILIES["json"]:
            # Why: Odoo stores translated texts as a JSON object from language to text.
            name = (
                f"CASE jsonb_typeof({name}::jsonb)"
                f" WHEN 'object' THEN (SELECT min(value) FROM jsonb_each_text({name}::jsonb))"
                f" WHEN 'string' THEN {name}::jsonb #>> '{{}}' END"
            )
        # Why translate(): zero-width characters and line breaks count as blanks, too.
        return f"NULLIF(btrim({name}::text, E' \\t\\r\\n\\u00a0\\u200b'), '')"

    def number(self, table, column, alias):
        found = self.columns(table).get(column)
        if not found:
            return "NULL::numeric"
        name = f"{alias}.{quoted(column)}"
        if found.type in FAMILIES["number"]:
            # Why: NaN is not a valid amount.
            return f"NULLIF(NULLIF(NULLIF({name}::text, 'NaN'), 'Infinity'), '-Infinity')::numeric"
        return f"CASE WHEN {name}::text ~ '^-?[0-9]{{1,15}}([.][0-9]{{1,9}})?$' THEN {name}::text::numeric END"

    def reference(self, table, column, alias):
        """The id of a record."""
        found = self.columns(table).get(column)
        if not found:
            return "NULL::int"
        name = f"{alias}.{quoted(column)}"
        if found.type in ("integer", "smallint"):
            return f"{name}::int"
        return f"CASE WHEN {name}::text ~ '^[0-9]{{1,9}}$' THEN {name}::text::int END"

    def moment(self, table, column, alias):
        found = self.columns(table).get(column)
        if not found:
            return "NULL::timestamp"
        name = f"{alias}.{quoted(column)}"
        if found.type in FAMILIES["moment"]:
            # Why: Python can't read infinite timestamps, or those of the year 20202.
            return f"CASE WHEN {name} BETWEEN '1900-01-01' AND '2999-12-31' THEN {name}::timestamp END"
        name = f"{name}::text"
        # Why this expression: it never fails, not even for 31 February.
        return (
            f"CASE WHEN {name} ~ '^(19|20)[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'"
            f" THEN (left({name}, 7) || '-01')::date + (substr({name}, 9, 2)::int - 1) + time '00:00' END"
        )


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def message_of(error):
    """PostgreSQL's message without its details, which may contain values of a row."""
    return (getattr(error.diag, "message_primary", None) or type(error).__name__).strip()
