"""Stop PostgreSQL after its last user has ended, in whatever way it ended.

A separate process, started with the server. It waits for the lock `use`, which every user shares; the kernel
hands it over when the last of them is gone, killed or not. So no script needs to clean up behind another.
"""

import fcntl
import signal
import subprocess
import sys
import time

from . import locks, paths, postgres
from .process import log_path


def ensure():
    """Have a keeper. To be called with the locks `setup` and `use` held."""
    descriptor = locks.try_lock("keeper")
    if descriptor is None:
        return
    locks.release(descriptor)
    with log_path("keeper").open("a", encoding="utf-8") as log:
        # Why no locks are passed on and a new session: it must outlive us without counting as a user.
        subprocess.Popen(
            [sys.executable, "-m", "environment.keeper"],
            cwd=paths.ROOT / "scripts",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def keep():
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    keeper = locks.try_lock("keeper")
    if keeper is None:
        return
    while True:
        users_gone = locks.lock("use", fcntl.LOCK_EX)
        setup = locks.try_lock("setup")
        if setup is not None:
            postgres.stop()
            # Why in this order: the next owner of `setup` must find no server and no keeper.
            locks.release(keeper)
            locks.release(setup)
            return
        # A user is just starting and will hold the lock in a moment.
        locks.release(users_gone)
        time.sleep(0.2)


if __name__ == "__main__":
    keep()
