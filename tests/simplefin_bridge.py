"""SimpleFIN Bridge, as far as the adapter meets it; it can fail, and then repeats what it was sent."""

import base64
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/simplefin"


class Bridge:
    """One account.

    :param str claim: the secret part of a setup token's address
    :param str password: of the access URL
    """

    def __init__(self, claim, password):
        self.claim, self.password = claim, password
        self.fails = False

    @property
    def token(self):
        return base64.b64encode(f"{self.url}/claim/{self.claim}".encode()).decode()

    @property
    def access_url(self):
        return self.url.replace("://", f"://user:{self.password}@")

    def answer(self, path, headers):
        """:return: (status, media type, text)"""
        if path == f"{PREFIX}/claim/{self.claim}":
            return 200, "text/plain", self.access_url
        if self.fails:
            said = f"{headers.get('Authorization')} is refused for {self.access_url}accounts, password={self.password}"
            return 500, "application/json", json.dumps({"error": said})
        now = int(time.time())
        row = {"id": "T1", "posted": now - 86400, "amount": "-12.30", "description": "Coffee", "payee": "A cafe"}
        account = {"id": "A1", "conn_id": "C1", "name": "Everyday", "currency": "USD", "balance": "100.00"}
        accounts = [{**account, "balance-date": now, "transactions": [row]}]
        connections = [{"conn_id": "C1", "name": "My Bank", "org_id": "O1"}]
        return 200, "application/json", json.dumps({"errlist": [], "connections": connections, "accounts": accounts})


@contextmanager
def a_bridge(claim, password):
    """:return: :class:`Bridge` at ``url``, until the end"""
    bridge = Bridge(claim, password)

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, kind, text = bridge.answer(self.path.partition("?")[0], self.headers)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = handle_any

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    bridge.url = f"http://127.0.0.1:{server.server_port}{PREFIX}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield bridge
    finally:
        server.shutdown()
        server.server_close()
