"""``odoo bank_sync doctor`` as an administrator runs it."""

import subprocess

from environment import odoo_command


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
    # The template of this database has keys of its own, which a copy can't read.
    installation.sql("UPDATE bank_sync_provider_setting SET encrypted_value = NULL")
    installation.sql("UPDATE ir_cron SET nextcall = now() + interval '1 hour'")
    before = installation.sql("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables ORDER BY 1")
    status, printed = doctor(installation)
    assert status == 0, printed
    for subject in ("version", "clock", "master key", "scheduled actions", "proxy's secrets", "PostgreSQL"):
        assert f"ok       {subject}: " in printed
    assert "0 problems." in printed
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
