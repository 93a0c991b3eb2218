"""The restore drill: a machine is lost, another one takes its place 30 days later, and the books are those of a twin
that nothing has happened to. Days pass by the Demo Bank's clock."""

import subprocess
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from environment import odoo_command, paths

from .backups import back_up, restore
from .books import assert_booked_since
from .conftest import a_company_behind_a_proxy, a_copy_of_the_template, confirm_phone, demo
from .renewed_tokens_bank import (
    CONNECT_REVOLUT,
    CONSENT,
    FIND_REVOLUT,
    REVOLUT,
    SYNCHRONIZE,
    TAKE_OVER,
    revolut,
)
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
    """:return: the company on another machine, 30 days after its backup, without manual steps"""
    restore(drill.company, drill.backup, drill.folder / "machine", with_key=with_key)
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


# -------------------------------------------------------------------------
# POINT-IN-TIME RECOVERY
# -------------------------------------------------------------------------


def test_installation_that_went_back_before_a_consents_renewal_asks_for_another(tmp_path):
    """What the provider keeps does not go back: the renewal has replaced yesterday's token."""
    with revolut() as (address, bank), a_copy_of_the_template(*paths.EMBEDDED) as company:
        company.prepare_company()
        bank.book(1, days_ago=3)
        begun = CONNECT_REVOLUT.format(address=address) + CONSENT.format(kind="connect")
        company.shell(begun + TAKE_OVER)
        company.run_scheduled_action()
        backup = back_up(company, tmp_path / "yesterday")

        bank.book(2, days_ago=2)
        renew = FIND_REVOLUT + CONSENT.format(kind="renew") + SYNCHRONIZE
        company.shell(renew)
        assert company.shell(REVOLUT) == ["connected", None, None, "", ["r1", "r2"]]

        restore(company, backup, tmp_path / "machine")
        bank.book(3, days_ago=1)
        company.run_scheduled_action()
        _state, code, action, sentence, known = company.shell(REVOLUT)
        assert (code, action) == ("consent_revoked", "renew")
        assert "Renew" in sentence or "Reconnect" in sentence, "it says what to do"
        assert known == ["r1"], "nothing is lost of what was restored"

        company.shell(renew)
        assert company.shell(REVOLUT) == ["connected", None, None, "", ["r1", "r2", "r3"]]


# -------------------------------------------------------------------------
# A DATABASE AND A PROXY, ON SEPARATE SERVERS
# -------------------------------------------------------------------------


ACCEPT = "env['bank.sync.refused.database'].search([]).action_accept()"
#: Days of the backups of both, and the day on which the last of them has caught up.
BEGUN, BETWEEN, NOW, CAUGHT_UP = 0, 18, 30, 33


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """A company and its proxy: backups of both by day, and the books of the last day without any trouble."""
    folder = tmp_path_factory.mktemp("apart")
    with a_company_behind_a_proxy() as company:
        confirm_phone(company)
        connect(company, BANK)
        backups = {BEGUN: back_up_both(company, folder / "begun")}
        let_days_pass(company, *(day for day in DAYS if day <= BETWEEN))
        backups[BETWEEN] = back_up_both(company, folder / "between")
        let_days_pass(company, *(day for day in DAYS if day > BETWEEN))
        backups[NOW] = back_up_both(company, folder / "now")
        let_days_pass(company, CAUGHT_UP)
        yield SimpleNamespace(company=company, backups=backups, twin=lines(company), folder=folder)


def back_up_both(company, folder):
    return back_up(company, folder / "company"), back_up(company.proxy, folder / "proxy")


