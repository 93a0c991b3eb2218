"""A folder of an SFTP server, with paramiko, which is optional.

The server's key is pinned: without its fingerprint, or with another one, no user name and no password is sent. Private
networks are only allowed by the operator: the name is resolved once, all its addresses are checked, and a checked one
is used for the connection.
"""

import base64
import hashlib
import io
import logging
import socket
import stat
import threading
from contextlib import contextmanager, suppress

from odoo.addons.bank_sync_common.tools.addresses import is_public
from odoo.addons.bank_sync_common.tools.bounded_http import Deadline, resolve

from .common import Changed, Entry, PlaceError, checked, is_usable

#: Seconds without an answer: to connect, to sign in, and between two packets.
TIMEOUT = 20
#: Seconds for a complete step, also with a slow server: to connect and sign in, to list the folder; to read one file.
STEP_SECONDS, FILE_SECONDS = 60, 600
#: Seconds between keepalive packets, so that the server does not disconnect while a file is imported.
KEEP_ALIVE = 30
PORT = 22
#: Why a separate logger with the highest level: the library logs data that the server has sent.
LOG = f"{__name__}.paramiko"
logging.getLogger(LOG).setLevel(logging.CRITICAL)


def fingerprint(key):
    """:param bytes key: public key of a server
    :return: in the format of OpenSSH, such as ``SHA256:…``
    """
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


