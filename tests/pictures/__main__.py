"""Take the pictures: ``python -m tests.pictures [PART …]``, in the environment of scripts/screenshots."""

import os
import sys
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from ..conftest import a_company_behind_a_proxy, a_copy_of_the_template
from .camera import DESKTOP, Camera
from .stations import LANGUAGES, PARTS, PARTS_WITH_A_PROXY

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
    camera = Camera(browser.new_page(viewport=DESKTOP, locale="en-US"), installation)
    camera.sign_in()
    for part in parts:
        part(camera)
    for error in camera.errors:
        print(f"Trouble on a page: {error}", file=sys.stderr)


def chosen(parts, names):
    return [part for part in parts if not names or part.__name__ in names]


def main(names):
    """:param names: of parts; a part may need what an earlier one has left behind"""
    here, behind = chosen(PARTS, names), chosen(PARTS_WITH_A_PROXY, names)
    with a_browser() as browser:
        if here:
            with a_copy_of_the_template() as company:
                company.prepare_company()
                company.shell(LOAD_LANGUAGES.format(codes=list(LANGUAGES)))
                company.start()
                walk(browser, company, here)
        if behind:
            with a_company_behind_a_proxy() as company:
                walk(browser, company, behind)


main(sys.argv[1:])
