"""A bank in trouble, as users see it before they sign in there: in the search, and on the journal's card.

The Demo Beta Bank reports that some of its connections fail. Each station leaves a picture, on a screen and on a phone.
"""

import pytest
from playwright.sync_api import expect

from .conftest import a_company_with_books
from .test_accessibility import Inspector
from .test_browser import PATIENCE, a_tour_of
from .test_demo_bank import connect
from .test_provider_browser import look

SENTENCE = "3 of 10 connections to this bank failed in the last 24 hours."
#: Within the two weeks in which the card offers Renew.
ENDS_SOON = """
from datetime import timedelta
from odoo import fields
env["account.online.link"].search([]).expiring_synchronization_date = fields.Date.today() + timedelta(days=5)
"""


@pytest.fixture(scope="module")
def served():
    with a_company_with_books() as copy:
        copy.start()
        connect(copy, "Demo Beta Bank")
        copy.shell(ENDS_SOON)
        yield copy


@pytest.fixture
def tour(served):
    with a_tour_of(served) as tour:
        yield tour


def test_the_search_warns_before_a_bank_in_trouble_is_connected(tour):
    inspector = Inspector()
    tour.open("/odoo/connect-bank")
    row = tour.choose_bank("Demo Beta Bank")
    expect(row.locator(".o_bank_trouble")).to_have_text(SENTENCE, timeout=PATIENCE)
    look(tour, inspector, "bank_trouble_search", ".o_connect_bank_page")
    assert not inspector.found, "\n".join(inspector.found)
    assert tour.errors == []


def test_the_card_warns_before_a_consent_is_renewed(tour):
    inspector = Inspector()
    tour.open("/odoo/accounting")
    health = tour.page.locator(".o_online_health").first
    expect(health).to_have_text(SENTENCE, timeout=PATIENCE)
    tour.photograph("bank_trouble_card")
    inspector.inspect(tour.page, "bank_trouble_card", [".o_online_sync_status"])
    tour.page.set_viewport_size({"width": 390, "height": 844})
    health.scroll_into_view_if_needed()
    tour.photograph("bank_trouble_card_phone")
    assert not inspector.found, "\n".join(inspector.found)
    assert tour.errors == []
