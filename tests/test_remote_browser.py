"""What users see of a connection service on another server, in a real browser. Each station leaves a picture."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import a_company_behind_a_proxy, let_codes_grow_old
from .test_browser import PATIENCE, a_tour_of

PHONE = "0470 12 34 56"


@pytest.fixture(scope="module")
def company():
    """Scheduled actions run: a long load is left to them."""
    with a_company_behind_a_proxy(cron_threads=1) as company:
        yield company


@pytest.fixture
def tour(company):
    with a_tour_of(company) as tour:
        yield tour


def enter_the_code(tour, company):
    code = company.proxy.sms_gateway.code_for("+32470123456")
    field = tour.page.get_by_label("Code", exact=True)
    assert (field.get_attribute("autocomplete"), field.get_attribute("inputmode")) == ("one-time-code", "numeric")
    field.fill(code)
    tour.click("Confirm", exact=True)


def test_the_settings_the_phone_number_and_the_way_out_of_a_block(tour, company):
    tour.open("/odoo/settings#account")
    tour.page.locator(".settings_tab [data-key=account]").click()
    tour.sees("Connection Service")
    tour.page.locator("#online_sync_service").scroll_into_view_if_needed()
    tour.photograph("service_settings_new")
    tour.click("Test Connection")
    tour.sees("This database registers automatically when the first bank is connected")
    tour.close_notifications()

    tour.open("/odoo/accounting")
    tour.click("Connect bank", exact=True)
    tour.sees("Before the first bank is connected")
    tour.photograph("phone_needed")
    tour.click("Confirm a Phone Number")
    tour.sees("to protect your bank data")
    tour.photograph("phone_number")
    tour.click("Send Code", exact=True)
    tour.sees("Enter the number of a phone that receives text messages")
    tour.page.get_by_label("Phone Number").fill(PHONE)
    tour.click("Send Code", exact=True)
    tour.sees("A text message with a code is on its way")
    tour.photograph("phone_code")
    tour.page.get_by_label("Code", exact=True).fill("000000")
    tour.click("Confirm", exact=True)
    tour.sees("Wrong code")
    tour.photograph("phone_code_wrong")
    enter_the_code(tour, company)

    expect(tour.page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE)
    tour.sign_in_at_the_demo_bank(tour.choose_bank("Demo Bank").click)
    tour.sees("Choose the journal that each bank account fills")
    tour.click("Synchronize", exact=True)
    tour.sees("The bank statements agree with the bank.")
    tour.open("/odoo/accounting")
    tour.sees(re.compile("Synchronized (just now|.* ago)"))

    tour.page.get_by_text(re.compile(r"Synchronized (just now|.* ago)")).first.click()
    tour.sees("Client ID")
    tour.photograph("connection_client_id")
    tour.open("/odoo/settings")
    tour.page.locator(".settings_tab [data-key=account]").click()
    tour.page.locator("#online_sync_service").scroll_into_view_if_needed()
    tour.click("Test Connection")
    tour.sees("Everything is fine")
    tour.photograph("service_settings")
    tour.close_notifications()

    company.proxy.shell(
        "env['bank.sync.client'].search([('is_embedded', '=', False)])._block('Many wrong codes were entered.')"
    )
    tour.open("/odoo/accounting")
    tour.click("Synchronize Now")
    tour.sees("has blocked this database")
    tour.close_notifications()
    tour.sees("Reactivate")
    tour.photograph("dashboard_blocked")
    tour.page.get_by_text("has blocked this database").first.click()
    tour.sees("Client ID")
    tour.photograph("connection_blocked")
    tour.click("Reactivate", exact=True)
    tour.sees("a code is sent by text message")
    tour.photograph("reactivate")
    let_codes_grow_old(company)
    tour.click("Send Code", exact=True)
    tour.sees("A text message with a code is on its way")
    enter_the_code(tour, company)
    tour.sees("accepts requests of this database again")
    expect(tour.page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE)
    tour.photograph("connection_reactivated")
    assert tour.errors == []
