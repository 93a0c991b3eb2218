#!/usr/bin/env python3
"""After the move: compare a database with the audit of before, and prove that nothing was lost.

    migration/audit.py mydb --format json --output audit.json     before the installation
    migration/verify.py mydb --audit audit.json                   after it; ends with 1 where something is wrong
    echo "import runpy; runpy.run_path('migration/verify.py')['in_odoo'](env, 'audit.json')" \\
        | scripts/odoo shell -d mydb --no-http

Like the audit it changes nothing. It may be run again at any time: lines and links that came since, and links that a
user has deleted, are not reported as problems.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from reading import LINE, Schema, connected, crons, parser, quoted, secrets, write

MARKER = "account_online_migration"


def main(arguments=None):
    options_of = parser(__doc__.splitlines()[0])
    options_of.add_argument("--audit", required=True, help="what migration/audit.py --format json has written")
    options = options_of.parse_args(arguments)
    with connected(options.database) as cr:
        answer = verify(cr, read(options.audit))
    write(answer, tables(answer), options.format, options.output)
    return 0 if answer["sound"] else 1


def in_odoo(env, audit, form="text", output=None):
    """The same inside Odoo's shell."""
    answer = verify(env.cr, read(audit))
    write(answer, tables(answer), form, output)


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def verify(cr, audit):
    """
    :param cr: cursor of psycopg2, or one of Odoo's
    :param dict audit: what :func:`audit.audit` returned before
    :return: ``{"sound": bool, "checks": [{"check", "is_right", "detail"}], "told": [texts of problems]}``
    """
    return Verification(cr, audit).run()


class Verification:
    def __init__(self, cr, audit):
        self.schema, self.audit = Schema(cr), audit
        self.checks, self.problems = [], []

    def run(self):
        if not self.schema.has(MARKER):
            self._note("account_online_synchronization is installed", False, "its tables are missing")
            return self._answer([])
        parts = ("tables", "links", "accounts", "lines", "journals", "secrets", "scheduled actions")
        for part in parts:
            with self.schema.attempt(self.problems, part):
                getattr(self, f"_check_{part.replace(' ', '_')}")()
        for problem in self.problems:
            self._note(f"{problem.table} can be read", False, problem.text)
        told = self.schema.rows(f"SELECT source, row_id, text FROM {MARKER} WHERE kind = 'problem' ORDER BY id")
        return self._answer([f"{source} {row or ''}: {text}" for source, row, text in told])

    def _answer(self, told):
        return {"sound": all(check["is_right"] for check in self.checks), "checks": self.checks, "told": told}

    def _note(self, check, is_right, detail=""):
        self.checks.append({"check": check, "is_right": bool(is_right), "detail": detail})

    def _kept_as(self, table):
        """Where a table is now: one that had our name is kept under another."""
        kept = f"{table}_legacy"
        return kept if self.schema.has(kept) else table

    # -------------------------------------------------------------------------
    # CHECKS
    # -------------------------------------------------------------------------

    def _check_tables(self):
        for before in self.audit["tables"]:
            table = self._kept_as(before["table"])
            rows = self._count(quoted(table)) if self.schema.has(table) else 0
            self._note(f"{table} has all its rows", rows == before["rows"], f"{before['rows']} before, {rows} now")

    def _check_links(self):
        self._check_markers("link", self.audit["links"])
        connected_ones = self._count("account_online_link WHERE legacy_source IS NOT NULL AND state != 'disconnected'")
        self._note("No link of an earlier module is connected", not connected_ones, f"{connected_ones} are")

    def _check_accounts(self):
        self._check_markers("account", self.audit["accounts"])

    def _check_markers(self, kind, rows):
        tables = {row["table"]: self._kept_as(row["table"]) for row in rows}
        found = {
            (table, row_id)
            for table, row_id in self.schema.rows(f"SELECT source, row_id FROM {MARKER} WHERE kind = %s", [kind])
        }
        missing = [row for row in rows if (tables[row["table"]], row["row"]) not in found]
        names = ", ".join(f"{row['table']} {row['row']} ({row['name']})" for row in missing[:20])
        self._note(f"Each {kind} was taken over", not missing, names or f"{len(rows)} of {len(rows)}")

    def _check_lines(self):
        for journal in self.audit["journals"]:
            ((count, amount, known),) = self.schema.rows(
                f"""
                SELECT count(*), COALESCE(sum(amount), 0)::numeric,
                       count(*) FILTER (WHERE online_transaction_identifier IS NOT NULL)
                  FROM {LINE} WHERE journal_id = %s AND id <= %s
                """,
                [journal["id"], journal["last_line_id"] or 0],
            )
            same = count == journal["lines"] and amount == Decimal(journal["amount"])
            told = f"{journal['lines']} lines, {journal['amount']} before; {count}, {amount} now"
            self._note(f"Journal {journal['id']} ({journal['name']}) has all its lines", same, told)
            detail = f"{journal['identifiers']} before, {known} now"
            self._note(f"Journal {journal['id']}: transaction ids are known", known >= journal["identifiers"], detail)

    def _check_journals(self):
        stuck = self._count(
            "account_journal WHERE bank_statements_source = 'online_sync' AND account_online_account_id IS NULL"
        )
        self._note("Journals offer Connect bank", not stuck, f"{stuck} do not" if stuck else "")
        for journal in self.audit["journals"]:
            if not journal["periodicity"]:
                continue
            ((now, is_linked),) = self.schema.rows(
                "SELECT bank_statement_creation_groupby, account_online_account_id IS NOT NULL"
                " FROM account_journal WHERE id = %s",
                [journal["id"]],
            )
            told = f"{journal['periodicity']} before, {now} now"
            # Why: the user who reconnects the bank may choose another.
            self._note(
                f"Journal {journal['id']} keeps its periodicity", is_linked or now == journal["periodicity"], told
            )

    def _check_secrets(self):
        left = secrets.filled_secrets(self.schema)
        detail = ", ".join(f"{table}.{column}" for table, column in left)
        self._note("Secrets are blanked", not left, detail)

    def _check_scheduled_actions(self):
        active = self.schema.rows(crons.active(self.schema))
        self._note("Scheduled actions are switched off", not active, ", ".join(name for _id, name in active))

    def _count(self, source):
        return self.schema.rows(f"SELECT count(*) FROM {source}")[0][0]


def tables(answer):
    """:return: the answer as :func:`reading.render` wants it"""
    checks = [["right" if one["is_right"] else "WRONG", one["check"], one["detail"]] for one in answer["checks"]]
    return [
        ("Checks", ["result", "check", "detail"], checks),
        ("What the installation told", ["text"], [[text] for text in answer["told"]]),
        ("Result", ["result"], [["Nothing was lost." if answer["sound"] else "Something is wrong: see WRONG above."]]),
    ]


if __name__ == "__main__":
    sys.exit(main())