def begin(apart, company, proxy, keyless=None, is_copy=False):
    """Each goes back to a different day, as point-in-time recovery does; then it is the last day.

    :param int company: the day of its backup, and ``proxy``
    :param str keyless: ``company`` or ``proxy`` if its key was not kept
    :param bool is_copy: the company comes from a dump
    """
    one = apart.company
    one.stop()
    of_proxy = {"with_key": keyless != "proxy", "with_oid": True}
    restore(one.proxy, apart.backups[proxy][1], apart.folder / "proxy-machine", **of_proxy)
    one.proxy.start()
    of_company = {"with_key": keyless != "company", "with_oid": not is_copy}
    restore(one, apart.backups[company][0], apart.folder / "company-machine", **of_company)
    one.start()
    let_days_pass(one, CAUGHT_UP)
    return one


def assert_like_the_twin(apart):
    """Nothing was lost or duplicated, and no user has to do anything."""
    seen = link_of(apart.company)
    assert (seen["state"], seen["error_code"]) == ("connected", False)
    assert lines(apart.company) == apart.twin


def assert_asks_to_reconnect(company, code):
    seen = link_of(company)
    assert (seen["error_code"], seen["error_action"]) == (code, "reconnect")
    assert "Reconnect" in seen["error_message"], "it says what to do"
    assert_the_rest_works(company)


def reconnect_with_phone(company):
    """*Reconnect* of a database that its service does not know any more: the phone first."""
    action = company.visitor().call("account.online.link", "action_reconnect", [link_of(company)["id"]])
    reconnect(company, confirm_phone(company, action))


@pytest.mark.parametrize(
    ("company", "proxy"),
    [(BEGUN, NOW), (NOW, BEGUN), pytest.param(BEGUN, BETWEEN, marks=pytest.mark.thorough)],
)
def test_database_and_proxy_that_went_back_to_different_days_catch_up(apart, company, proxy):
    begin(apart, company, proxy)
    assert_like_the_twin(apart)


def test_database_from_a_dump_catches_up_once_support_has_accepted_it(apart):
    """For the proxy, a dump is a copy until support confirms that it is the original."""
    company = begin(apart, BEGUN, NOW, is_copy=True)
    assert_asks_to_reconnect(company, "database_copied")
    ((digest,),) = company.proxy.sql("SELECT digest FROM bank_sync_refused_database")
    code = f"{digest[:4]}-{digest[4:8]}-{digest[8:12]}"
    assert code in link_of(company)["error_message"], "its users can read it to support"
    assert "Accept New Database" in doctor(company)
    assert code in doctor(company)

    company.proxy.shell(ACCEPT)
    company.shell("env['account.online.service']._cron_look_after()")
    company.run_scheduled_action()
    assert_like_the_twin(apart)


@pytest.mark.thorough
def test_database_from_a_dump_registers_again_without_support(apart):
    company = begin(apart, BEGUN, NOW, is_copy=True)
    reconnect_with_phone(company)
    assert_like_the_twin(apart)


@pytest.mark.thorough
def test_proxy_without_its_key_says_so_and_databases_register_again(apart):
    company = begin(apart, NOW, NOW, keyless="proxy")
    assert "Bank Connection: 1 of 1 can't be read" in doctor(company.proxy)
    assert_asks_to_reconnect(company, "signature_rejected")

    reconnect_with_phone(company)
    assert_like_the_twin(apart)


@pytest.mark.thorough
def test_database_without_its_key_says_so_and_registers_again(apart):
    company = begin(apart, NOW, NOW, keyless="company")
    assert "PROBLEM  master key: This database is a copy" in doctor(company)
    assert_asks_to_reconnect(company, "registration_unreadable")

    reconnect_with_phone(company)
    assert_like_the_twin(apart)


@pytest.mark.thorough
def test_database_whose_secret_was_rotated_since_the_proxys_backup_registers_again(apart):
    company = begin(apart, NOW, NOW)
    company.shell("env['account.online.service']._cron_rotate_secret()")
    company.run_scheduled_action()
    restore(company.proxy, apart.backups[NOW][1], apart.folder / "proxy-machine", with_oid=True)
    company.proxy.start()
    let_days_pass(company, CAUGHT_UP)
    assert_asks_to_reconnect(company, "signature_rejected")

    reconnect_with_phone(company)
    assert_like_the_twin(apart)
