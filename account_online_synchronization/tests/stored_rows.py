"""What a batch of statement lines leaves in the database, made comparable."""

#: Columns that are different each time: moments, random ids.
FLEETING = {"create_date", "write_date", "message_id"}

#: Columns that name a row of the batch, and the table that it is in.
REFERENCES = {
    "move_id": "account_move",
    "statement_line_id": "account_bank_statement_line",
    "res_id": "account_move",
    "move_line_id": "account_move_line",
}


def read_rows(lines):
    """:return: dict from table to its rows, each a dict from column to value; ids are counted from the batch's first"""
    lines.env.flush_all()
    cr = lines.env.cr
    moves, items = lines.move_id, lines.move_id.line_ids
    selected = {
        "account_bank_statement_line": ("id", lines.ids),
        "account_move": ("id", moves.ids),
        "account_move_line": ("move_id", moves.ids),
        "mail_message": ("model = 'account.move' AND res_id", moves.ids),
        "mail_followers": ("res_model = 'account.move' AND res_id", moves.ids),
        "account_analytic_line": ("move_line_id", items.ids),
    }
    rows, numbers = {}, {}
    for table, (condition, ids) in selected.items():
        cr.execute(f'SELECT * FROM "{table}" WHERE {condition} = ANY(%s) ORDER BY id', [ids])
        names = [column.name for column in cr.description]
        rows[table] = [dict(zip(names, row, strict=True)) for row in cr.fetchall()]
        numbers[table] = {row["id"]: number for number, row in enumerate(rows[table])}
    return {table: [_comparable(table, row, numbers) for row in some] for table, some in rows.items()}


def _comparable(table, row, numbers):
    for name, other in (("id", table), *REFERENCES.items()):
        if row.get(name):
            row[name] = numbers[other][row[name]]
    if table == "account_bank_statement_line":
        row["internal_index"] = row["internal_index"][:18]
    if table == "mail_message":
        row["date"] = None
    return {name: value for name, value in row.items() if name not in FLEETING}


def count_rows(cr):
    """:return: dict from every table of the database to its number of rows"""
    cr.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema::regnamespace")
    tables = [name for (name,) in cr.fetchall()]
    cr.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM \"{table}\"" for table in tables))
    return dict(cr.fetchall())
