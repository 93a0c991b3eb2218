"""From the dashboard's button to the books, over real HTTP, with the Demo Bank at the other end: in the same database,
and behind a proxy on another server."""

import pytest

from .books import assert_booked_since, assert_books_equal_the_bank
from .conftest import confirm_phone, demo


@pytest.fixture(scope="module", params=["embedded", "remote"])
def served(request):
    """A company that may connect banks: with the proxy in its own database, and with one on another server."""
    if request.param == "embedded":
        company = request.getfixturevalue("ordinary_company")
        company.start()
    else:
        company = request.getfixturevalue("remote")
        confirm_phone(company)
    return company


def page_for_choosing(visitor):
    """:return: address of the service's own page where a bank is chosen"""
    return demo["address_of_bank"](visitor.call("account.online.directory", "action_open_bank", False))


def start_connecting(installation, bank, code=None):
    """Walk through the bank's pages.

    :return: a visitor who is back at the choice of journals, and the id of that choice
    """
    visitor = installation.visitor()
    visitor.open(page_for_choosing(visitor) + "?country=")
    value = visitor.page.xpath(f"//button[@name='institution'][.//strong[text()='{bank}']]/@value")[0]
    visitor.submit("institution", value)
    visitor.submit("user", user="demo", password="demo")
    if code:
        visitor.submit("code", code=code)
    visitor.submit("accounts")
    return visitor, int(visitor.address.rstrip("/").rsplit("/", 1)[1])


def connect(installation, bank, code=None):
    """Connect a demo institution with a new journal for each account.

    :return: a visitor, and the id of the link
    """
    visitor, selection = start_connecting(installation, bank, code)
    visitor.call("account.online.account.selection", "action_confirm", [selection])
    installation.fetch_planned()
    return visitor, visitor.call("account.online.link", "search", [("name", "=", bank)])[-1]


def disconnect(visitor, link):
    """The next test starts without this bank."""
    visitor.call("account.online.link", "unlink", [link])


def test_the_journals_hold_exactly_what_the_bank_has_booked(served):
    visitor, link = connect(served, "Demo Bank")
    first = assert_books_equal_the_bank(served)
    assert first > 300

    served.run_scheduled_action()
    assert assert_books_equal_the_bank(served) == first, "the scheduled action found nothing new, and added nothing"

    served.move_demo_clock(24 * 12)
    assert (
        "New transactions"
        in visitor.call("account.online.link", "action_fetch_transactions", [link])["params"]["message"]
    )
    later = assert_booked_since(served)
    assert later > first

    served.move_demo_clock(24 * 40)
    visitor.call("account.online.link", "action_fetch_transactions", [link])
    assert assert_booked_since(served) > later
    served.move_demo_clock(0)
    disconnect(visitor, link)


def test_a_bank_that_wants_a_code_at_every_refresh(served):
    visitor, link = connect(served, "Demo Code Bank", code="123456")
    assert_books_equal_the_bank(served)
    served.move_demo_clock(24 * 3)

    action = visitor.call("account.online.link", "action_fetch_transactions", [link])
    visitor.open(demo["address_of_bank"](action))
    visitor.submit("code", code="000000")
    assert "Wrong code" in visitor.page.text_content()
    visitor.submit("code", code="123456")
    assert visitor.address.endswith(f"/{link}"), "the user is back at the connection"
    assert_booked_since(served)

    served.run_scheduled_action()
    state = visitor.call("account.online.link", "read", [link], ["error_code", "error_message"])[0]
    assert state["error_code"] == "challenge_required"
    assert "Synchronize Now" in state["error_message"]
    served.move_demo_clock(0)
    disconnect(visitor, link)


def test_a_bank_that_forbids_automatic_synchronization(served):
    visitor, link = connect(served, "Demo Attended Bank")
    assert visitor.call("account.online.link", "read", [link], ["auto_sync"])[0]["auto_sync"] is False

    visitor.call("account.online.link", "write", [link], {"auto_sync": True})
    served.run_scheduled_action()
    messages = served.shell(f"result = env['account.online.link'].browse({link}).message_ids.mapped('body')")
    assert "disable the automatic synchronization" in " ".join(messages)

    visitor.call("account.online.link", "action_fetch_transactions", [link])
    assert visitor.call("account.online.link", "read", [link], ["state"])[0]["state"] == "connected"
    disconnect(visitor, link)


def test_each_currency_has_its_own_journal(served):
    visitor, link = connect(served, "Demo World Bank")
    assert_books_equal_the_bank(served)
    currencies = served.shell(
        f"result = env['account.online.link'].browse({link}).journal_ids.mapped("
        "lambda j: (j.currency_id or j.company_id.currency_id).name)"
    )
    assert sorted(currencies) == ["EUR", "GBP", "USD"]
    disconnect(visitor, link)


def test_update_credentials_keeps_connection_accounts_and_journals(served):
    visitor, link = connect(served, "Demo Beta Bank")
    before = visitor.call("account.online.link", "read", [link], ["account_online_account_ids", "journal_ids"])
    visitor.open(demo["address_of_bank"](visitor.call("account.online.link", "action_update_credentials", [link])))
    visitor.submit("user", user="demo", password="wrong")
    assert "do not match" in visitor.page.text_content()
    visitor.submit("user", user="demo", password="demo")
    visitor.submit("accounts")
    after = visitor.call("account.online.link", "read", [link], ["account_online_account_ids", "journal_ids"])
    assert after == before
    assert_books_equal_the_bank(served)
    disconnect(visitor, link)


def test_leaving_the_banks_pages_leaves_nothing_behind(served):
    visitor = served.visitor()
    visitor.open(page_for_choosing(visitor))
    visitor.submit("action", "cancel")
    assert visitor.address.startswith(served.url + "/odoo")
    assert visitor.call("account.online.link", "search", [("name", "like", "Demo")]) == []
