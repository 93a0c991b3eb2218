"""Two servers, two databases, and all that may come between them. Real Odoo, real HTTP, real signatures; text messages
end in a gateway of our own."""

import threading
import time

import pytest

from .books import assert_booked_since, assert_books_equal_the_bank
from .conftest import a_copy_of, confirm_phone, demo
from .test_demo_bank import connect

BANK = "Demo Bank"


@pytest.fixture(scope="module")
def connected(remote):
    """:return: the company, and the id of a link whose journals are filled"""
    confirm_phone(remote)
    _visitor, link = connect(remote, BANK)
    return remote, link


@pytest.fixture
def link(connected):
    return connected[1]


@pytest.fixture
def company(connected):
    """Whatever a test does to it, the next one begins with a link that works."""
    company, link = connected
    yield company
    if company.proxy.server.poll() is not None:
        company.proxy.start()
    assert read(company, link)["state"] == "connected"


def read(company, link):
    names = ["state", "error_code", "error_message", "error_action"]
    return company.visitor().call("account.online.link", "read", [link], names)[0]


def fetch(company, link):
    return company.visitor().call("account.online.link", "action_fetch_transactions", [link])


def chatter(company, link):
    return " ".join(company.shell(f"result = env['account.online.link'].browse({link}).message_ids.mapped('body')"))


def client(company, do):
    """Do something with the company's record at the proxy, as support does."""
    company.proxy.shell(f"client = env['bank.sync.client'].search([('is_embedded', '=', False)])\n{do}")


def test_the_first_bank_asks_for_a_phone_and_the_books_equal_the_bank(company, link):
    assert assert_books_equal_the_bank(company) > 300
    company.run_scheduled_action()
    company.move_demo_clock(24 * 5)
    fetch(company, link)
    assert_booked_since(company)
    assert read(company, link)["state"] == "connected"


def test_no_secret_of_the_bank_or_of_the_proxy_is_in_the_database(company):
    rows = company.sql("SELECT secret_data, client_identifier FROM account_online_service")
    assert rows[0][0].startswith("gAAAA"), "encrypted"
    assert (
        rows[0][1] == company.proxy.sql("SELECT identifier FROM bank_sync_client WHERE is_embedded IS NOT TRUE")[0][0]
    )


def test_a_proxy_that_dies_during_a_request_loses_nothing(company, link):
    company.move_demo_clock(24 * 8)
    company.proxy.freeze()
    done = threading.Thread(target=fetch, args=(company, link))
    done.start()
    time.sleep(3)
    company.proxy.kill()
    done.join()
    seen = read(company, link)
    assert (seen["state"], seen["error_action"]) == ("error", "retry")
    assert "broke off before the answer was complete" in seen["error_message"]

    company.run_scheduled_action()
    assert "Nothing is listening" in read(company, link)["error_message"]

    company.proxy.start()
    company.run_scheduled_action()
    assert read(company, link)["state"] == "connected"
    assert_booked_since(company)


def test_a_block_is_lifted_with_the_code_of_a_text_message(company, link):
    client(company, "client._block('Many wrong codes were entered.')")
    fetch(company, link)
    seen = read(company, link)
    assert (seen["error_code"], seen["error_action"]) == ("client_blocked", "reactivate")
    assert "Many wrong codes" in seen["error_message"]

    visitor = company.visitor()
    action = visitor.call("account.online.link", "action_reactivate", [link])
    wizard = visitor.call("account.online.phone", "read", [action["res_id"]], ["mode", "phone_hint", "reason"])[0]
    assert (wizard["mode"], wizard["phone_hint"]) == ("reactivate", "•••• 56")
    confirm_phone(company, action)
    assert read(company, link)["state"] == "connected"
    fetch(company, link)
    assert read(company, link)["state"] == "connected"


def test_user_of_a_client_blocked_by_support_is_referred_to_support(company, link):
    client(company, "client._block('Please call us.', by='support')")
    fetch(company, link)
    seen = read(company, link)
    assert (seen["error_code"], seen["error_action"]) == ("client_suspended", "contact_support")
    assert "Please call us." in seen["error_message"]
    client(company, "client._unblock()")
    company.run_scheduled_action()


