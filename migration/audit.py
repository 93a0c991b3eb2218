#!/usr/bin/env python3
"""Before the move: what an earlier module for bank feeds has left in a database, and what will become of it.

It changes nothing: the connection is read-only. The database may be of Odoo 10 to 19, upgraded or not.

    migration/audit.py mydb                                  as text
    migration/audit.py mydb --format json --output audit.json    for migration/verify.py
    echo "import runpy; runpy.run_path('migration/audit.py')['in_odoo'](env)" | scripts/odoo shell -d mydb --no-http
"""

import sys
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from reading import LINE, Schema, connected, crons, parser, quoted, secrets, sources, write

OURS = "account_online_synchronization"
MODULES = (OURS, "account_online_sync", "account_plaid", "account_yodlee", "account_ponto")


def main(arguments=None):
    options = parser(__doc__.splitlines()[0]).parse_args(arguments)
    with connected(options.database) as cr:
        answer = audit(cr)
    write(answer, tables(answer), options.format, options.output)


def in_odoo(env, form="text", output=None):
    """The same inside Odoo's shell."""
    answer = audit(env.cr)
    write(answer, tables(answer), form, output)


def audit(cr):
    """
    :param cr: cursor of psycopg2, or one of Odoo's
    :return: what JSON holds; amounts and days are texts
    """
    return Audit(cr).run()


