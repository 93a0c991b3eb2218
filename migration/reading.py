"""What audit and verify have in common: a cursor on the database, and how an answer is printed."""

import argparse
import csv
import io
import json
import sys
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Why the addon's folder: its package imports Odoo, and these tools run beside any Odoo, or none.
sys.path.insert(0, str(ROOT / "account_online_synchronization"))

from legacy import crons, secrets, sources  # noqa: E402
from legacy.names import LINE  # noqa: E402
from legacy.schema import Schema, quoted  # noqa: E402

__all__ = ["LINE", "Schema", "connected", "crons", "parser", "quoted", "render", "secrets", "sources", "write"]


def parser(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "database",
        help="name or connection string (postgresql://user@host/name, or dbname=… host=…); a password is better kept "
        "in PGPASSWORD or ~/.pgpass",
    )
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text")
    parser.add_argument("--output", help="file to write to, instead of the terminal")
    return parser


@contextmanager
def connected(database):
    """A cursor that can't change anything."""
    import psycopg2

    is_string = "=" in database or "://" in database
    with closing(psycopg2.connect(database if is_string else f"dbname={database}")) as connection:
        connection.set_session(readonly=True, isolation_level="REPEATABLE READ")
        with connection.cursor() as cr:
            yield cr


def render(tables, form):
    """
    :param tables: list of (title, columns, rows)
    :param form: ``text`` or ``csv``
    """
    if form == "csv":
        output = io.StringIO()
        writer = csv.writer(output)
        for title, columns, rows in tables:
            writer.writerow(["table", *columns])
            writer.writerows([title, *map(_inert, row)] for row in rows)
        return output.getvalue()
    parts = []
    for title, columns, rows in tables:
        texts = [list(columns), *([_text(value) for value in row] for row in rows)]
        widths = [max(len(row[number]) for row in texts) for number in range(len(columns))]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in texts
        ]
        parts.append("\n".join([f"{title} ({len(rows)})", *(f"  {line}" for line in (lines if rows else ["none"]))]))
    return "\n\n".join(parts) + "\n"


def _text(value):
    return "" if value is None else str(value).replace("\n", " ")


def _inert(value):
    """Why: a spreadsheet would calculate what begins like a formula, and names come from banks."""
    text = _text(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") and not isinstance(value, int | float) else text


def write(answer, tables, form, output=None):
    text = json.dumps(answer, indent=2, default=str) + "\n" if form == "json" else render(tables, form)
    if output:
        Path(output).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
