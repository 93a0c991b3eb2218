"""The proxy over HTTP: how many signed requests of many databases it answers, how fast, and whether to the right one.

A real server with its HTTP workers, a real PostgreSQL, and locust in the role of the databases; all on this machine, so
the load generator takes CPU time from the server. The bank is the Demo Bank, which answers without a network.
"""

import argparse
import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path

from environment import console, extra_packages, odoo_command, paths, ports, postgres, process, python_packages, sql

from . import RESULT, harness

HEADS = ("clients", "workers", "wanted/s", "requests/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "wrong", "refused")
HEADS += ("Odoo CPU ms", "PostgreSQL CPU ms", "worker MB")
LOCUSTFILE = paths.ROOT / "benchmarks" / "fleet_locust.py"
SETTLE_SECONDS = 5


def main(arguments):
    options = parse(arguments)
    with harness.databases() as databases, tempfile.TemporaryDirectory() as folder:
        name, fleet = prepare(options, databases)
        file = Path(folder) / "fleet.json"
        file.write_text(json.dumps(fleet), encoding="utf-8")
        figures = [measure(options, name, file, rate) for rate in options.rates]
    if options.json:
        for one in figures:
            harness.result(harness.json_line(one))
    else:
        for line in harness.table(HEADS, [row(one) for one in figures], markdown=options.markdown):
            harness.result(line)
    for one in figures:
        for failure in one["failures"]:
            harness.report(f"{failure['operation']}: {failure['what']} ({failure['count']} times)")
    return 1 if any(one["wrong"] for one in figures) else 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench fleet", description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=200, metavar="N", help="databases (default: 200)")
    parser.add_argument("--workers", type=int, default=4, metavar="N", help="HTTP workers of Odoo (default: 4)")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="of each measurement (default: 60)")
    parser.add_argument(
        "--rates",
        type=_numbers,
        default=[160.0, 0.0],
        metavar="N,N",
        help="requests per second, 0 for as many as --users can ask (default: 160,0)",
    )
    # Why not one for each database: Odoo lets eight for each worker wait, and expects a reverse proxy in front of it.
    parser.add_argument("--users", type=int, default=24, metavar="N", help="connections at once (default: 24)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object per line instead of a table")
    output.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser.parse_args(arguments)


def _numbers(text):
    return [float(number) for number in text.split(",")]


def row(one):
    names = ("clients", "workers", "rate", "per_second", "p50_ms", "p95_ms", "p99_ms", "max_ms", "wrong", "refused")
    return [*(one[name] for name in names), one["odoo_cpu_ms"], one["postgres_cpu_ms"], one["worker_mb"]]


def measure(options, name, fleet, rate):
    """
    :param str name: of the database with the fleet; no copy, because a copy can't read the secrets
    :param fleet: path of the file that holds what its members know
    :param float rate: requests per second of all clients together, 0 for no limit
    :return: figures of :mod:`.fleet_locust`, ``wrong`` and ``refused`` answers, CPU milliseconds per request, and the
        memory (PSS, MiB) of the largest process of Odoo afterwards
    """
    with served(name, options.workers) as (url, server):
        # Why a first round: what a worker loads only once is not what a fleet waits for.
        load(url, fleet, options.users, rate, SETTLE_SECONDS)
        before = cpu_seconds(server.pid), cpu_seconds(_postmaster())
        figures = load(url, fleet, options.users, rate, options.seconds)
        after = cpu_seconds(server.pid), cpu_seconds(_postmaster())
        memory = max(map(memory_mb, family(server.pid)))
    wrong = sum(one["count"] for one in figures["failures"] if one["what"] == "wrong answer")
    spent = [1000 * (end - start) / figures["requests"] for start, end in zip(before, after, strict=True)]
    return {
        "clients": options.clients,
        "workers": options.workers,
        "rate": rate or None,
        **figures,
        "wrong": wrong,
        "refused": sum(one["count"] for one in figures["failures"]) - wrong,
        "odoo_cpu_ms": spent[0],
        "postgres_cpu_ms": spent[1],
        "worker_mb": memory,
    }


def prepare(options, databases):
    """:return: name of a database with the fleet, and what each member of it knows, see :mod:`.inside_fleet`"""
    name = databases.copy(harness.testing.TEMPLATE, "fleet")
    harness.report(f"Registering {options.clients} databases …")
    fleet = harness.run_inside(name, "inside_fleet", "prepare", clients=options.clients)
    harness.vacuum_analyze(name)
    return name, fleet


@contextlib.contextmanager
def served(name, workers):
    """Odoo's HTTP server as it is in production: processes.

    :return: its URL and its process
    """
    port, log = ports.any_free(), f"server-{name}"
    # Why without --db-filter: with one, Odoo asks PostgreSQL at each request which databases there are.
    options = ["--http-port", port, "--gevent-port", ports.any_free()]
    options += [f"--workers={workers}", "--max-cron-threads=0", "--log-level=warn"]
    server = odoo_command.serve(["-d", name, *options], log)
    try:
        ports.wait_until_served(port, server, process.log_path(log))
        yield f"http://{ports.HOST}:{port}", server
    finally:
        process.stop(server)


def load(url, fleet, users, rate, seconds):
    """Let locust ask.

    :return: what :func:`.fleet_locust._report` prints
    :raise Trouble: when it does not come to its end
    """
    folder = extra_packages.ensure("fleet")
    command = [paths.PYTHON, "-m", "locust", "-f", LOCUSTFILE, "--headless", "--only-summary", "--skip-log-setup"]
    command += ["-u", users, "-r", users, "-t", f"{seconds}s", "--host", url]
    variables = {**python_packages.clean_environment(), "PYTHONPATH": str(folder)}
    variables |= {"FLEET": str(fleet), "FLEET_RATE": str(rate), "FLEET_USERS": str(users)}
    log = process.log_path(harness.LOG)
    with log.open("a", encoding="utf-8") as errors:
        child = process.start(command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        printed = harness.read(child)
    answers = [line for line in printed.splitlines() if line.startswith(RESULT)]
    if not answers:
        raise console.Trouble("locust did not come to its end: the log tells why.", log, lines=15)
    return json.loads(answers[-1].removeprefix(RESULT))


def _postmaster():
    """:return: process id of our own PostgreSQL; 0 for another server, whose processes are unknown"""
    if sql.is_external():
        return 0
    return int(postgres.PID_FILE.read_text(encoding="utf-8").split("\n", 1)[0])


def cpu_seconds(pid):
    """Of a process and its family, those that have ended included."""
    ticks = [sum(map(int, fields[11:15])) for fields in map(_stat, family(pid)) if fields]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid):
    """:return: MiB of a process, what it shares with others divided among them"""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def family(pid):
    """:return: ids of a process, its children, and theirs"""
    numbers = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    parents = {number: int(fields[1]) for number in numbers if (fields := _stat(number))}
    found = {pid}
    while len(grown := found | {child for child, parent in parents.items() if parent in found}) > len(found):
        found = grown
    return found


def _stat(pid):
    """:return: fields of /proc/PID/stat from the state on, None for a process that has ended"""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return None