class Audit:
    def __init__(self, cr):
        self.schema = Schema(cr)
        self.problems = []
        self.answer = {"written_at": datetime.now(timezone.utc).isoformat(timespec="seconds"), "risks": []}

    def run(self):
        self.answer["database"] = self.schema.rows("SELECT current_database()")[0][0]
        for part in ("modules", "links", "accounts", "journals", "secrets", "scheduled_actions", "tables"):
            self.answer[part] = []
            with self.schema.attempt(self.problems, part):
                self.answer[part] = getattr(self, f"_{part}")()
        self._judge()
        return self.answer

    def _dicts(self, names, query, parameters=None):
        return [dict(zip(names, map(_plain, row), strict=True)) for row in self.schema.rows(query, parameters)]

    def _each(self, tables, read):
        """Why one by one: a table that can't be read is reported, the others are read."""
        found = []
        for table in tables:
            with self.schema.attempt(self.problems, table):
                found += read(table)
        return found

    # -------------------------------------------------------------------------
    # PARTS
    # -------------------------------------------------------------------------

    def _modules(self):
        if not self.schema.has("ir_module_module", "name", "state"):
            return []
        return self._dicts(
            ("name", "state", "version"),
            "SELECT name, state, latest_version FROM ir_module_module WHERE name = ANY(%s) ORDER BY name",
            [[*MODULES, "base"]],
        )

    def _links(self):
        names = ("table", "row", "name", "company_id", "provider", "reference", "last_refresh")
        return self._each(
            sources.link_tables(self.schema),
            lambda table: self._dicts(
                names,
                f"SELECT '{table}', row_id, name, company_id, provider, reference, last_refresh"
                f" FROM ({sources.links(self.schema, table)}) found ORDER BY row_id",
            ),
        )

    def _accounts(self):
        names = ("table", "row", "link_row", "name", "number", "last_sync", "balance", "journal_id")
        return self._each(
            sources.account_tables(self.schema),
            lambda table: self._dicts(
                names,
                f"SELECT '{table}', row_id, link_row_id, name, number, last_sync, balance, journal_id"
                f" FROM ({sources.accounts(self.schema, table)}) found ORDER BY row_id",
            ),
        )

    def _journals(self):
        """Those that an earlier module fills, or has filled: with what their lines add up to."""
        schema = self.schema
        filled = " UNION ".join(
            f"SELECT id FROM ({sources.journals(schema, table)}) found" for table in sources.account_tables(schema)
        )
        move = "LEFT JOIN account_move move ON move.id = line.move_id" if schema.has(LINE, "move_id") else ""
        # Why: up to 13 a line has day and journal itself, later they are its entry's.
        journal = "line.journal_id" if schema.has(LINE, "journal_id") else "move.journal_id"
        day = "line.date" if schema.has(LINE, "date") else "move.date"
        identifier = sources.line_identifier(schema) or "NULL::text"
        source = schema.text("account_journal", "bank_statements_source", "journal")
        names = (
            *("id", "name", "company_id", "feed", "periodicity"),
            *("lines", "amount", "last_line_id", "first_day", "last_day", "identifiers", "identifiers_twice"),
        )
        return self._dicts(
            names,
            f"""
            WITH summed AS (
                  SELECT journal_id, count(*) AS lines, sum(amount)::numeric AS amount, max(id) AS last_line_id,
                         min(day) AS first_day, max(day) AS last_day, count(identifier) AS identifiers,
                         count(identifier) - count(DISTINCT identifier) AS twice
                    FROM (SELECT line.id, {journal} AS journal_id, {day} AS day, line.amount, {identifier} AS identifier
                            FROM {LINE} line {move}) line
                GROUP BY journal_id
            )
            SELECT journal.id, {schema.text("account_journal", "name", "journal")}, journal.company_id, {source},
                   {sources.periodicity(schema)}, COALESCE(lines, 0), COALESCE(amount, 0), last_line_id,
                   first_day, last_day, COALESCE(identifiers, 0), COALESCE(twice, 0)
              FROM account_journal journal
         LEFT JOIN summed ON summed.journal_id = journal.id
             WHERE {source} = 'online_sync' OR identifiers > 0 {f"OR journal.id IN ({filled})" if filled else ""}
          ORDER BY journal.id
            """,
        )

    def _secrets(self):
        return [
            {"table": table, "column": column, "rows": rows}
            for (table, column), rows in sorted(secrets.filled_secrets(self.schema).items())
        ]

    def _scheduled_actions(self):
        return self._dicts(("id", "name"), crons.active(self.schema)) if self.schema.has("ir_cron", "active") else []

    def _tables(self):
        names = [*sources.link_tables(self.schema), *sources.account_tables(self.schema)]
        return self._each(
            names,
            lambda table: [{"table": table, "rows": self.schema.rows(f"SELECT count(*) FROM {quoted(table)}")[0][0]}],
        )

    # -------------------------------------------------------------------------
    # WHAT COULD GO WRONG
    # -------------------------------------------------------------------------

    def _judge(self):
        answer, risk = self.answer, self.answer["risks"].append
        if not answer["links"] and not answer["accounts"]:
            risk("No connection of an earlier module was found: there is nothing to take over.")
        for problem in self.problems:
            risk(
                f"{problem.table} can't be read ({problem.text}). It is left as it is and told; the rest is taken over."
            )
        for module in answer["modules"]:
            if module["name"] == OURS and module["state"] == "installed" and answer["links"]:
                risk(
                    f"Odoo believes that {OURS} {module['version']} is installed. If that was another module of the "
                    "same name, update it (-u) instead of installing it; the update takes everything over."
                )
            elif module["name"] in MODULES[1:] and module["state"] == "installed":
                risk(f"{module['name']} is installed. Leave it so: uninstalling it first would delete its columns.")
        for link in answer["links"]:
            if not link["company_id"]:
                risk(
                    f"{link['table']} {link['row']} ({link['name']}) has no company: it goes to that of its journals, "
                    "else to the main one."
                )
        for account in answer["accounts"]:
            told = f"{account['table']} {account['row']} ({account['name']})"
            if not account["link_row"]:
                risk(f"{told} belongs to no connection: it is listed under “Unknown (legacy)”.")
            if account["journal_id"] and not _is_full(account["number"]):
                risk(
                    f"{told} has no full account number: when you connect the bank anew, check that its journal "
                    f"({account['journal_id']}) is the one proposed. A bank account on the journal would help."
                )
        self._judge_journals(risk)

    def _judge_journals(self, risk):
        known = {account["journal_id"] for account in self.answer["accounts"]}
        for journal in self.answer["journals"]:
            told = f"Journal {journal['id']} ({journal['name']})"
            if journal["identifiers"] and journal["id"] not in known:
                risk(f"{told} has synchronized lines but no bank account: it gets one under “Unknown (legacy)”.")
            if journal["identifiers_twice"]:
                risk(
                    f"{told}: {journal['identifiers_twice']} lines repeat the transaction id of another one. They may "
                    "have been imported twice; all of them are kept."
                )
            if not journal["identifiers"] and journal["lines"]:
                risk(
                    f"{told}: no line has a transaction id. Lines of the first new load are matched by day and amount."
                )


def _is_full(number):
    digits = "".join(character for character in number or "" if character.isalnum())
    return len(digits) >= 8 and "*" not in number and "xxx" not in number.lower()


def _plain(value):
    return value if value is None or isinstance(value, str | int) else str(value)


def tables(answer):
    """:return: the answer as :func:`reading.render` wants it"""
    titles = {
        "links": "Connections that will be disconnected",
        "accounts": "Bank accounts",
        "journals": "Journals that will offer Connect bank",
        "secrets": "Secrets that will be blanked",
        "scheduled_actions": "Scheduled actions that will be switched off",
        "modules": "Modules",
        "tables": "Tables that stay as they are",
    }
    found = [
        (title, list(answer[part][0]) if answer[part] else ["none"], [list(row.values()) for row in answer[part]])
        for part, title in titles.items()
    ]
    return [*found, ("What to look at", ["risk"], [[risk] for risk in answer["risks"]])]


if __name__ == "__main__":
    main()
