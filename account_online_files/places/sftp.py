"""A folder of an SFTP server, with paramiko, which is optional.

The server's key is pinned: without its fingerprint, or with another one, no user name and no password is sent.
"""

import base64
import hashlib
import io
import socket
import stat
from contextlib import suppress

from .common import Changed, Entry, PlaceError, checked, is_usable

#: Seconds for each step: to connect, to sign in, and between two packets.
PATIENCE = 20
PORT = 22


def fingerprint(key):
    """:param bytes key: public key of a server
    :return: as OpenSSH shows it, such as ``SHA256:…``
    """
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


class SFTP:
    """
    :param str host_key: fingerprint that somebody has confirmed; empty: none yet
    :param str private_key: in the form of OpenSSH or PEM, without a passphrase; empty for a password
    """

    def __init__(self, host, port, user, path="", *, host_key="", password="", private_key=""):
        self.address, self.user, self.path = (host, port or PORT), user or "", path or "."
        self.host_key, self.password, self.private_key = host_key, password, private_key
        self.transport = self.client = None

    def __enter__(self):
        paramiko = _library()
        try:
            self._connect(paramiko)
            self._check_host_key()
            self._sign_in(paramiko)
            self.client = paramiko.SFTPClient.from_transport(self.transport)
            self.client.get_channel().settimeout(PATIENCE)
        except PlaceError:
            self._close()
            raise
        except paramiko.AuthenticationException:
            self._close()
            raise PlaceError("refused") from None
        except (OSError, EOFError, paramiko.SSHException) as error:
            self._close()
            raise PlaceError("no_answer", _words(error)) from None
        return self

    def __exit__(self, *_exception):
        self._close()

    def offered_key(self):
        """What the server shows before anybody has signed in.

        :return: fingerprint
        """
        paramiko = _library()
        try:
            self._connect(paramiko)
            return fingerprint(self.transport.get_remote_server_key().asbytes())
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise PlaceError("no_answer", _words(error)) from None
        finally:
            self._close()

    def entries(self):
        """:return: list of :class:`.Entry`, oldest first"""
        with self._asked():
            return checked(map(self._entry, self.client.listdir_iter(self.path)))

    def content(self, entry, limit):
        """As :meth:`.Folder.content`."""
        if not is_usable(entry.name):
            raise PlaceError("not_below_root")
        path = f"{self.path}/{entry.name}"
        try:
            with self._asked():
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
        connection = socket.create_connection(self.address, timeout=PATIENCE)
        self.transport = paramiko.Transport(connection)
        self.transport.banner_timeout = self.transport.auth_timeout = PATIENCE
        self.transport.start_client(timeout=PATIENCE)

    def _check_host_key(self):
        offered = fingerprint(self.transport.get_remote_server_key().asbytes())
        if not self.host_key:
            raise PlaceError("unknown_host_key", offered)
        if offered != self.host_key.strip():
            raise PlaceError("other_host_key", offered)

    def _sign_in(self, paramiko):
        if self.private_key:
            self.transport.auth_publickey(self.user, _private_key(paramiko, self.private_key))
        else:
            self.transport.auth_password(self.user, self.password or "", fallback=False)

    def _asked(self):
        return _Asked(self.path)

    def _close(self):
        for part in (self.client, self.transport):
            if part:
                with suppress(Exception):
                    part.close()
        self.client = self.transport = None


class _Asked:
    """Turns what the library raises while the server is asked into our errors."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _traceback):
        if kind is None or issubclass(kind, (PlaceError, Changed)):
            return
        if issubclass(kind, FileNotFoundError):
            raise PlaceError("no_folder", self.path) from None
        if issubclass(kind, PermissionError):
            raise PlaceError("not_allowed", self.path) from None
        if issubclass(kind, (OSError, EOFError, _library().SSHException)):
            raise PlaceError("no_answer", _words(error)) from None


def _library():
    try:
        import paramiko
    except ImportError:
        raise PlaceError("no_library") from None
    return paramiko


def _private_key(paramiko, text):
    """:raise PlaceError: for what is no private key, or has a passphrase"""
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with suppress(paramiko.SSHException, ValueError, IndexError):
            return kind.from_private_key(io.StringIO(text.strip() + "\n"))
    raise PlaceError("bad_key")


def _words(error):
    """What a stranger's server has said: one short line."""
    return "".join(letter if letter.isprintable() else " " for letter in str(error))[:200]
