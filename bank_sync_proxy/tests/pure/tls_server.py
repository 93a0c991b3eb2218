"""A real TLS server that answers only clients with a certificate, and the authority that issues certificates."""

import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .enable_banking_server import pem

DAY = timedelta(days=1)


@cache
def key_of(name):
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def issue(name, authority=None, key=None, begin=-DAY, end=DAY, moment=None, host="localhost"):
    """
    :param str authority: name of the authority that issues it; None: it is one itself
    :param timedelta begin: from when on it is valid, counted from ``moment``
    :return: PEM
    """
    moment = moment or datetime.now(timezone.utc)
    subject, issuer = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in (name, authority or name)
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key((key or key_of(name)).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment + begin)
        .not_valid_after(moment + end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
    )
    signed = builder.sign(key_of(authority or name), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def client(name="client", authority="authority", **options):
    """:return: (certificate, private key) in PEM"""
    return issue(name, authority, **options), pem(key_of(name))


@contextmanager
def serve(folder, host="localhost"):
    """
    :param str host: for which the server's own certificate is
    :return: (address, path of the authority's certificate, names of the clients that were let in)
    """
    authority, theirs = folder / "authority.pem", folder / "server.pem"
    authority.write_text(issue("authority"))
    theirs.write_text(issue("server", "authority", host=host) + pem(key_of("server")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def listen():
        with suppress(OSError):
            while True:
                connection, _address = listener.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection):
        connection.settimeout(10)
        beside = connection.dup()
        try:
            with (
                suppress(OSError),
                context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as tls,
            ):
                _answer(tls, seen)
                return
        finally:
            # Why: closed while the client still writes, its alert would be lost on the way.
            with suppress(OSError):
                beside.shutdown(socket.SHUT_WR)
                while beside.recv(4096):
                    pass
            beside.close()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"https://localhost:{listener.getsockname()[1]}/", str(authority), seen
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _answer(tls, seen):
    tls.do_handshake()
    name = dict(part[0] for part in tls.getpeercert()["subject"])["commonName"]
    seen.append(name)
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := tls.recv(4096)):
            return
        received += piece
    content = json.dumps({"name": name}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    tls.sendall(f"{head}Connection: close\r\n\r\n".encode() + content)


@contextmanager
def tunnel():
    """A network's own proxy.

    :return: (address, what was asked to be connected to)
    """
    listener, asked = socket.create_server(("127.0.0.1", 0)), []

    def listen():
        with suppress(OSError):
            while True:
                connection, _address = listener.accept()
                threading.Thread(target=connect, args=(connection,), daemon=True).start()

    def connect(connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        place = head.split()[1].decode()
        asked.append(place)
        host, _colon, port = place.rpartition(":")
        beyond = socket.create_connection((host, int(port)))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=pass_on, args=(beyond, connection), daemon=True).start()
        pass_on(connection, beyond)

    def pass_on(source, target):
        with suppress(OSError):
            while piece := source.recv(4096):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
