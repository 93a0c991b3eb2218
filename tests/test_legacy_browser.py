"""A user who comes from account_online_sync: to a new connection, in a real browser, with a real load."""

from pathlib import Path

from playwright.sync_api import expect

from .test_browser import PATIENCE, served, tour  # noqa: F401

DEMO = str(Path(__file__).with_name("legacy_demo.py"))


def inside(installation, function, *arguments):
    return installation.shell(f"import runpy\nresult = runpy.run_path({DEMO!r})[{function!r}](env, *{arguments!r})")


def test_an_old_connection_explains_itself_and_leads_to_a_new_one(tour, served):  # noqa: F811
    journals = inside(served, "prepare", 60)
    before = inside(served, "lines")

    tour.open("/odoo/accounting")
    expect(tour.card(journals[0]).get_by_role("button", name="Connect bank")).to_be_visible(timeout=PATIENCE)
    tour.photograph("legacy_dashboard")

    tour.open("/odoo/online-synchronization")
    tour.sees("Disconnected")
    tour.photograph("legacy_connections")
    tour.page.locator(".o_kanban_record").filter(has_text="Old House Bank").click()
    tour.sees("This connection was made with an earlier module and can't fetch transactions any more")
    tour.sees("It was disconnected when Online Bank Synchronization was installed")
    tour.photograph("legacy_connection")

    tour.click("Reconnect")
    tour.sees("Please make a new one")
    tour.photograph("legacy_reconnect")
    tour.click("Connect", exact=True)
    tour.sign_in_at_the_demo_bank(tour.choose_bank("Demo Bank").click)
    tour.sees("Choose the journal that each bank account fills")
    chosen = tour.page.locator(".o_online_account_choices [name=journal_id] input")
    expect(chosen).to_have_count(len(journals), timeout=PATIENCE)
    assert {field.input_value() for field in chosen.all()} == set(journals)
    tour.photograph("legacy_choose_accounts")
    tour.click("Synchronize", exact=True)
    tour.sees("or leave this page")
    served.fetch_planned()
    assert inside(served, "lines") == before
    tour.open("/odoo/online-synchronization")
    tour.sees("Connected")
    tour.photograph("legacy_connected")
    assert tour.errors == []
