"""A small HTTP server that speaks the protocol as docs/protocol.md says, for tests. No bank is behind it."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from odoo.addons.bank_sync_common.tools import signing

#: Credentials of the one client that the server knows.
CLIENT, SECRET, DATABASE = "c" * 32, "a-secret-of-tests", "d" * 64


class ProxyServer:
    """Serves on a free port of this machine while it is entered.

    :param dispatch: ``callable(operation, payload) -> answer``
    :param context: ``ssl.SSLContext`` to serve https
    """

    def __init__(self, dispatch, context=None):
        self.dispatch = dispatch
        #: What came: (operation, headers).
        self.requests = []
        #: Nonces of genuine requests.
        self.nonces = []
        #: By client id: all secrets that are valid, and the database that was registered, None for any.
        self.secrets, self.databases = {CLIENT: [SECRET]}, {}
        #: Functions from a handler to None, each of which deals with one request instead of an answer.
        self.disturbances = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._scheme = "https" if context else "http"
        if context:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)

    @property
    def address(self):
        return f"{self._scheme}://127.0.0.1:{self._http.server_port}/below"

    def __enter__(self):
        # Why so short: each test waits for it at its end.
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *failure):
        self._http.shutdown()
        self._http.server_close()

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                path = self.path.removeprefix("/below")
                operation = path.removeprefix("/bank_sync/1/")
                server.requests.append((operation, dict(self.headers)))
                if server.disturbances:
                    server.disturbances.pop(0)(self)
                    return
                reply(self, *server.answer(operation, path, self.headers, body))

            def log_message(self, *_arguments):
                pass

        return Handler

    def answer(self, operation, path, headers, body):
        """:return: status, JSON object"""
        if operation != "clients.register":
            try:
                signed = signing.read_headers(headers)
            except signing.Malformed:
                return refusal("invalid_request", 400)
            secret = signing.is_genuine(signed, self.secrets.get(signed.client, []), "POST", path, body)
            if not secret:
                return refusal("signature_rejected", 401)
            if signed.nonce in self.nonces:
                return refusal("request_replayed", 401)
            self.nonces.append(signed.nonce)
            if self.databases.setdefault(signed.client, signed.database) != signed.database:
                return refusal("database_copied", 403)
            # As the protocol says: with its first use a new secret makes the old one void.
            self.secrets[signed.client] = self.secrets[signed.client][self.secrets[signed.client].index(secret) :]
        answer = self.dispatch(operation, json.loads(body))
        return (409 if isinstance(answer, dict) and answer.get("error") else 200), answer


def refusal(code, status):
    return status, {"error": {"code": code, "message": f"Sentence of {code}.", "action": "reconnect"}}


def reply(handler, status, answer):
    write(handler, status, json.dumps(answer).encode())


def write(handler, status, content, content_type="application/json", **headers):
    handler.send_response(status)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(len(content)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def context_with(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
