"""The password that Odoo asks for before keys, the connection service or a consent change, as a person meets it."""

import time

from playwright.sync_api import expect

from .test_browser import PATIENCE, tour  # noqa: F401 (a fixture)

OURS = "cf589be3-3755-465b-a8df-a90a16a31403"
PROVIDERS = "/odoo/action-bank_sync_proxy.bank_sync_provider_action"


def confirm(window, password="admin"):
    dialog = window.page.get_by_role("dialog").filter(has_text="confirm it's you")
    expect(dialog).to_be_visible(timeout=PATIENCE)
    dialog.locator("input[type=password]").fill(password)
    dialog.get_by_role("button", name="Confirm Password").click()
    expect(dialog).to_have_count(0, timeout=PATIENCE)


def test_keys_of_a_provider_are_entered_after_the_password(tour, served):  # noqa: F811
    provider = served.shell("result = env.ref('bank_sync_proxy.bank_sync_provider_enable_banking').id")
    tour.open(f"{PROVIDERS}/{provider}")
    tour.sees("Keys are changed only after you have confirmed your password")
    expect(tour.page.get_by_label("Application ID")).to_be_disabled()
    expect(tour.page.get_by_label("Private key")).to_be_disabled()
    tour.photograph("identity_keys_locked")
    tour.click("Change Keys")
    tour.sees("confirm it's you")
    tour.photograph("identity_password")
    confirm(tour)
    expect(tour.page.get_by_role("button", name="Change Keys")).to_have_count(0, timeout=PATIENCE)
    tour.page.get_by_label("Application ID").fill(OURS)
    tour.page.locator(".o_form_button_save").click()
    expect(tour.page.locator(".o_form_button_save")).to_be_hidden(timeout=PATIENCE)
    tour.photograph("identity_keys_entered")
    assert served.sql("SELECT plain_value FROM bank_sync_provider_setting WHERE plain_value = '" + OURS + "'")
    assert tour.errors == []


def test_another_connection_service_is_saved_after_the_password(tour, served):  # noqa: F811
    tour.open("/odoo/settings#account")
    tour.page.locator(".settings_tab [data-key=account]").click()
    block = tour.page.locator("#online_sync_service")
    block.scroll_into_view_if_needed()
    block.get_by_label("Another Connection Service").check()
    block.get_by_label("Address", exact=True).fill("https://banks.example.com")
    tour.page.locator(".o_form_button_save").click()
    tour.sees("confirm it's you")
    assert served.sql("SELECT count(*) FROM account_online_service WHERE url IS NOT NULL") == [["0"]]
    tour.photograph("identity_service")
    confirm(tour)
    end = time.monotonic() + PATIENCE / 1000
    while served.sql("SELECT url FROM account_online_service") != [["https://banks.example.com"]]:
        assert time.monotonic() < end, "it was not saved"
        time.sleep(0.5)
    assert tour.errors == []