def test_a_database_that_support_disconnects_reconnects_and_keeps_its_connections(company, link):
    client(company, "client._disconnect('The contract has ended.')")
    fetch(company, link)
    assert read(company, link)["error_code"] == "client_disconnected"
    assert "The contract has ended." in chatter(company, link)
    before = company.sql(f"SELECT connection_identifier FROM account_online_link WHERE id = {link}")
    action = company.visitor().call("account.online.link", "action_reconnect", [link])
    page = confirm_phone(company, action)
    assert demo["address_of_bank"](page).startswith(company.proxy.url + "/bank_sync/connect/")
    assert read(company, link)["state"] == "connected"
    fetch(company, link)
    assert_booked_since(company)
    assert company.sql(f"SELECT connection_identifier FROM account_online_link WHERE id = {link}") == before


def test_connection_ended_by_support_is_explained_and_recreated(company, link):
    lines = assert_booked_since(company)
    company.proxy.shell("env['bank.sync.connection'].search([('state', '=', 'connected')])._disconnect()")
    fetch(company, link)
    assert read(company, link)["state"] == "disconnected"
    assert "Use Reconnect" in chatter(company, link)

    visitor = company.visitor()
    visitor.open(demo["address_of_bank"](visitor.call("account.online.link", "action_reconnect", [link])) + "?country=")
    value = visitor.page.xpath(f"//button[@name='institution'][.//strong[text()='{BANK}']]/@value")[0]
    visitor.submit("institution", value)
    visitor.submit("user", user="demo", password="demo")
    visitor.submit("accounts")
    assert visitor.address.endswith(f"/{link}"), "accounts are recognised, so there is nothing to choose"
    company.fetch_planned()
    assert assert_booked_since(company) == lines


def test_database_is_notified_of_an_intervention_and_requests_its_state(company, link):
    client(company, "client._block('Please wait a moment.', by='support')")
    company.proxy.shell("env['bank.sync.event']._cron_deliver()")
    told = "SELECT kind FROM account_online_event WHERE is_handled IS NOT TRUE ORDER BY id"
    assert ["client.blocked"] in company.sql(told), "signed, and let in"
    look_after = "env.ref('account_online_synchronization.ir_cron_look_after').method_direct_trigger()"
    company.shell(look_after)
    state = "SELECT state, reason FROM account_online_service"
    assert company.sql(state) == [["blocked", "Please wait a moment."]], "nobody has pressed a button"

    client(company, "client._unblock()")
    company.proxy.shell("env['bank.sync.event']._cron_deliver()")
    company.shell(look_after)
    assert company.sql(state) == [["active", ""]]
    waiting = company.proxy.sql("SELECT count(*) FROM bank_sync_event WHERE state = 'pending'")
    assert waiting == [["0"]], "each was heard"


def test_the_secret_is_changed_while_everything_works(company, link):
    before = company.sql("SELECT secret_data FROM account_online_service")
    company.shell("env['account.online.service']._cron_rotate_secret()")
    assert company.sql("SELECT secret_data FROM account_online_service") != before
    fetch(company, link)
    assert read(company, link)["state"] == "connected"


def test_copy_registers_again_while_the_original_still_works(company, link):
    company.stop()
    with a_copy_of(company.name) as copy:
        company.start()
        copy.proxy = company.proxy
        copy.start()
        copy.set_parameters(web__base__url=copy.url)
        fetch(copy, link)
        seen = read(copy, link)
        assert (seen["state"], seen["error_code"]) == ("disconnected", "registration_unreadable")
        action = copy.visitor().call("account.online.link", "action_reconnect", [link])
        page = confirm_phone(copy, action, number="+32470654321")
        assert demo["address_of_bank"](page).startswith(company.proxy.url)
        fetch(company, link)
        assert read(company, link)["state"] == "connected"
    clients = company.proxy.sql("SELECT count(DISTINCT identifier) FROM bank_sync_client WHERE is_embedded IS NOT TRUE")
    assert clients == [["2"]]


def test_neutralized_copy_makes_no_requests(company, link):
    company.stop()
    with a_copy_of(company.name) as copy:
        company.start()
        copy.odoo("neutralize", "-d", copy.name)
        copy.start()
        fetch(copy, link)
        assert read(copy, link)["state"] == "disconnected"
        assert copy.sql("SELECT url, client_identifier, secret_data FROM account_online_service") == [["", "", ""]]
