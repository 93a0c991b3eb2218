"""Locks between scripts that run at the same time in one clone.

setup    held (alone) while something is set up, or the server is started or stopped
use      shared by every script and Odoo process that uses the environment
keeper   held by the process that stops PostgreSQL after the last user has gone

The kernel drops a lock when its holder dies, so a killed script leaves none behind.
"""

import fcntl
import os
import time
from contextlib import contextmanager

from . import paths
from .console import say

_held = {}


def try_lock(name, kind=fcntl.LOCK_EX):
    """The descriptor that holds the lock, or None when another process holds it."""
    descriptor = os.open(paths.LOCKS / name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def lock(name, kind=fcntl.LOCK_EX, waiting=None):
    """The descriptor that holds the lock, as soon as it is free.

    :param waiting: message for the user when that takes longer than a moment.
    """
    started = time.monotonic()
    while (descriptor := try_lock(name, kind)) is None:
        if waiting and time.monotonic() - started > 3:
            say(waiting)
            waiting = None
        time.sleep(0.1)
    return descriptor


def release(descriptor):
    # Why unlock before close: a child may hold a copy of the descriptor, and the lock lives as long as any copy.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


@contextmanager
def locked(name, waiting=None):
    descriptor = lock(name, waiting=waiting)
    try:
        yield
    finally:
        release(descriptor)


@contextmanager
def alone(waiting):
    """Be the only user. Programs started meanwhile hold the lock as well: should we be killed, they may live on."""
    _held["use"] = lock("use", waiting=waiting)
    try:
        yield
    finally:
        release(_held.pop("use"))


def use_environment():
    """Count this process, and what it starts, among the users until all of them have ended."""
    if "use" not in _held:
        _held["use"] = lock("use", fcntl.LOCK_SH)
        # Why: a script that turns into Odoo stays a user.
        os.set_inheritable(_held["use"], True)


def held_descriptors():
    return tuple(_held.values())
