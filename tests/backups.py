"""Backups as docs/proxy_operation.md has administrators make them, and another machine in place of the lost one."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from environment import database, odoo_command, paths, sql


@dataclass
class Backup:
    """What is kept of one installation. The master key is kept apart from the database."""

    folder: Path
    key: Path
    #: PostgreSQL's number of the database.
    oid: str


def back_up(installation, folder):
    """Run deploy/backup.

    :param folder: a new one for this backup
    :return: :class:`Backup`
    """
    data = data_dir(installation)
    made = run(paths.ROOT / "deploy" / "backup", installation.name, data, folder / "backups")
    key = shutil.copy(data / "bank_sync" / f"{installation.name}.key", folder / "master.key")
    ((oid,),) = sql.query("SELECT oid FROM pg_database WHERE datname = current_database()", installation.name)
    return Backup(Path(made.strip()), Path(key), oid)


def restore(installation, backup, folder, *, with_key=True, with_oid=False):
    """The machine is lost. Another one gets its name, its address and what the backup holds, and nothing else.

    :param folder: for the new machine's data directory and odoo.conf
    :param with_key: whether the master key was kept, too
    :param with_oid: the database keeps PostgreSQL's number, as point-in-time recovery leaves it; a dump brings another
    """
    installation.stop()
    database.drop(installation.name)
    shutil.rmtree(folder, ignore_errors=True)
    data = folder / "data"
    (data / "filestore").mkdir(parents=True)
    oid = f"OID {backup.oid}" if with_oid else ""
    sql.query(f"CREATE DATABASE {sql.name(installation.name)} TEMPLATE template0 {oid}")
    run("pg_restore", "--no-owner", "-d", installation.name, backup.folder / "database.dump")
    run("tar", "--extract", "-f", backup.folder / "filestore.tar", "-C", data / "filestore")
    if with_key:
        (data / "bank_sync").mkdir(mode=0o700)
        shutil.copy(backup.key, data / "bank_sync" / f"{installation.name}.key")
    installation.configuration = folder / "odoo.conf"
    text = odoo_command.CONFIGURATION.format(addons=paths.ROOT, data=data, screenshots=paths.SCREENSHOTS)
    installation.configuration.write_text(text, encoding="utf-8")


def data_dir(installation):
    return installation.configuration.parent / "data" if installation.configuration else paths.ODOO_DATA


def run(program, *arguments):
    """Run a program to its end; PostgreSQL's are in the PATH.

    :return: what it printed
    """
    variables = odoo_command.environment()
    variables["PATH"] = f"{sql.program('pg_dump').parent}{os.pathsep}{variables['PATH']}"
    command = [str(part) for part in (program, *arguments)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
