"""Odoo's command line in this environment."""

import os
import subprocess

from . import odoo_package, paths, process, python_packages, sql
from .console import Trouble

LONG_LOG = 10 * 1024**2
PROGRAM = paths.ROOT / "scripts" / "environment" / "program" / "serve_odoo.py"

CONFIGURATION = """\
; Written by scripts/bootstrap; the database server comes from the environment (PGHOST and friends).
[options]
addons_path = {addons}
data_dir = {data}
http_interface = 127.0.0.1
screenshots = {screenshots}
"""


def write_configuration():
    text = CONFIGURATION.format(addons=paths.ROOT, data=paths.ODOO_DATA, screenshots=paths.SCREENSHOTS)
    if not paths.ODOO_CONF.exists() or paths.ODOO_CONF.read_text(encoding="utf-8") != text:
        temporary = paths.HERE / f".odoo.conf.{os.getpid()}"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(paths.ODOO_CONF)


def environment(**more):
    """The variables for Odoo, and for tests that start it themselves."""
    return {
        **{key: value for key, value in python_packages.clean_environment().items() if not key.startswith("PG")},
        **sql.environment(),
        "PYTHONPATH": str(odoo_package.source()),
        "ODOO_RC": str(paths.ODOO_CONF),
        **more,
    }


def line(*arguments):
    return [str(part) for part in (paths.PYTHON, "-m", "odoo", *arguments)]


def become(arguments):
    """Turn this process into Odoo: the terminal and every signal are Odoo's own from here."""
    command = line(*arguments)
    os.execve(command[0], command, environment())


def run(arguments, log, sentence, **options):
    """Run Odoo to its end.

    :raise Trouble: when it fails.
    """
    process.run(line(*arguments), log, sentence, env=environment(), **options)


def shell(text, database, log, sentence):
    """Run Python in Odoo's shell, with ``env``; it commits itself.

    :raise Trouble: when it fails.
    """
    command = line("shell", "-d", database, "--no-http", "--max-cron-threads=0")
    with process.log_path(log).open("w", encoding="utf-8") as output:
        child = process.start(command, env=environment(), stdin=subprocess.PIPE, stdout=output, stderr=output)
        child.stdin.write(text.encode())
        child.stdin.close()
        if process.wait(child):
            raise Trouble(sentence, process.log_path(log))


def serve(arguments, log):
    """Start Odoo as a server, its output in a log that others may be writing, too."""
    path = process.log_path(log)
    if path.exists() and path.stat().st_size > LONG_LOG:
        path.replace(path.with_suffix(".old.log"))
    with path.open("a", encoding="utf-8") as output:
        streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        return process.start([paths.PYTHON, PROGRAM, *arguments], env=environment(), **streams)


def need_addons():
    absent = [addon for addon in paths.ADDONS if not (paths.ROOT / addon / "__manifest__.py").exists()]
    if absent:
        raise Trouble(f"{' and '.join(absent)} is not in {paths.ROOT}: this is no complete clone, make a new one.")
