"""Create or update the demonstration's database, let the Demo Bank fill it, and serve it."""

import argparse
import os

from . import bootstrap, database, locks, odoo_command, paths, ports, process
from .console import Trouble, say, step

DATABASE = "bank_sync_demo"
SCRIPT = paths.ROOT / "scripts" / "demo.py"
SAMPLES = paths.ROOT / "scripts" / "samples"
ADDONS = (*paths.EMBEDDED, "account_online_reconcile", "account_online_files")


def main(arguments):
    options = parse(arguments)
    # Why now: otherwise the user would only learn it after minutes.
    port = options.port or (ports.any_free() if options.once else 8069)
    ports.need_free(port)
    bootstrap.bootstrap()
    database.ensure(options.database, ADDONS)
    server = serve(options.database, port, with_cron=not options.once)
    try:
        with locks.locked(f"demo-{options.database}", "Another script is filling the database: waiting for it."):
            fill(options.database, port)
        if options.once:
            return 0
        say("\nThe Demo Bank knows these accounts as user books, password demo: sign in so to renew or reconnect them.")
        say(f"Odoo serves at http://localhost:{port} (log in as admin, password admin). Ctrl-C stops it.")
        code = process.wait(server)
    except KeyboardInterrupt:
        say("\nStopped.")
        return 0
    finally:
        process.stop(server)
    raise Trouble(f"Odoo ended by itself with code {code}: the log tells why.", process.log_path("server"))


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the table, instead of serving Odoo")
    parser.add_argument("--port", type=int, help="where Odoo serves (default: 8069)")
    parser.add_argument("--database", default=DATABASE, help="name of the database (default: %(default)s)")
    return parser.parse_args(arguments)


def serve(name, port, with_cron):
    """The real HTTP server: the demonstration walks through its pages as a user's browser does."""
    arguments = ["-d", name, "--db-filter", f"^{name}$", "--http-port", port]
    if not with_cron:
        arguments.append("--max-cron-threads=0")
    log = process.log_path("server")
    with step("Starting Odoo"):
        server = odoo_command.serve(arguments, "server")
        try:
            ports.wait_until_served(port, server, log)
        except BaseException:
            process.stop(server)
            raise
    return server


def fill(name, port):
    """Run demo.py inside Odoo's shell; its tables go to our output, everything else to its log."""
    log = process.log_path("demo")
    command = odoo_command.line("shell", "-d", name, "--no-http", "--max-cron-threads=0", "--logfile", log)
    log.write_text("", encoding="utf-8")
    variables = odoo_command.environment(
        BANK_SYNC_URL=f"http://{ports.HOST}:{port}", BANK_SYNC_SAMPLES=str(SAMPLES), PYTHONIOENCODING=":replace"
    )
    # Why: the shell reads demo.py from its input, so Python does not know the folder of what it imports.
    variables["PYTHONPATH"] = os.pathsep.join([variables["PYTHONPATH"], str(SCRIPT.parent)])
    with SCRIPT.open(encoding="utf-8") as script, log.open("a", encoding="utf-8") as errors:
        code = process.wait(process.start(command, env=variables, stdin=script, stderr=errors))
    if code:
        raise Trouble("The demonstration did not come to its end: the log tells why.", log, lines=15)
