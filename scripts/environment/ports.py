"""Ports to listen on."""

import socket
import time
import urllib.error
import urllib.request

from .console import Trouble

HOST = "127.0.0.1"


def need_free(port):
    with socket.socket() as probe:
        # Why: a port whose last server has just ended counts as free, as Odoo sees it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise Trouble(
                f"Port {port} cannot be used ({error.strerror if isinstance(error, OSError) else error}): "
                "end the program that uses it, or choose another one with --port."
            ) from None


def any_free():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_until_served(port, child, log, patience=120):
    """Return when Odoo answers on the port.

    :raise Trouble: when it ends or does not answer.
    """
    started = time.monotonic()
    while time.monotonic() - started < patience and child.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/web/health", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise Trouble("Odoo did not start serving: the log tells why.", log)
