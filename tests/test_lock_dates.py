"""A lock date that is set in another transaction, while a bank is asked or while its lines are stored."""

from pathlib import Path

import pytest

BEGIN = """
import runpy
slow_bank = runpy.run_path({path!r})
from datetime import date, timedelta
import psycopg2
LOCKED = date.today() - timedelta(days=3)
def lock(day):
    with env.registry.cursor() as cr:
        cr.execute("SET LOCAL lock_timeout = '500ms'")
        cr.execute("UPDATE res_company SET fiscalyear_lock_date = %s WHERE id = 1", [day])
def stored():
    env.invalidate_all()
    lines = env["account.bank.statement.line"].search([("online_account_id", "!=", False)])
    kept = env["account.online.transaction"].search([])
    return {{
        "days": sorted({{str(line.date) for line in lines}}),
        "lines": len(lines),
        "locked": len(kept.filtered(lambda one: one.reason_code == "locked")),
        "locked_day": str(LOCKED),
    }}
"""

#: The days are locked between the request and the answer, of the first request only.
WHILE_ASKED = """
class Bank(slow_bank["SlowBank"]):
    def transactions_list(self, connection_id):
        if not self.has_locked:
            self.has_locked = True
            lock(LOCKED)
        return super().transactions_list(connection_id)
bank = Bank(known=18)
bank.has_locked = False
bank.connect(env)
for _action in range(2):
    # Odoo executes the action again, because the link stays due.
    env["account.online.link"]._cron_synchronize()
result = stored()
"""

#: The days are locked while the lines are stored: this has to wait until they are.
WHILE_STORED = """
from odoo.addons.account_online_synchronization.books import apply
write, tried = apply.Storing._write, []
def write_and_let_lock(self, *args):
    try:
        lock(LOCKED)
        tried.append("locked")
    except psycopg2.errors.LockNotAvailable:
        tried.append("has to wait")
    return write(self, *args)
apply.Storing._write = write_and_let_lock
bank = slow_bank["SlowBank"](known=18)
bank.connect(env)
env["account.online.link"]._cron_synchronize()
lock(LOCKED)
result = {**stored(), "tried": tried}
"""


@pytest.fixture
def fresh(company):
    """A company with one link without stored transactions."""
    begin = BEGIN.format(path=str(Path(__file__).with_name("slow_bank.py")))
    company.sql("UPDATE res_company SET fiscalyear_lock_date = NULL")
    company.shell(
        begin
        + "links = env['account.online.link'].search([])\n"
        + "links or slow_bank['connect'](env, 1, known=0)\n"
        + "env['account.bank.statement'].search([]).unlink()\n"
        + "env['account.bank.statement.line'].search([]).with_context(online_withdrawn=True).unlink()\n"
        + "env['account.online.transaction'].search([]).unlink()\n"
        + "env['account.online.account'].search([]).write({'last_sync': False, 'start_date': False})\n"
        + "env['account.online.link'].search([]).write({'next_refresh': False})\n"
        + "result = True\n"
    )
    return company, begin


def test_a_lock_set_during_the_request_keeps_its_days_out(fresh):
    company, begin = fresh
    stored = company.shell(begin + WHILE_ASKED)
    assert stored["lines"] + stored["locked"] == 18
    assert stored["lines"] and stored["locked"]
    assert min(stored["days"]) > stored["locked_day"]


def test_a_lock_waits_for_the_lines_that_are_being_stored(fresh):
    company, begin = fresh
    stored = company.shell(begin + WHILE_STORED)
    assert stored["tried"] == ["has to wait"]
    assert (stored["lines"], stored["locked"]) == (18, 0)
