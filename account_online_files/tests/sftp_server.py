"""A real SFTP server for tests: paramiko's own server side, over a folder of the disk."""

import os
import socket
import threading
from contextlib import suppress

import paramiko

from odoo.addons.account_online_files.places.sftp import fingerprint


class Door(paramiko.ServerInterface):
    """Who may come in."""

    def __init__(self, server):
        self.server = server

    def get_allowed_auths(self, username):
        return "password,publickey"

    def check_auth_password(self, username, password):
        self.server.attempts.append(("password", username, password))
        self.server.on_sign_in(self.server.transports[-1])
        is_right = (username, password) == (self.server.user, self.server.password)
        return paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username, key):
        self.server.attempts.append(("publickey", username, fingerprint(key.asbytes())))
        is_right = username == self.server.user and key == self.server.client_key
        return paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED


class Files(paramiko.SFTPServerInterface):
    """Supports reading only. Attempts to change something are noted and refused."""

    def __init__(self, door, *_more, **_named):
        super().__init__(door)
        self.server = door.server

    def _path(self, path):
        return os.path.join(self.server.folder, path.lstrip("/"))

    def list_folder(self, path):
        try:
            names = os.listdir(self._path(path))
            found = []
            for name in names:
                # Why bytes: a name may be in any encoding.
                about = paramiko.SFTPAttributes.from_stat(os.lstat(self._path(f"{path}/{name}")), os.fsencode(name))
                found.append(about)
            return found
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def lstat(self, path):
        try:
            return paramiko.SFTPAttributes.from_stat(os.lstat(self._path(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    stat = lstat

    def open(self, path, flags, attr):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self.server.changes.append(("open", path))
            return paramiko.SFTP_PERMISSION_DENIED
        try:
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = open(self._path(path), "rb")  # noqa: SIM115
            handle.stat = lambda: paramiko.SFTPAttributes.from_stat(os.fstat(handle.readfile.fileno()))
            return handle
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def _refuse(self, *arguments):
        self.server.changes.append(arguments)
        return paramiko.SFTP_PERMISSION_DENIED

    remove = rename = mkdir = rmdir = chattr = symlink = posix_rename = _refuse


class SFTPServer:
    """Listens on a free port inside the ``with`` block.

    :ivar list attempts: (kind, user, password or fingerprint) of each attempt to sign in
    :ivar list changes: the attempts of clients to change something
    """

    def __init__(self, folder, user="bank", password="s3cret-word", client_key=None):
        self.folder, self.user, self.password, self.client_key = str(folder), user, password, client_key
        self.attempts, self.changes = [], []
        self.host_key = paramiko.ECDSAKey.generate()
        self.fingerprint = fingerprint(self.host_key.asbytes())

    def on_sign_in(self, transport):
        """Called before a password is checked; tests replace it to disturb the connection."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.transports = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_exception):
        # Why: closing alone would leave the thread waiting in ``accept``, and the port open.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        for transport in self.transports:
            transport.close()
        self.thread.join()
        self.listener.close()

    def _serve(self):
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                # The listener was shut down.
                return
            transport = paramiko.Transport(connection)
            self.transports.append(transport)
            transport.add_server_key(self.host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
            # Why OSError: who only reads the key may close the connection before the negotiation has ended.
            with suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(server=Door(self))
