"""Take the pictures: ``python -m tests.pictures [PART …]``, in the environment of scripts/screenshots."""

import os
import sys
import traceback
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from ..conftest import a_company_behind_a_proxy, a_company_with_books
from ..test_browser import SCREENSHOTS
from .camera import DESKTOP, Camera
from .stations import LANGUAGES, PARTS, PARTS_WITH_A_PROXY, PARTS_WITHOUT_A_BANK

LOAD_LANGUAGES = """
codes = {codes!r}
for code in codes:
    env["res.lang"]._activate_lang(code)
env["ir.module.module"].search([("state", "=", "installed")])._update_translations(codes)
"""


@contextmanager
def a_browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["BANK_SYNC_CHROMIUM"],
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        yield browser
        browser.close()


def walk(browser, installation, parts):
    camera = Camera(browser.new_context(viewport=DESKTOP, locale="en-US").new_page(), installation)
    camera.sign_in()
    failed = []
    for part in parts:
        try:
            part(camera)
        except Exception:  # the other parts are still useful; the exit code reports the failure
            traceback.print_exc()
            failed.append(part.__name__)
            camera.page.screenshot(path=SCREENSHOTS / f"failed_{part.__name__}.png")
    for error in camera.errors:
        print(f"Trouble on a page: {error}", file=sys.stderr)
    return failed


def chosen(parts, names):
    return [part for part in parts if not names or part.__name__ in names]


def main(names):
    """:param names: of parts; a part may need what an earlier one has left behind"""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    failed = []
    here, behind = chosen(PARTS, names), chosen(PARTS_WITH_A_PROXY, names)
    with a_browser() as browser:
        if here:
            with a_company_with_books() as company:
                company.shell(LOAD_LANGUAGES.format(codes=list(LANGUAGES)))
                company.start()
                failed += walk(browser, company, here)
        for part in chosen(PARTS_WITHOUT_A_BANK, names):
            with a_company_with_books() as company:
                company.start()
                failed += walk(browser, company, [part])
        if behind:
            with a_company_behind_a_proxy() as company:
                failed += walk(browser, company, behind)
    return f"Failed: {', '.join(failed)}." if failed else None


sys.exit(main(sys.argv[1:]))
