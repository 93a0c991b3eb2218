"""Chromium, for the browser tests only."""

import os
import shutil

from . import debian
from .console import Trouble, complain, step

# Why these and in this order: it is Odoo's own list (odoo/tests/common.py), so that both find the same one.
NAMES = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")

WITHOUT = (
    "No Chromium was found, so the browser tests are skipped (they are listed with the reason "
    "'Chrome executable not found'): install it (on Debian: apt-get install chromium) and start again."
)


def find():
    return next(filter(None, map(shutil.which, NAMES)), None)


def ensure():
    """The path of a Chromium, installed first where we are allowed to; None with a plain sentence otherwise."""
    if not find() and os.geteuid() == 0 and debian.has_apt():
        try:
            with step("Installing Chromium for the browser tests"):
                debian.install_on_system(["chromium"])
        except Trouble as trouble:
            complain(f"{trouble} The log: {trouble.log}")
    found = find()
    if not found:
        complain(WITHOUT)
    return found
