"""A bank that is reached by Enable Banking, from its choice to its renewal, in a real browser.

Each station takes a picture. Only the first functions open and leave the bank's page.
"""

import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from playwright.sync_api import expect

from .conftest import a_company_with_books
from .enable_banking_bank import a_bank
from .test_browser import PATIENCE, a_tour_of

SWITCH_ON = """
provider = env["bank.sync.provider"].with_context(active_test=False).search([("code", "=", "enable_banking")])
provider.setting_ids = [(0, 0, {{"name": "base_url", "type": "text", "plain_value": {url!r}}})]
settings = provider.setting_ids.grouped("name")
settings["application_id"].value, settings["private_key"].long_value = "cf589be3-3755-465b-a8df-a90a16a31403", {key!r}
provider.action_test_keys()
assert provider.keys_state == "work", provider.keys_message
provider.active = True
env["bank.sync.institution"]._update_directory(provider)
env["ir.config_parameter"].set_param("web.base.url", {base!r})
"""
LINES = """
lines = env["account.bank.statement.line"].search([("online_account_id", "!=", False)], order="date, id")
result = [[line.online_transaction_identifier, line.amount] for line in lines]
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with a_bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture(scope="module")
def served(bank):
    with a_company_with_books() as copy:
        copy.start(cron_threads=1)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        copy.shell(SWITCH_ON.format(url=bank.url, key=key.decode(), base=copy.url))
        yield copy


@pytest.fixture
def tour(served):
    with a_tour_of(served) as tour:
        yield tour


# -------------------------------------------------------------------------
# TO THE BANK AND BACK
# -------------------------------------------------------------------------


def choose_the_bank(tour):
    tour.open("/odoo/accounting")
    tour.click("Connect bank", exact=True)
    tour.choose_bank("Mock Bank").click()


def answer_the_bank(bank, answer, picture=None):
    """On the bank's own page: give the consent, or refuse."""
    bank.sees("An application asks for your balances")
    if picture:
        bank.photograph(picture)
    bank.page.get_by_role("link", name=answer).click()


# -------------------------------------------------------------------------
# THE WAY
# -------------------------------------------------------------------------


def test_a_bank_is_connected_loaded_and_renewed(tour, served, bank):
    with tour.at_the_bank(lambda: choose_the_bank(tour)) as window:
        answer_the_bank(window, "Refuse", "enable_banking_bank")
        window.sees("No consent given")
        window.photograph("enable_banking_refused")
        window.click("Try again")
        answer_the_bank(window, "Allow")

    tour.sees("Everyday")
    tour.photograph("enable_banking_accounts")
    tour.click("Synchronize", exact=True)
    tour.open("/odoo/accounting")
    tour.sees(re.compile("Synchronized (just now|.* ago)"))
    assert served.shell(LINES) == [[f"r{number}", number + 0.5] for number in (5, 4, 3, 2, 1)]

    bank.rows.append(bank.row("r6", "60.00", 0))
    tour.page.get_by_text(re.compile("Synchronized (just now|.* ago)")).first.click()
    tour.sees("Automatic Synchronization")
    with tour.at_the_bank(lambda: tour.click("Update Credentials")) as window:
        answer_the_bank(window, "Allow")
    tour.sees("Automatic Synchronization")
    tour.click("Fetch Transactions")
    expect(tour.page.locator(".o_notification")).not_to_have_count(0, timeout=PATIENCE)
    tour.photograph("enable_banking_renewed")
    # The renewal has given the account another uid; its journal continues, and nothing is imported twice.
    assert served.shell(LINES) == [*([f"r{number}", number + 0.5] for number in (5, 4, 3, 2, 1)), ["r6", 60.0]]
    assert len(bank.sessions) == 2
    assert tour.errors == []
