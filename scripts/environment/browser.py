"""Chromium, for the browser tests only."""

import os
import shutil

from . import debian, paths, process
from .console import Trouble, complain, step

# Why these and in this order: it is Odoo's own list (odoo/tests/common.py), so that both find the same one.
NAMES = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")

WITHOUT = (
    "No Chromium was found, so the browser tests are skipped (they are listed with the reason "
    "'Chrome executable not found'): install it (on Debian: apt-get install chromium) and start again."
)

UNDRIVEN = (
    "Playwright's driver does not start, so the tour through the browser is skipped: "
    "install its library (on Debian: apt-get install libatomic1) and start again."
)


def find():
    return next(filter(None, map(shutil.which, NAMES)), None)


def drives():
    """Whether Playwright's driver starts: its Node.js needs a library that a minimal Debian has not."""
    driver = next(paths.VENV.glob("lib/python3*/site-packages/playwright/driver/node"), None)
    return driver is not None and process.ask([driver, "--version"]) is not None


def ensure():
    """Have a Chromium and what drives it, installed first where we are allowed to; else say plainly what is missing."""
    missing = ["chromium"] * (not find()) + ["libatomic1"] * (not drives())
    if missing and os.geteuid() == 0 and debian.has_apt():
        try:
            with step("Installing Chromium for the browser tests"):
                debian.install_on_system(missing)
        except Trouble as trouble:
            complain(f"{trouble} The log: {trouble.log}")
    if not find():
        complain(WITHOUT)
    elif not drives():
        complain(UNDRIVEN)


def variables():
    """What the tests of the whole need to know; nothing where they have to do without a browser."""
    return {"BANK_SYNC_CHROMIUM": find()} if find() and drives() else {}
