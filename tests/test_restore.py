"""The restore drill: a machine is lost, another one takes its place 30 days later, and the books are those of a twin
that nothing has happened to. Days pass by the Demo Bank's clock."""

import subprocess
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from environment import odoo_command, paths

from .backups import back_up, restore
from .books import assert_booked_since
from .conftest import a_copy_of_the_template, demo
from .test_demo_bank import connect, start_connecting

BANK = "Demo Bank"
#: When the twin is synchronized while days pass.
DAYS = (4, 11, 18, 25, 30)
#: What of the books can be lost or doubled. Texts and partners are in it: they have to be the bank's, too.
LINES = """
lines = env["account.bank.statement.line"].search([("online_account_id", "!=", False)])
result = sorted(
    [line.journal_id.name, str(line.date), line.online_transaction_identifier, line.amount, line.payment_ref,
     line.partner_name, line.account_number, line.running_balance, str(line.statement_id.online_period_start)]
    for line in lines
)
"""
PREPARE = """
# The key that the template has was made under another name: a copy can't read it.
setting = env["bank.sync.provider"].search([("code", "=", "sandbox")]).setting_ids
setting.filtered(lambda one: one.name == "webhook_secret").value = "a key of a provider, long enough"
company = env.ref("base.main_company").partner_id
company.message_post(body="The contract", attachments=[("contract.txt", b"signed " * 1000)])
"""
ATTACHED = "result = env['ir.attachment'].search([('name', '=', 'contract.txt')]).raw.decode()"


def lines(company):
    return company.shell(LINES)


def let_days_pass(company, *days):
    for day in days:
        company.move_demo_clock(24 * day)
        company.run_scheduled_action()


def link_of(company):
    names = ["state", "error_code", "error_message", "error_action"]
    return company.visitor().call("account.online.link", "search_read", [("name", "=", BANK)], names)[0]


def doctor(installation):
    """:return: what ``odoo bank_sync doctor`` prints of problems"""
    command = ("bank_sync", "doctor", "-d", installation.name, "--log-level=critical", "-c", installation.configuration)
    done = subprocess.run(
        odoo_command.line(*command), env=odoo_command.environment(), capture_output=True, text=True, check=False
    )
    return "\n".join(line for line in done.stdout.splitlines() if line.startswith("PROBLEM"))


def reconnect(company, page=None):
    """Follow *Reconnect* through the bank's pages, back to the connection.

    :param page: the action that shows the bank's page; None to press *Reconnect*
    """
    visitor, link = company.visitor(), link_of(company)["id"]
    page = page or visitor.call("account.online.link", "action_reconnect", [link])
    visitor.open(demo["address_of_bank"](page) + "?country=")
    if choice := visitor.page.xpath(f"//button[@name='institution'][.//strong[text()='{BANK}']]/@value"):
        visitor.submit("institution", choice[0])
    visitor.submit("user", user="demo", password="demo")
    visitor.submit("accounts")
    assert visitor.address.endswith(f"/{link}"), "accounts are recognised, so there is nothing to choose"
    company.fetch_planned()
    company.run_scheduled_action()


def assert_the_rest_works(company):
    """Books that need no bank: they are read, and written."""
    visitor = company.visitor()
    journal = visitor.call("account.journal", "search", [("type", "=", "bank")])[0]
    values = {"journal_id": journal, "payment_ref": "Typed", "amount": 12.5}
    line = visitor.call("account.bank.statement.line", "create", [values])
    visitor.call("account.bank.statement.line", "unlink", line)


# -------------------------------------------------------------------------
# ONE DATABASE WITH BOTH ADDONS
# -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    """A company with an embedded proxy: its backup, and its books as they are 30 days later without any trouble."""
    folder = tmp_path_factory.mktemp("drill")
    with a_copy_of_the_template(*paths.EMBEDDED) as company:
        company.prepare_company()
        company.start()
        connect(company, BANK)
        company.shell(PREPARE)
        backup = back_up(company, folder / "backup")
        first = lines(company)
        let_days_pass(company, *DAYS)
        yield SimpleNamespace(company=company, backup=backup, first=first, twin=lines(company), folder=folder)


@contextmanager
def another_machine(drill, with_key=True):
    """:return: the company on another machine, 30 days after its backup, with nobody's help"""
    restore(drill.company, drill.backup, drill.folder / "machine", with_key)
    drill.company.start()
    let_days_pass(drill.company, DAYS[-1])
    yield drill.company
    drill.company.stop()


def test_restored_installation_has_the_books_of_its_undisturbed_twin(drill):
    with another_machine(drill) as company:
        assert len(drill.twin) > len(drill.first) > 300, "30 days have brought something"
        assert lines(company) == drill.twin
        assert_booked_since(company)
        assert link_of(company)["state"] == "connected"
        assert company.shell(ATTACHED) == "signed " * 1000, "the files are restored, too"
        assert "secrets" not in doctor(company) and "master key" not in doctor(company)


def test_dump_without_its_key_says_what_is_lost_and_reconnecting_brings_the_rest(drill):
    with another_machine(drill, with_key=False) as company:
        assert "PROBLEM  proxy's secrets: Bank Connection: 1 of 1 can't be read." in doctor(company)
        seen = link_of(company)
        assert (seen["error_code"], seen["error_action"]) == ("secrets_unreadable", "reconnect")
        assert "its key is missing" in seen["error_message"] and "Reconnect" in seen["error_message"]
        assert lines(company) == drill.first, "nothing is lost of what was imported"
        assert_the_rest_works(company)

        reconnect(company)
        assert lines(company) == drill.twin
        assert_booked_since(company)
        assert link_of(company)["state"] == "connected"
        assert start_connecting(company, "Demo World Bank"), "another bank can be connected"
