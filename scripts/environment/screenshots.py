"""Photograph the screens for the documentation; what is photographed stands in tests/pictures/stations.py."""

from . import bootstrap, browser, database, odoo_command, paths, process, testing
from .console import Trouble


def main(arguments):
    bootstrap.bootstrap()
    browser.ensure()
    if not browser.variables():
        raise Trouble("Pictures need a Chromium that Playwright can drive.")
    database.ensure_template(testing.TEMPLATE)
    command = [paths.PYTHON, "-m", "tests.pictures", *arguments]
    variables = odoo_command.environment(BANK_SYNC_TEMPLATE=testing.TEMPLATE, **browser.variables())
    variables["PYTHONPATH"] = f"{variables['PYTHONPATH']}:{paths.ROOT}"
    return process.wait(process.start(command, env=variables))
