"""Copies rows inside PostgreSQL, with some columns replaced."""

import json

from odoo.tools import SQL


def reserve(cr, table, count):
    """:return: the requested number of new ids, ascending"""
    if not count:
        return []
    cr.execute(
        """
        SELECT nextval(own.name)
          FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name OFFSET 0) own, generate_series(1, %s)
        """,
        # Why OFFSET: the sequence is looked up once, not for each id.
        [table, count],
    )
    return [row[0] for row in cr.fetchall()]


def columns(cr, tables):
    """Why types without their length: a value that is too long would be truncated instead of refused.

    :return: dict from table to its columns, a dict from name to PostgreSQL's type
    """
    cr.execute(
        """
        SELECT attrelid::regclass::text, attname, format_type(atttypid, NULL)
          FROM pg_attribute
         WHERE attrelid = ANY(%s::regclass[]) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        """,
        [list(tables)],
    )
    found = {table: {} for table in tables}
    for table, name, kind in cr.fetchall():
        found[table][name] = kind
    return found


def copy(cr, copies):
    """Write rows of several tables at once.

    Why at once: entries and statement lines refer to each other, and PostgreSQL checks that at a statement's end.

    :param copies: list of ``(table, types, pilot id, rows)``: ``rows`` is a list of dicts from column to JSON
        value, all with the same keys; other columns are copied from the row with the pilot's id; ``types`` are the
        table's columns, see :func:`columns`
    """
    parts = [
        SQL("%s AS (%s)", SQL.identifier(f"copy_{number}"), _copy(*one)) for number, one in enumerate(copies) if one[-1]
    ]
    # Why not logged: the values contain personal data.
    cr.execute(SQL("WITH %s SELECT", SQL(", ").join(parts)), log_exceptions=False)


def _copy(table, types, pilot_id, rows):
    given, sources = _given(rows, types)
    kept = [name for name in types if name not in given]
    return SQL(
        "INSERT INTO %s (%s) SELECT %s FROM %s WHERE pilot.id = %s",
        SQL.identifier(table),
        SQL(", ").join(map(SQL.identifier, [*given, *kept])),
        SQL(", ").join([*given.values(), *(SQL.identifier("pilot", name) for name in kept)]),
        SQL(", ").join([SQL("%s AS pilot", SQL.identifier(table)), *sources]),
        pilot_id,
    )


def differences(cr, table, types, pilot_id, row):
    """:return: names of the columns in which the stored row differs from ``row``"""
    given, _none = _given([row], types)
    cr.execute(
        SQL(
            "SELECT %s FROM %s AS pilot WHERE pilot.id = %s",
            SQL(", ").join(
                SQL("%s IS NOT DISTINCT FROM %s", value, SQL.identifier("pilot", name)) for name, value in given.items()
            ),
            SQL.identifier(table),
            pilot_id,
        ),
        log_exceptions=False,
    )
    return [name for name, is_same in zip(given, cr.fetchone(), strict=True) if not is_same]


def related(cr, records_list):
    """:return: names of the relation tables that have a row of any of the records"""
    found = {
        (field.relation, field.column1): records._ids
        for records in records_list
        for field in records._fields.values()
        if field.type == "many2many" and field.store
    }
    queries = [
        SQL(
            "SELECT %s WHERE EXISTS (SELECT FROM %s WHERE %s IN %s)",
            relation,
            SQL.identifier(relation),
            SQL.identifier(column),
            ids,
        )
        for (relation, column), ids in found.items()
        if ids
    ]
    cr.execute(SQL(" UNION ALL ").join(queries))
    return [row[0] for row in cr.fetchall()]


def analyze_when_fresh(cr):
    """Why: without statistics of the tables, each chunk of a long load takes longer than the one before."""
    cr.execute(
        """
        SELECT count(*) FROM pg_class
         WHERE oid IN ('account_move'::regclass, 'account_move_line'::regclass, 'account_bank_statement_line'::regclass)
           AND reltuples <= 0
        """
    )
    if cr.fetchone()[0]:
        cr.execute("ANALYZE account_move, account_move_line, account_bank_statement_line")


def _given(rows, types):
    """Why JSON: PostgreSQL parses each value by its column's type. Why a list for each column, and a single value if
    all rows have the same one: with names in each row it would be three times as long.

    :return: dict from column to the SQL that gives its value, and list of the sources that this needs
    """
    given, lists = {}, {}
    for name in rows[0]:
        values, kind = [row[name] for row in rows], SQL(types[name])
        if values.count(values[0]) == len(values):
            given[name] = SQL("(%s::json ->> 0)::%s", _json(values[:1]), kind)
        else:
            given[name] = SQL("%s::%s", SQL.identifier("given", name), kind)
            lists[name] = SQL("json_array_elements_text(%s::json)", _json(values))
    names = SQL(", ").join(map(SQL.identifier, lists))
    return given, [SQL("ROWS FROM (%s) AS given (%s)", SQL(", ").join(lists.values()), names)] if lists else []


def _json(values):
    return json.dumps(values, ensure_ascii=False)