class SFTP:
    """
    :param str host_key: fingerprint that a user has confirmed; empty if there is none yet
    :param str private_key: in OpenSSH or PEM format, without a passphrase; empty for a password
    :param bool allow_private: also allow servers in private networks
    """

    def __init__(self, host, port, user, path="", *, host_key="", password="", private_key="", allow_private=False):
        self.address, self.user, self.path = (host, port or PORT), user or "", path or "."
        self.host_key, self.password, self.private_key = host_key, password, private_key
        self.allow_private = allow_private
        self.socket = self.transport = self.client = None
        #: Whether the server has shown the key that was confirmed.
        self.is_confirmed = False
        #: Whether a password or a key has been sent that the server has not answered yet.
        self.is_signing_in = False

    def __enter__(self):
        paramiko = _library()
        try:
            with self._bounded(STEP_SECONDS):
                self._connect(paramiko)
                self._check_host_key()
                self._sign_in(paramiko)
                self.client = paramiko.SFTPClient.from_transport(self.transport)
                self.client.get_channel().settimeout(TIMEOUT)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_exception):
        self._close()

    def offered_key(self):
        """The key that the server offers before signing in.

        :return: fingerprint
        """
        paramiko = _library()
        try:
            with self._bounded(STEP_SECONDS):
                self._connect(paramiko)
                return fingerprint(self.transport.get_remote_server_key().asbytes())
        finally:
            self._close()

    def entries(self):
        """:return: list of :class:`.Entry`, oldest first"""
        with self._bounded(STEP_SECONDS):
            return checked(map(self._entry, self.client.listdir_iter(self.path)))

    def content(self, entry, limit):
        """As :meth:`.Folder.content`."""
        if not is_usable(entry.name):
            raise PlaceError("not_below_root")
        path = f"{self.path}/{entry.name}"
        try:
            with self._bounded(FILE_SECONDS):
                self._check(path, entry)
                with self.client.open(path, "rb") as stream:
                    stream.prefetch(min(entry.size, limit + 1))
                    content = stream.read(limit + 1)
                self._check(path, entry)
        except PlaceError as error:
            if error.code == "no_folder":
                raise Changed(entry.name) from None
            raise
        return content

    @staticmethod
    def _entry(found):
        if not stat.S_ISREG(found.st_mode or 0):
            return None
        return Entry(found.filename, found.st_size or 0, int(found.st_mtime or 0))

    def _check(self, path, entry):
        about = self.client.lstat(path)
        found = about.st_size or 0, int(about.st_mtime or 0)
        if not stat.S_ISREG(about.st_mode or 0) or found != (entry.size, entry.modified):
            raise Changed(entry.name)

    def _connect(self, paramiko):
        self.socket = self._open_socket()
        self.deadline.watch(self.socket)
        self.transport = paramiko.Transport(self.socket)
        self.transport.set_log_channel(LOG)
        self.transport.auth_timeout = TIMEOUT
        # Why longer: `_negotiate` limits the whole negotiation, of which the banner is the first part.
        self.transport.banner_timeout = STEP_SECONDS
        self._negotiate(paramiko)
        self.transport.set_keepalive(KEEP_ALIVE)

    def _negotiate(self, paramiko):
        # Why an event: after its timeout, which uses the wall clock, the library returns as if it had succeeded.
        ended = threading.Event()
        self.transport.start_client(event=ended)
        if not ended.wait(TIMEOUT):
            raise TimeoutError(f"no answer within {TIMEOUT} seconds")
        if not self.transport.is_active():
            # Why any exception: the library raises various ones for invalid data.
            raise paramiko.SSHException(self.transport.get_exception() or "the connection was closed")

    def _open_socket(self):
        host, port = self.address
        addresses = resolve(host, port)
        if not self.allow_private and not all(map(is_public, addresses)):
            raise PlaceError("private_address")
        failure = OSError()
        for address in addresses:
            try:
                # Why the address and not the name: resolved again, the name could give another address.
                return socket.create_connection((address, port), timeout=TIMEOUT)
            except OSError as error:
                failure = error
        raise failure

    def _check_host_key(self):
        offered = fingerprint(self.transport.get_remote_server_key().asbytes())
        if not self.host_key:
            raise PlaceError("unknown_host_key", offered)
        if offered != self.host_key.strip():
            raise PlaceError("other_host_key", offered)
        self.is_confirmed = True

    def _sign_in(self, paramiko):
        """Sign in.

        :raise PlaceError: ``refused`` only if the server refuses; a lost connection does not mean a wrong password, but
            some servers only disconnect after one, so it is ``sign_in_ended``
        """
        key = _private_key(paramiko, self.private_key) if self.private_key else None
        self.is_signing_in = True
        try:
            if key:
                self.transport.auth_publickey(self.user, key)
            else:
                self.transport.auth_password(self.user, self.password or "", fallback=False)
        except paramiko.AuthenticationException:
            # Why the user name: the library raises the same exception if the connection is lost or the server does not
            # answer, but clears the name only after a refusal.
            is_refused = self.transport.auth_handler.get_username() is None
            raise PlaceError("refused" if is_refused else "sign_in_ended") from None
        self.is_signing_in = False

    @contextmanager
    def _bounded(self, seconds):
        """Run one step with a time limit, and convert the library's exceptions to :class:`.PlaceError`."""
        paramiko = _library()
        try:
            with Deadline(seconds) as self.deadline:
                if self.socket:
                    self.deadline.watch(self.socket)
                yield
        except FileNotFoundError:
            raise PlaceError("no_folder", self.path) from None
        except PermissionError:
            raise PlaceError("not_allowed", self.path) from None
        except UnicodeDecodeError:
            raise PlaceError("bad_name") from None
        except (OSError, EOFError, paramiko.SSHException, paramiko.SFTPError) as error:
            raise self._broken(error) from None

    def _broken(self, error):
        if self.is_signing_in:
            return PlaceError("sign_in_ended")
        return PlaceError("ended" if self.is_confirmed else "no_answer", _words(error))

    def _close(self):
        for part in (self.client, self.transport, self.socket):
            if part:
                with suppress(Exception):
                    part.close()
        self.client = self.transport = self.socket = None
        self.is_confirmed = self.is_signing_in = False


def _library():
    try:
        import paramiko
    except ImportError:
        raise PlaceError("no_library") from None
    return paramiko


def _private_key(paramiko, text):
    """:raise PlaceError: if the text is not a private key, or needs a passphrase"""
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with suppress(paramiko.SSHException, ValueError, IndexError):
            return kind.from_private_key(io.StringIO(text.strip() + "\n"))
    raise PlaceError("bad_key")


def _words(error):
    """The message of an untrusted server as one short line, without the number of a system error."""
    words = getattr(error, "strerror", None) or str(error)
    return "".join(letter if letter.isprintable() else " " for letter in words)[:200]
