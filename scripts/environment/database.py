"""Databases with our addons: created whole or not at all, kept up to date, copied for tests.

A database is complete when it has its final name; it is built under another one. A comment on the database contains
the hash of its sources, so the mark exists exactly as long as the database, on every server.
"""

import shutil

from . import locks, odoo_command, odoo_package, paths, sql, stamps
from .console import Trouble, step

MARK = "bank sync sources "
#: What Odoo's own test runner does before tests with a browser.
BUNDLES = "env['ir.qweb']._pregenerate_assets_bundles()\n"
#: Odoo's chat greets each user on the first page. The greeting is above the page, and covers all of it on a phone.
NO_GREETING = """
if "odoobot_state" in env["res.users"]._fields:
    env["res.users"].with_context(active_test=False).search([]).odoobot_state = "disabled"
    env["ir.default"].set("res.users", "odoobot_state", "disabled")

"""


def sources(addons=paths.ADDONS):
    """Hash of everything that ends up in a database: Odoo and the addons, without their tests."""
    files = [
        file
        for addon in addons
        for file in sorted((paths.ROOT / addon).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts and file.relative_to(paths.ROOT).parts[1] != "tests"
    ]
    names = [str(file.relative_to(paths.ROOT)) for file in files]
    return stamps.digest(str(odoo_package.source()), stamps.read(odoo_package.STAMP), names, *files)


def exists(database):
    return bool(sql.query(f"SELECT 1 FROM pg_database WHERE datname = {sql.literal(database)}"))


def built_from(database):
    """The hash of the sources that the database was last created or updated with."""
    rows = sql.query(
        f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = {sql.literal(database)}"
    )
    comment = rows[0][0] if rows and rows[0] else ""
    return comment[len(MARK) :] if comment.startswith(MARK) else None


def ensure(database, addons=paths.ADDONS):
    """Have the database, with the addons as they are in this clone now. What it holds is kept.

    :param addons: which of ours
    """
    odoo_command.need_addons()
    with locks.locked(f"database-{database}", f"Another script is preparing the database {database}: waiting for it."):
        current = sources(addons)
        if not exists(database):
            with step(f"Creating the database {database}"):
                _create(database, current, addons)
        elif not (paths.FILESTORE / database).is_dir():
            raise Trouble(
                f"The database {database} exists, but its files are not in {paths.FILESTORE}: "
                "it is not from this clone, so choose another name with --database, or drop it."
            )
        elif built_from(database) != current:
            with step(f"Updating the addons in the database {database}"):
                _install(("-i", "-u"), database, addons)
                _mark(database, current)


def ensure_template(database, addons=paths.ADDONS):
    """Have a database with freshly installed addons, for copying: another source, another database.

    :param addons: which of ours
    """
    odoo_command.need_addons()
    with locks.locked(f"database-{database}", "Another script is preparing the tests' database: waiting for it."):
        current = sources(addons)
        if exists(database) and built_from(database) == current and (paths.FILESTORE / database).is_dir():
            return
        with step("Creating a database with the addons for the tests"):
            drop(database)
            _create(database, current, addons, with_pages=addons == paths.ADDONS)


def ensure_prepared(database, template, script, function="keep"):
    """Have a copy of a template in which a function of a script has prepared records for tests.

    :param script: path of a Python file that Odoo can import
    """
    with locks.locked(f"database-{database}", "Another script is preparing the tests' database: waiting for it."):
        current = stamps.digest(built_from(template), script)
        if exists(database) and built_from(database) == current and (paths.FILESTORE / database).is_dir():
            return
        with step("Preparing a company for the tests"):
            copy(template, database)
            failed = "Odoo could not prepare the tests' company: the log tells why."
            text = f"import runpy\nrunpy.run_path({str(script)!r})[{function!r}](env)\nenv.cr.commit()\n"
            odoo_command.shell(text, database, f"database-{database}", failed)
            _mark(database, current)


def copy(template, database):
    """Replace a database by a copy of another, files included: Odoo keeps the web pages' assets there."""
    drop(database)
    with locks.locked(f"database-{template}"):
        # Why the strategy: with the other one a crash soon after it sets the copy's sequences back (seen with 18.6).
        strategy = "STRATEGY FILE_COPY" if sql.version() >= 15 else ""
        _retry_while_busy(f"CREATE DATABASE {sql.name(database)} TEMPLATE {sql.name(template)} {strategy}")
        shutil.copytree(paths.FILESTORE / template, paths.FILESTORE / database)


def _retry_while_busy(statement):
    """Why: PostgreSQL waits five seconds for an autovacuum worker to end, which may take longer on a busy machine."""
    for _attempt in range(5):
        try:
            return sql.query(statement)
        except Trouble as trouble:
            if "is being accessed by other users" not in str(trouble):
                raise
    return sql.query(statement)


def drop(database):
    # Why not WITH (FORCE): it fails on an autovacuum worker, which only a superuser may end. The plain one ends that.
    sql.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = {sql.literal(database)} AND usename = current_user"
    )
    sql.query(f"DROP DATABASE IF EXISTS {sql.name(database)}")
    shutil.rmtree(paths.FILESTORE / database, ignore_errors=True)


def _create(database, current, addons=paths.ADDONS, with_pages=False):
    """:param bool with_pages: build the bundles of the web client once, instead of in each copy that a browser opens"""
    unfinished = f"{database}_unfinished"
    drop(unfinished)
    _install(("-i",), unfinished, addons)
    script = f"{NO_GREETING}{BUNDLES if with_pages else ''}env.cr.commit()\n"
    failed = "Odoo could not prepare the database: the log tells why."
    odoo_command.shell(script, unfinished, f"database-{database}", failed)
    _mark(unfinished, current)
    # Why the files first: without the database they are taken for leftovers, the other way round they would be missed.
    shutil.rmtree(paths.FILESTORE / database, ignore_errors=True)
    (paths.FILESTORE / unfinished).mkdir(parents=True, exist_ok=True)
    (paths.FILESTORE / unfinished).rename(paths.FILESTORE / database)
    sql.query(f"ALTER DATABASE {sql.name(unfinished)} RENAME TO {sql.name(database)}")


def _install(switches, database, addons):
    """:param switches: ``-i`` for addons that the database does not have yet, ``-u`` for those that it has"""
    failed = f"Odoo could not install the addons into the database {database}: the log tells why."
    arguments = ["--no-http", "--max-cron-threads=0", "--stop-after-init", "-d", database]
    for switch in switches:
        arguments += [switch, ",".join(addons)]
    odoo_command.run(arguments, f"database-{database}", failed)
    # Why ask: Odoo ends with success when it skips a module that it cannot find or install.
    names = ", ".join(map(sql.literal, addons))
    installed = sql.query(
        f"SELECT name FROM ir_module_module WHERE state = 'installed' AND name IN ({names})", database=database
    )
    if len(installed) < len(addons):
        raise Trouble(failed, odoo_command.process.log_path(f"database-{database}"))


def _mark(database, current):
    sql.query(f"COMMENT ON DATABASE {sql.name(database)} IS {sql.literal(MARK + current)}")
