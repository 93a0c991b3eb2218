"""An accounting firm and its client, in real browsers: two servers, two databases. Each station leaves a picture."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import a_company_behind_a_proxy, confirm_phone
from .settled import expect_to_fit
from .test_browser import PATIENCE, PHONE, a_tour_of
from .test_demo_bank import connect

#: As its operator does: the firm, its user, and more clients than the one whose browser is seen.
FIRM = """
user = env["res.users"].with_context(no_reset_password=True).create({
    "name": "Ada Firm", "login": "ada.firm", "password": "ada.firm", "email": "ada@firm.example",
    "group_ids": [(6, 0, env.ref("bank_sync_proxy_server.group_firm").ids)]})
firm = env["bank.sync.firm"].create({"name": "Abacus Accountants", "member_ids": [(0, 0, {"user_id": user.id})]})
institution = env["bank.sync.institution"]._find("sandbox.demo")
from datetime import datetime, timedelta
now = datetime.now()
for number, (name, days, values) in enumerate((
    ("Bakery", 90, {"synchronized_at": now}),
    ("Carpenter", 5, {"synchronized_at": now}),
    ("Dentist", -2, {"synchronized_at": now - timedelta(days=4), "state": "expired"}),
    ("Electrician", 60, {"synchronized_at": now - timedelta(hours=9)}),
    ("Florist", 30, {}),
)):
    client = env["bank.sync.client"].create({"name": name, "database_uuid": f"more-{number:05}"})
    env["bank.sync.firm.agreement"].create({
        "firm_id": firm.id, "client_id": client.id, "client_name": name, "contact_name": f"Owner of {name}",
        "contact_email": f"owner@{name.lower()}.example"})
    connection = env["bank.sync.connection"].create({
        "client_id": client.id, "institution_id": institution.id, "state": "connected",
        "consent_expires_at": now + timedelta(days=days), **values})
    if name == "Electrician":
        from odoo.addons.bank_sync_proxy.providers.errors import ConsentError
        error = ConsentError("credentials_rejected", "no")
        env["bank.sync.error"]._record(error, operation="accounts.list", client=client, connection=connection)
        connection._note_failure(error)
result = firm.code
"""


@pytest.fixture(scope="module")
def company():
    with a_company_behind_a_proxy() as company:
        confirm_phone(company)
        connect(company, "Demo Bank")
        company.firm_code = company.proxy.shell(FIRM)
        yield company


def open_agreement(tour):
    """As an accounting administrator finds it."""
    tour.open("/odoo/settings#account")
    tour.page.locator(".settings_tab [data-key=account]").click()
    tour.page.locator("#online_sync_firm").scroll_into_view_if_needed()
    tour.photograph("firm_settings")
    tour.click("Show or Change")


def test_a_client_agrees_is_seen_by_its_firm_and_is_gone_when_it_revokes(company):
    with a_tour_of(company) as tour:
        open_agreement(tour)
        tour.sees("They cannot add you themselves")
        tour.photograph("firm_code")
        tour.page.get_by_label("Code of the Firm").fill("WRONG")
        tour.click("Continue", exact=True)
        tour.sees("No accounting firm has this code")
        tour.page.get_by_label("Code of the Firm").fill(company.firm_code.lower())
        tour.click("Continue", exact=True)
        tour.sees("Abacus Accountants")
        tour.sees("They do not see transactions, balances or account numbers")
        tour.page.get_by_label("Shown as").fill("Zebra Ltd")
        tour.page.get_by_label("Contact", exact=True).fill("Zoe Zebra")
        tour.page.get_by_label("E-Mail").fill("zoe@zebra.example")
        tour.photograph("firm_confirm")
        tour.click("Agree", exact=True)
        expect(tour.page.get_by_role("button", name="Revoke", exact=True)).to_be_visible(timeout=PATIENCE)
        tour.photograph("firm_agreed")
        tour.page.set_viewport_size(PHONE)
        tour.photograph("firm_agreed_phone")
        assert tour.errors == []

    with a_tour_of(company.proxy, "ada.firm") as tour:
        tour.open("/odoo/action-bank_sync_proxy_server.bank_sync_firm_consent_action")
        tour.sees("Zebra Ltd")
        rows = tour.page.locator("tr.o_data_row")
        expect(rows).to_have_count(6, timeout=PATIENCE)
        tour.photograph("firm_consents")
        menus = tour.page.locator(".o_menu_sections")
        expect(menus).to_contain_text("My Firm")
        for name in ("Dentist", "Electrician"):
            rows.filter(has_text=name).locator(".o_list_record_selector").click()
        tour.click("Write to Contacts", exact=True)
        tour.sees("Each contact gets an e-mail of its own")
        tour.photograph("firm_letter")
        tour.click("Send", exact=True)
        tour.sees("Sent to the contacts of: Dentist, Electrician.")
        tour.close_notifications()
        tour.open("/odoo/action-bank_sync_proxy_server.bank_sync_firm_action_own")
        tour.page.get_by_text("Abacus Accountants").first.click()
        tour.sees("Give this code to your clients")
        tour.photograph("firm_own")
        expect(tour.page.locator(".modal, .o-mail-Chatter")).to_have_count(0)
        tour.open("/odoo/action-bank_sync_proxy_server.bank_sync_firm_member_action_own")
        tour.sees("Abacus Accountants")
        tour.photograph("firm_digest")
        tour.page.set_viewport_size(PHONE)
        tour.open("/odoo/action-bank_sync_proxy_server.bank_sync_firm_consent_action")
        tour.sees("Zebra Ltd")
        tour.photograph("firm_consents_phone")
        expect_to_fit(tour.page, "document.documentElement.scrollWidth > window.innerWidth", "firm_consents_phone")
        tour.page.get_by_text("Electrician").first.click()
        tour.sees("The bank did not accept the credentials")
        tour.photograph("firm_consent_phone")
        assert tour.errors == []

    letters = company.proxy.sql("SELECT email_to FROM mail_mail ORDER BY id")
    assert [re.search("<(.*)>", to).group(1) for (to,) in letters] == [
        "owner@dentist.example",
        "owner@electrician.example",
    ]

    with a_tour_of(company) as tour:
        open_agreement(tour)
        tour.click("Revoke", exact=True)
        tour.sees("They cannot add you themselves")
        assert tour.errors == []

    with a_tour_of(company.proxy, "ada.firm") as tour:
        tour.open("/odoo/action-bank_sync_proxy_server.bank_sync_firm_consent_action")
        tour.sees("Bakery")
        expect(tour.page.locator("tr.o_data_row")).to_have_count(5, timeout=PATIENCE)
        expect(tour.page.get_by_text("Zebra Ltd")).to_have_count(0)
        assert tour.errors == []
    agreed = company.shell("result = env['account.online.link'].search([]).message_ids.mapped('body')")
    assert any("Abacus Accountants no longer sees" in body for body in agreed)
