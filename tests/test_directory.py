"""The directory of banks in real processes: two updates at once, and the public list in a real browser."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

SCREENSHOTS = Path(__file__).parents[1] / ".environment" / "screenshots"
BANKS = 1500

#: Each lists the banks only when the other one is there, too, so that both want to write at the same time.
UPDATE = """
import pathlib, time
from odoo.addons.bank_sync_proxy.providers.sandbox import Sandbox
from odoo.addons.bank_sync_proxy.providers.types import Institution
here, deadline = pathlib.Path({folder!r}), time.monotonic() + 120
def listed(adapter, country=None):
    for number in range({banks}):
        yield Institution(str(number), f"Bank {{number}}", "BE")
Sandbox.institutions = listed
(here / "ready-{number}").touch()
while len(list(here.glob("ready-*"))) < 2 and time.monotonic() < deadline:
    time.sleep(0.01)
env["bank.sync.institution"]._cron_update_directory()
result = env["bank.sync.institution"].search_count([("name", "like", "Bank %"), ("is_proposed", "=", True)])
"""


def test_two_updates_at_once_leave_each_bank_once(installation, tmp_path):
    installation.sql("UPDATE bank_sync_provider SET directory_updated_at = NULL")
    scripts = [UPDATE.format(folder=str(tmp_path), banks=BANKS, number=number) for number in range(2)]
    answers = installation.shells(scripts, tmp_path)
    assert max(found for found, _printed in answers) == BANKS
    rows = "SELECT count(*), count(DISTINCT identifier) FROM bank_sync_institution WHERE active AND is_proposed"
    assert installation.sql(rows) == [[str(BANKS), str(BANKS)]]
    assert not any("Traceback" in printed for _found, printed in answers)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_public_list_fits_the_screen_and_works_without_scripts(served, width):
    chromium = os.environ.get("BANK_SYNC_CHROMIUM")
    if not chromium:
        pytest.skip("no Chromium that Playwright can drive on this machine: scripts/test tells what to install")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        page = browser.new_page(viewport={"width": width, "height": 844}, locale="en-US")
        errors = []
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{served.url}/bank_sync/institutions")
        expect(page.get_by_role("heading", name="Demo Bank")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.scripts.length") == 0
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"institutions_{width}.png", full_page=True)
        page.get_by_label("Search your bank").fill("Demo Atended")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("heading", level=2)).to_have_count(1)
        expect(page.get_by_text("only while you are present")).to_be_visible()
        browser.close()
        assert errors == []
