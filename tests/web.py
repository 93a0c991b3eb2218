"""Web servers of tests: a function from a request to a response, served by Werkzeug while a block lasts."""

import json
import threading
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response


class _Quiet(WSGIRequestHandler):
    def log(self, *_arguments):
        """Nothing: a test records what it needs to know of requests."""


@contextmanager
def web_server(respond, context=None):
    """Serve requests, each in a separate thread.

    :param respond: takes a ``werkzeug.wrappers.Request``, returns a ``werkzeug.wrappers.Response``
    :param ssl.SSLContext context: of a server with TLS; None for one without
    :return: its address, until the end
    """
    server = make_server("127.0.0.1", 0, Request.application(respond), threaded=True, request_handler=_Quiet)
    if context:
        # Why not Werkzeug's way: it would wait for the handshake of connections that browsers open and never use.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def json_response(status, body):
    """:param body: anything that JSON can hold"""
    return Response(json.dumps(body), status, mimetype="application/json")
