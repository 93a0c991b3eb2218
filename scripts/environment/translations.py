"""The terms of the addons and their translations: ``scripts/translations``.

Odoo exports the terms of an installed addon. Each language's file then has exactly these terms: new ones without a
translation, and no obsolete ones.
"""

from . import bootstrap, database, odoo_command, paths, process
from .console import step
from .testing import TEMPLATE

MERGE = paths.ROOT / "scripts" / "environment" / "program" / "merge_translations.py"
FAILED = "The terms could not be exported: the log tells why."


def main(_arguments):
    bootstrap.bootstrap(odoo=True, database_server=True)
    database.ensure_template(TEMPLATE)
    for addon in paths.ADDONS:
        folder = paths.ROOT / addon / "i18n"
        folder.mkdir(exist_ok=True)
        template = folder / f"{addon}.pot"
        with step(f"Exporting the terms of {addon}"):
            line = odoo_command.line("i18n", "export", "-d", TEMPLATE, "-l", "pot", "-o", template, addon)
            process.run(line, "translations", FAILED, env=odoo_command.environment())
        process.wait(process.start([paths.PYTHON, MERGE, template], env=odoo_command.environment()))
    return 0
