"""Photograph the screens for the documentation; tests/pictures/stations.py says what is photographed."""

import os
import shutil

from . import bootstrap, browser, database, debian, odoo_command, paths, process, testing
from .console import Trouble, complain, step

#: Odoo turns its styles round with it; https://rtlcss.com
RTLCSS = "rtlcss@4.3.0"
CHINESE_FONT = "fonts-wqy-microhei"
NODE = paths.HERE / "node"


def main(arguments):
    bootstrap.bootstrap()
    browser.ensure()
    if not browser.variables():
        raise Trouble("Pictures need a Chromium that Playwright can drive.")
    ensure_rtlcss()
    ensure_chinese_font()
    database.ensure_template(testing.TEMPLATE)
    variables = odoo_command.environment(BANK_SYNC_TEMPLATE=testing.TEMPLATE, **browser.variables())
    variables["PYTHONPATH"] = f"{variables['PYTHONPATH']}{os.pathsep}{paths.ROOT}"
    return process.wait(process.start([paths.PYTHON, "-m", "tests.pictures", *arguments], env=variables))


def ensure_rtlcss():
    """Without it Odoo serves Arabic with its styles from left to right."""
    os.environ["PATH"] = f"{NODE / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    if shutil.which("rtlcss"):
        return
    if not shutil.which("npm"):
        complain("There is no npm to install rtlcss with: the pictures from right to left will not be true.")
        return
    with step("Installing rtlcss"):
        process.run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", NODE, RTLCSS],
            "rtlcss",
            "rtlcss was not installed.",
        )


def ensure_chinese_font():
    if process.ask(["fc-list", "WenQuanYi Micro Hei"]):
        return
    if os.geteuid() == 0 and debian.has_apt():
        with step("Installing a Chinese font"):
            debian.install_on_system([CHINESE_FONT])
    else:
        complain(f"The Chinese pictures need a font, such as Debian's {CHINESE_FONT}.")
