"""``odoo bank_sync doctor`` as an administrator runs it."""

import re
import shlex
import subprocess

import pytest

from environment import odoo_command, paths

from .conftest import PROXY_SERVER, a_copy_of_the_template


def doctor(installation, *options):
    """:return: (exit status, what it printed)"""
    done = subprocess.run(
        odoo_command.line("bank_sync", "doctor", "-d", installation.name, "--log-level=warn", *options),
        env=odoo_command.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_doctor_examines_both_addons_and_changes_nothing(installation):
    # The template of this database has other keys, which a copy can't read.
    installation.sql("UPDATE bank_sync_provider_setting SET encrypted_value = NULL")
    installation.sql("UPDATE ir_cron SET nextcall = now() + interval '1 hour'")
    before = installation.sql("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables ORDER BY 1")
    status, printed = doctor(installation)
    assert status == 0, printed
    for subject in ("version", "clock", "master key", "scheduled actions", "proxy's secrets", "PostgreSQL"):
        assert f"ok       {subject}: " in printed
    assert "0 problems." in printed
    assert set(re.findall(r"^ok +version: (\w+) ", printed, re.MULTILINE)) == set(paths.ADDONS)
    assert before == installation.sql(
        "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables ORDER BY 1"
    )


def test_doctor_names_what_is_wrong_and_ends_with_an_error(installation):
    installation.sql("UPDATE ir_cron SET nextcall = now() - interval '3 hours'")
    status, printed = doctor(installation)
    assert status == 1
    assert "PROBLEM  scheduled actions: “Bank Synchronization: fetch transactions” should have run at" in printed


def test_doctor_of_a_database_without_the_addons_says_so(installation):
    done = subprocess.run(
        odoo_command.line("bank_sync", "doctor", "-d", "postgres", "--log-level=critical"),
        env=odoo_command.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0


@pytest.mark.parametrize(
    ("addons", "column"),
    [
        (("account_online_synchronization",), "account_online_link.error_at"),
        (PROXY_SERVER, "bank_sync_client.confirmed_url"),
    ],
    ids=["database", "proxy"],
)
def test_doctor_says_what_to_type_where_files_were_replaced_and_no_update_was_run(addons, column):
    addon, (table, name) = addons[-1], column.split(".")
    with a_copy_of_the_template(*addons) as one:
        one.sql(f"UPDATE ir_module_module SET latest_version = '19.0.0.9' WHERE name = '{addon}'")
        # What the files know and the database does not have yet.
        one.sql(f"ALTER TABLE {table} DROP COLUMN {name} CASCADE")
        status, printed = doctor(one)
        assert status == 1
        (problem,) = (line for line in printed.splitlines() if line.startswith("PROBLEM"))
        assert problem.startswith(f"PROBLEM  version: {addon} is 19.0.0.9 in the database and 19.0.")

        one.odoo(*shlex.split(re.search(r"run: odoo (.+)$", problem)[1]), "--no-http")
        _status, printed = doctor(one)
        assert re.search(f"^ok +version: {addon} 19.0.", printed, re.MULTILINE)
        assert "checks" in printed and "Solve these first" not in printed
