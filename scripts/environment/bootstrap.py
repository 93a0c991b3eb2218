"""Put the environment together: every step that is not complete, in order, by one process at a time."""

import os
import sys
from pathlib import Path

from . import keeper, locks, odoo_command, odoo_package, paths, postgres, python_packages, sql
from .console import Trouble

WAIT_FOR_SETUP = "Another script is setting up this clone: waiting for it."
WAIT_FOR_USERS = "The environment must be renewed, but scripts of this clone still use it: waiting for their end."


def bootstrap(odoo=True, database_server=True):
    """Have a complete environment, and count this process among its users.

    :param odoo: whether Odoo itself is needed (the pure tests do without).
    :param database_server: whether PostgreSQL is needed.
    """
    # Why: what root or pip writes must be readable for the user that PostgreSQL runs as.
    os.umask(0o022)
    _need_own_folder()
    paths.prepare()
    steps = [python_packages] + [odoo_package] * odoo
    with locks.locked("setup", WAIT_FOR_SETUP):
        if odoo:
            odoo_package.check()
        missing = [part for part in steps if not part.is_ready()]
        if missing:
            _renew(missing)
        locks.use_environment()
        if odoo:
            odoo_command.write_configuration()
        if database_server:
            if sql.is_external():
                sql.check_external()
            else:
                postgres.ensure()
                keeper.ensure()


def need_packages():
    """Return in the environment's Python, which has the packages; otherwise start the same script again with it."""
    if Path(sys.prefix) != paths.VENV:
        bootstrap(odoo=False, database_server=False)
        os.execv(paths.PYTHON, [paths.PYTHON, *sys.argv])


def _renew(missing):
    """Run the steps while no other process uses what they replace."""
    with locks.alone(WAIT_FOR_USERS):
        # Why: the server's programs lie among the Python packages. One that a killed script left may still run.
        if sql.is_installed():
            postgres.stop()
        for part in missing:
            part.install()


def _need_own_folder():
    if paths.HERE.exists() and not os.access(paths.HERE, os.W_OK):
        raise Trouble(
            f"{paths.HERE} belongs to another user: start as that user, or remove the folder and start again."
        )
