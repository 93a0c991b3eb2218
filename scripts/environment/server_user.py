"""Which user our PostgreSQL runs as: the one who starts it, but never root, which PostgreSQL refuses to be.

Started by root it runs as `nobody`. When the clone lies in a folder that other users may not enter, such as /root, that
one process gets the capability to pass; the permissions of other people's folders stay as they are.
"""

import functools
import os
import pwd
import shutil

from . import paths, process, sql
from .console import Trouble

NAMES = ("nobody", "daemon", "_apt")

# What opens a path below a closed folder, the smaller one first. Containers often withhold it and allow the other.
CAPABILITIES = (None, "dac_read_search", "dac_override")


def uid():
    return os.getuid() if os.getuid() else _other()[0]


def command(arguments):
    """The command line that runs these arguments as the server's user."""
    if os.getuid():
        return list(arguments)
    return [*_switch(), *arguments]


def give(path):
    """Hand a file or folder to the server's user."""
    if os.getuid() == 0:
        os.chown(path, *_other())


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)


def _other():
    for name in NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid:
            return entry.pw_uid, entry.pw_gid
    raise Trouble(
        "PostgreSQL does not run as root, and this machine has no user nobody: "
        "start as an ordinary user, or let PGHOST name a PostgreSQL server."
    )


@functools.lru_cache(maxsize=1)
def _switch():
    """The prefix that changes the user, with the least capability that reaches the clone."""
    user, group = _other()
    tool = shutil.which("setpriv")
    for capability in CAPABILITIES if tool else ():
        prefix = [tool, f"--reuid={user}", f"--regid={group}", "--clear-groups"]
        if capability:
            # Why no_setuid_fixup: PostgreSQL asks access() about its own programs, and for access() the
            # kernel forgets capabilities of a process that is not root, unless this bit is set.
            prefix += ["--securebits=+no_setuid_fixup", f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
        script = 'cd "$1" && exec "$2" --version'
        if process.ask([*prefix, "/bin/sh", "-c", script, "sh", paths.POSTGRES, sql.program("postgres")]):
            return tuple(prefix)
    raise Trouble(
        f"PostgreSQL does not run as root, and the user nobody cannot enter {paths.ROOT}: move the clone to a folder "
        "that everybody may enter (such as /srv), start as an ordinary user, or let PGHOST name a PostgreSQL server."
    )
