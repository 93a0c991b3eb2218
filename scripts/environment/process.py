"""Start other programs: their output goes to a log, their failure becomes one sentence."""

import ctypes
import os
import signal
import subprocess

from . import locks, paths
from .console import Trouble

PR_SET_PDEATHSIG = 1


def log_path(name):
    return paths.LOGS / f"{name}.log"


def run(command, log, sentence, env=None, cwd=paths.ROOT, append=False):
    """Run a program to its end, with its output in a log.

    :param log: short name of the log file.
    :param sentence: message for the user when the program fails.
    :raise Trouble: when it fails.
    """
    path = log_path(log)
    with path.open("a" if append else "w", encoding="utf-8") as output:
        output.write(f"$ {' '.join(map(str, command))}\n")
        output.flush()
        code = wait(start(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output))
    if code:
        raise Trouble(sentence, path)


def ask(command, env=None):
    """The output of a program, or None when it fails or does not exist."""
    try:
        done = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def start(command, env=None, cwd=paths.ROOT, **streams):
    """Start a program that ends with this one, however this one ends.

    It gets a separate process group, so that Ctrl-C reaches only us and we end it in order; and it
    inherits the lock that keeps PostgreSQL running, so that it never loses its database.
    """
    parent = os.getpid()

    def follow_parent():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(
        list(map(str, command)),
        env=env,
        cwd=cwd,
        start_new_session=True,
        pass_fds=locks.held_descriptors(),
        preexec_fn=follow_parent,
        **streams,
    )


def wait(child):
    """Wait for a program; when we are asked to stop, it stops first."""
    try:
        return child.wait()
    except BaseException:
        stop(child)
        raise


def stop(child, patience=15):
    """End the program and what it started: politely, then firmly."""
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5)):
        if child.poll() is not None:
            return
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
