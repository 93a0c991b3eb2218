"""``migration/audit.py`` reads databases of any version; what it reports, and that it changes nothing.

How it and ``migration/verify.py`` are used around an installation is in test_migration.py.
"""

import json
import runpy
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

ROOT = Path(__file__).parents[1]
AUDIT = runpy.run_path(str(ROOT / "migration" / "audit.py"))
VERIFY = runpy.run_path(str(ROOT / "migration" / "verify.py"))

#: A database as Odoo 12 made them: lines have day and journal themselves, scheduled actions have a model.
ODOO_12 = """
    CREATE SCHEMA old; SET search_path TO old;
    CREATE TABLE res_company (id serial, name varchar);
    INSERT INTO res_company (name) VALUES ('Company');
    CREATE TABLE ir_module_module (name varchar, state varchar, latest_version varchar);
    INSERT INTO ir_module_module VALUES ('account_online_sync', 'installed', '12.0.1.0'), ('base', 'installed', '12.0');
    CREATE TABLE ir_cron (id serial, cron_name varchar, active bool, model varchar);
    INSERT INTO ir_cron (cron_name, active, model) VALUES ('Fetch', TRUE, 'account.online.provider'),
        ('Fetch no more', FALSE, 'account.online.provider'), ('Other', TRUE, 'res.partner');
    CREATE TABLE account_journal (id serial, name varchar, company_id int, bank_statements_source varchar,
        bank_statement_creation varchar, account_online_journal_id int);
    INSERT INTO account_journal (name, company_id, bank_statements_source, bank_statement_creation,
        account_online_journal_id) VALUES ('=Bank', 1, 'online_sync', 'bimonthly', 1), ('Cash', 1, NULL, 'none', NULL);
    CREATE TABLE account_bank_statement_line (id serial, journal_id int, date date, amount numeric,
        online_identifier varchar);
    INSERT INTO account_bank_statement_line (journal_id, date, amount, online_identifier) VALUES
        (1, '2019-01-02', 10.10, 'X'), (1, '2019-01-05', -3, 'X'), (1, '2019-01-03', 1, ' '),
        (2, '2019-01-03', 7, NULL);
    CREATE TABLE account_online_provider (id serial, name varchar, provider_type varchar, company_id int,
        last_refresh timestamp, ponto_token varchar);
    INSERT INTO account_online_provider (name, provider_type, company_id, last_refresh, ponto_token)
        VALUES ('Old Bank', 'ponto', 1, '2019-01-06 12:00', 'hush-hush');
    CREATE TABLE account_online_journal (id serial, name varchar, account_online_provider_id int, last_sync date,
        account_number varchar);
    INSERT INTO account_online_journal (name, account_online_provider_id, last_sync, account_number)
        VALUES ('Current', 1, '2019-01-05', 'x123'), ('Lost', 9, NULL, NULL);
"""


@pytest.fixture(scope="module")
def answer(company):
    """What the audit says of such a database."""
    with closing(psycopg2.connect(dbname=company.name)) as connection, connection.cursor() as cr:
        cr.execute(ODOO_12)
        yield AUDIT["audit"](cr)


def test_audit_reports_connections_accounts_and_last_days(answer):
    (link,) = answer["links"]
    assert (link["name"], link["provider"], link["last_refresh"]) == ("Old Bank", "ponto", "2019-01-06 12:00:00")
    assert [(one["name"], one["last_sync"], one["journal_id"]) for one in answer["accounts"]] == [
        ("Current", "2019-01-05", 1),
        ("Lost", None, None),
    ]


def test_audit_reports_the_sum_of_a_journal_s_lines(answer):
    (journal,) = answer["journals"]
    assert journal == {
        **{"id": 1, "name": "=Bank", "company_id": 1, "feed": "online_sync", "periodicity": "bimonthly"},
        **{"lines": 3, "amount": "8.10", "last_line_id": 3, "first_day": "2019-01-02", "last_day": "2019-01-05"},
        **{"identifiers": 2, "identifiers_twice": 1},
    }


def test_audit_reports_where_secrets_are_and_never_their_values(answer):
    assert answer["secrets"] == [{"table": "account_online_provider", "column": "ponto_token", "rows": 1}]
    assert "hush" not in json.dumps(answer)


def test_audit_reports_which_scheduled_actions_continue(answer):
    assert [one["name"] for one in answer["scheduled_actions"]] == ["Fetch"]


def test_audit_reports_risks(answer):
    risks = "\n".join(answer["risks"])
    for words in (
        "account_online_sync is installed. Leave it so",
        "no full account number",
        "(Lost) belongs to no connection",
        "1 lines repeat the transaction id",
    ):
        assert words in risks


@pytest.mark.parametrize("form", ["text", "csv"])
def test_it_can_be_read_by_people_and_by_spreadsheets(answer, form, capsys):
    AUDIT["write"](answer, AUDIT["tables"](answer), form)
    printed = capsys.readouterr().out
    for words in ("Old Bank", "ponto_token", "2019-01-05", "Fetch", "Leave it so"):
        assert words in printed
    # Why: a spreadsheet would calculate it.
    assert form == "text" or "'=Bank" in printed


def test_a_database_without_an_earlier_module_has_nothing_to_take_over(company):
    with closing(psycopg2.connect(dbname=company.name)) as connection, connection.cursor() as cr:
        assert "nothing to take over" in AUDIT["audit"](cr)["risks"][0]


def test_from_the_command_line_it_changes_nothing_and_refuses_to(company):
    command = [sys.executable, str(ROOT / "migration" / "audit.py"), company.name, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["database"] == company.name
    with AUDIT["connected"](company.name) as cr, pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        cr.execute("CREATE TABLE scratch ()")


def test_in_the_shell_of_odoo_it_says_the_same(company):
    script = f"import runpy\nrunpy.run_path({str(ROOT / 'migration' / 'audit.py')!r})['in_odoo'](env)"
    printed = company.odoo("shell", "-d", company.name, "--no-http", "--log-level=warn", stdin=script)
    assert "Connections that will be disconnected (0)" in printed


def test_failed_installation_is_not_reported_as_success(answer, company):
    with closing(psycopg2.connect(dbname=company.name)) as connection, connection.cursor() as cr:
        cr.execute("CREATE SCHEMA empty; SET search_path TO empty")
        assert not VERIFY["verify"](cr, answer)["sound"]
