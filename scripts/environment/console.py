"""What the user sees: steps with their progress, and one sentence when something goes wrong."""

import errno
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager

from . import paths


class Trouble(Exception):
    """Expected trouble: a sentence that says what, why and what now, perhaps with a log to read.

    :param sentence: for the person at the terminal.
    :param log: path of the log with the whole story; its last lines are shown.
    """

    def __init__(self, sentence, log=None, lines=8):
        super().__init__(sentence)
        self.log = log
        self.lines = lines


def say(text):
    print(text, flush=True)


def complain(text):
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title):
    """Show the title, the passing seconds on a terminal, and how long it took."""
    started = time.monotonic()
    over = threading.Event()
    if sys.stdout.isatty():
        threading.Thread(target=_tick, args=(title, started, over), daemon=True).start()
    else:
        say(f"{title} …")
    try:
        yield
    except BaseException:
        over.set()
        if sys.stdout.isatty():
            say("")
        raise
    over.set()
    seconds = time.monotonic() - started
    say(f"\r{title}: {seconds:.0f} s  " if sys.stdout.isatty() else f"  … {seconds:.0f} s")


def _tick(title, started, over):
    while not over.is_set():
        print(f"\r{title} … {time.monotonic() - started:.0f} s", end="", flush=True)
        over.wait(1)


def tail(log, lines):
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def command(main):
    """Run a script's main function and end the process the way a user expects."""
    signal.signal(signal.SIGTERM, _stop)
    for stream in (sys.stdout, sys.stderr):
        # Why: an old terminal without our dots and lines shows question marks instead of a traceback.
        stream.reconfigure(errors="replace")
    try:
        code = main(sys.argv[1:])
    except Trouble as trouble:
        _report(trouble)
        code = 1
    except KeyboardInterrupt:
        complain("\nStopped. The next start continues from here.")
        code = 130
    except BrokenPipeError:
        # Why devnull: Python flushes stdout once more on exit and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        complain(_explain(error))
        code = 1
    sys.exit(code)


def _stop(signum, frame):
    raise KeyboardInterrupt


def _report(trouble):
    if trouble.log:
        for line in tail(trouble.log, trouble.lines):
            complain(f"  | {line}")
        complain(f"{trouble} The whole log: {trouble.log}")
    else:
        complain(str(trouble))


def _explain(error):
    if error.errno == errno.ENOSPC:
        return "The disk is full: make room (a first set-up needs 4 GB) and start again; it continues where it stopped."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"No permission to write {error.filename or paths.HERE}: it belongs to another user or a read-only disk; "
            f"start as its owner, or remove {paths.HERE} and start again."
        )
    return f"The operating system refused something ({error}); nothing is lost, start again."
