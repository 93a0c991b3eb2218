"""Servers that hold their clients: real sockets on this machine that answer as slowly as they can."""

import contextlib
import datetime
import gzip
import ipaddress
import socket
import ssl
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ZIPPED = gzip.compress(b"[" + b" " * 100_000 + b"]")
#: What is sent at once, and what is then repeated byte by byte for ever, before any time-out between two bytes.
DRIPS = {
    "status line": (b"", b"HTTP/1.1 200 OK"),
    "header": (HEAD + b"X-Slow: ", b"x"),
    "endless 100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body with its length": (HEAD + b"Content-Length: 1000000\r\n\r\n[", b" "),
    "body without a length": (HEAD + b"\r\n[", b" "),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "size of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    "zipped body": (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 1000000\r\n\r\n" + ZIPPED[:20], ZIPPED[20:21]),
    "silence": (b"", b""),
    "error page": (b"HTTP/1.1 503 Busy\r\nContent-Length: 1000000\r\n\r\n", b" "),
}
PAUSE = 0.02


class DrippingServer:
    """Serves while it is entered.

    :param bytes begin: sent at once
    :param bytes drip: repeated, byte by byte
    :param context: ``ssl.SSLContext`` to serve https
    :param bytes first: a whole answer to the first request of each connection, which is then kept open
    """

    def __init__(self, begin, drip, context=None, first=b""):
        self.connections = 0
        self._begin, self._drip, self._context, self._first = begin, drip, context, first
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._is_over = False
        self.address = f"{'https' if context else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *failure):
        self._is_over = True
        self._socket.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection):
        with contextlib.suppress(OSError), connection:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            connection.recv(65536)
            if self._first:
                connection.sendall(self._first)
                connection.recv(65536)
            connection.sendall(self._begin)
            while not self._is_over:
                for byte in self._drip:
                    connection.sendall(bytes([byte]))
                    time.sleep(PAUSE)
                if not self._drip:
                    time.sleep(PAUSE)


@contextlib.contextmanager
def swallowing():
    """:return: port that accepts no connection: its queue is full, and the system drops further ones"""
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _number in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for filler in fillers:
                filler.close()


def certificate(folder):
    """:return: (``ssl.SSLContext`` of a server on this machine, path of the certificate that vouches for it)"""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "certificate.pem", folder / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return context, str(path)
