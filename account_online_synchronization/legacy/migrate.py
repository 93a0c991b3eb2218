"""Runs the migration step by step. A failed step is rolled back and reported, and the next one continues.

Each migrated row has a marker (table of origin and id of the row), so that a second call migrates only new rows, and
records that users have deleted are not created again.
"""

from dataclasses import dataclass, field

from . import crons
from .accounts import take_accounts, take_lost_journals
from .journals import free_journals, mark
from .lines import take_lines
from .links import take_links
from .names import MARKER
from .schema import Schema
from .secrets import blank_secrets
from .sources import account_tables, link_tables


@dataclass
class Report:
    """The result of one call."""

    #: id of each new link.
    links: list = field(default_factory=list)
    #: id of each new account.
    accounts: list = field(default_factory=list)
    #: id of each journal that can be connected again.
    journals: list = field(default_factory=list)
    lines: int = 0
    #: names of scheduled actions that were disabled.
    crons: list = field(default_factory=list)
    #: number of rows by (table, column).
    secrets: dict = field(default_factory=dict)
    #: :class:`~.schema.Problem`: warnings, and rows that could not be migrated.
    problems: list = field(default_factory=list)

    def __bool__(self):
        return bool(self.links or self.accounts or self.journals or self.crons or self.secrets or self.problems)


class Migration:
    """The state that the steps share.

    :param dict defaults: value by column, by table of this addon: values of new rows besides migrated ones
    """

    def __init__(self, cr, defaults):
        self.schema = Schema(cr)
        self.defaults = defaults
        self.report = Report()

    def insert(self, table, values, source):
        """SQL that inserts rows into a table of this addon.

        :param dict values: SQL by column
        :param str source: the FROM clause
        :return: (statement, parameters)
        """
        fixed = {name: value for name, value in self.defaults.get(table, {}).items() if name not in values}
        values = {
            **values,
            **{name: f"%(default_{name})s" for name in fixed},
            "create_uid": "1",
            "write_uid": "1",
            "create_date": "now() at time zone 'UTC'",
            "write_date": "now() at time zone 'UTC'",
        }
        statement = f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {source}"
        return statement, {f"default_{name}": value for name, value in fixed.items()}

    def in_halves(self, table, ids, work):
        """Process all rows at once; retry by halves after a failure, so that a bad row does not stop others.

        :param work: called with a list of ids
        """
        failed = []
        with self.schema.attempt(failed, table, ids[0] if len(ids) == 1 else None):
            work(ids)
        if failed and len(ids) > 1:
            middle = len(ids) // 2
            self.in_halves(table, ids[:middle], work)
            self.in_halves(table, ids[middle:], work)
        else:
            self.report.problems += failed

    def number_rows(self, staged, table, keep):
        """Assign to the rows of a temporary table their ids in a table of this addon.

        :param bool keep: keep their old ids if these are free, because chatter and attachments refer to them
        """
        if keep:
            self.schema.execute(
                f"UPDATE {staged} SET new_id = row_id WHERE row_id > 0"
                f" AND NOT EXISTS (SELECT FROM {table} WHERE id = row_id)"
            )
        sequence = f"pg_get_serial_sequence('{table}', 'id')"
        self.schema.execute(
            f"SELECT setval({sequence}, GREATEST((SELECT max(new_id) FROM {staged}), nextval({sequence})))"
            f" WHERE EXISTS (SELECT FROM {staged} WHERE new_id IS NOT NULL)"
        )
        self.schema.execute(f"UPDATE {staged} SET new_id = nextval({sequence}) WHERE new_id IS NULL")


def migrate(cr, defaults):
    """Create links, accounts and known transactions from the tables of earlier modules.

    :param cr: cursor of psycopg2, or one of Odoo's; nothing is committed
    :param dict defaults: see :class:`Migration`
    :return: :class:`Report`
    """
    migration = Migration(cr, defaults)
    schema, report = migration.schema, migration.report
    for table in link_tables(schema):
        with schema.attempt(report.problems, table):
            take_links(migration, table)
    for table in account_tables(schema):
        with schema.attempt(report.problems, table):
            take_accounts(migration, table)
    with schema.attempt(report.problems, "account_journal"):
        take_lost_journals(migration)
    if report.accounts:
        with schema.attempt(report.problems, "account_bank_statement_line"):
            take_lines(migration)
    with schema.attempt(report.problems, "account_journal"):
        free_journals(migration)
    with schema.attempt(report.problems, "ir_cron"):
        report.crons = crons.switch_off(schema)
    report.secrets = blank_secrets(schema, report.problems)
    with schema.attempt(report.problems, MARKER):
        _store_problems(migration)
    return report


def _store_problems(migration):
    """Store the problems in the records that users see."""
    for problem in migration.report.problems:
        mark(migration, "problem", problem.table, problem.row_id, text=problem.text)
    # Why: users who open a connection see problems of its row and of its accounts.
    migration.schema.execute(
        f"""
        UPDATE {MARKER} problem
           SET account_online_link_id = found.account_online_link_id, company_id = found.company_id
          FROM {MARKER} found
         WHERE problem.kind = 'problem' AND found.kind IN ('link', 'account') AND problem.account_online_link_id IS NULL
           AND found.source = problem.source AND found.row_id = problem.row_id
        """
    )
