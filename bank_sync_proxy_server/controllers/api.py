import logging
import time

import psycopg2
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from odoo import SUPERUSER_ID, http
from odoo.addons.bank_sync_proxy.providers.errors import CODES, ProtocolError, TransientError
from odoo.addons.bank_sync_proxy.providers.masking import one_line
from odoo.addons.bank_sync_proxy.tools.json_logs import about
from odoo.http import request

from ..models.bank_sync_metrics import METRICS
from ..tools.received_request import MAX_BODY, ReceivedRequest

_logger = logging.getLogger(__name__)
#: One line for each request; --log-handler=odoo.addons.bank_sync_proxy_server.requests:WARNING silences them.
_requests = logging.getLogger("odoo.addons.bank_sync_proxy_server.requests")

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class BankSyncDispatcher(http.Dispatcher):
    """Requests are JSON and signed as raw bytes; answers are always JSON, also after failures.

    Odoo's dispatchers would parse forms, wrap answers, and send HTML pages or tracebacks.
    """

    routing_type = "bank_sync"
    received = None

    @classmethod
    def is_compatible_with(cls, request):
        return request.httprequest.path.startswith("/bank_sync/")

    def dispatch(self, endpoint, args):
        self.request.params = args
        return self.request.registry["ir.http"]._dispatch(endpoint)

    def handle_error(self, exc):
        """Last resort: the database fails, or has refused the transaction after all retries."""
        if isinstance(exc, HTTPException):
            error = ProtocolError("invalid_request", type(exc).__name__)
        elif isinstance(exc, psycopg2.OperationalError):
            error = TransientError("provider_unavailable", type(exc).__name__)
        else:
            error = ProtocolError("unexpected_answer", type(exc).__name__)
        reference = self.request.registry["bank.sync.error"]._new_reference(None)
        operation = self.received and self.received.operation
        with about(operation=one_line(operation or ""), reference=reference):
            _logger.error("%s failed: %s, %s", operation, reference, error)
        return json_response({"error": error.to_protocol(reference)})


class BankSyncApi(http.Controller):
    """The protocol over HTTP. Reads requests and writes answers; ``bank.sync.gate`` decides."""

    @http.route(
        ["/bank_sync/<int:version>", "/bank_sync/<int:version>/<path:operation>"],
        type="bank_sync",
        auth="none",
        csrf=False,
        save_session=False,
        readonly=False,
        # Why one byte more: a chunked body is cut off there without an error.
        max_content_length=MAX_BODY + 1,
        sitemap=False,
    )
    def answer(self, version, operation=None):
        # Why the superuser: the caller is not a user of this database; the gate identifies the client.
        # sudo: the caller is not a user of this database: bank.sync.gate checks the signature before anything is done
        request.update_env(user=SUPERUSER_ID, context={})
        dispatcher = request.dispatcher
        if dispatcher.received is None:
            dispatcher.received = self._read(version)
        started = time.monotonic()
        answer = request.env["bank.sync.gate"]._answer(dispatcher.received)
        self._note(dispatcher.received, answer, time.monotonic() - started)
        return json_response(answer, dispatcher.received.method)

    @staticmethod
    def _note(received, answer, seconds):
        """Count the request, and log one line with client, operation and outcome."""
        api, error = request.env["bank.sync.api"], answer.get("error") or {}
        is_known = received.operation in api._operations() or received.operation in api._unsigned_operations()
        operation, outcome = received.operation if is_known else "unknown", error.get("code", "ok")
        METRICS.count_request(operation, outcome, seconds)
        milliseconds = round(1000 * seconds)
        with about(
            operation=operation,
            outcome=outcome,
            milliseconds=milliseconds,
            client=received.client or None,
            reference=error.get("reference"),
        ):
            _requests.info("%s of client %s: %s in %d ms", operation, received.client, outcome, milliseconds)

    @staticmethod
    def _read(version):
        http_request = request.httprequest
        try:
            body = http_request.get_data()
        except RequestEntityTooLarge:
            body = None
        except (HTTPException, OSError):
            # The body is shorter than announced, or chunked without a length: not JSON in either case.
            body = b""
        return ReceivedRequest(
            method=http_request.method,
            version=version,
            path=http_request.path,
            has_query=bool(http_request.query_string),
            headers=http_request.headers,
            body=body if body is None or len(body) <= MAX_BODY else None,
            address=http_request.remote_addr or "",
        )


def json_response(answer, method="POST"):
    """:param dict answer: of docs/protocol.md"""
    error, status, headers = answer.get("error"), 200, dict(HEADERS)
    if error:
        status = CODES[error["code"]].status
        if error["retry_after"] and status in (429, 503):
            headers["Retry-After"] = str(error["retry_after"])
    if method != "POST" and status == CODES["invalid_request"].status:
        status, headers["Allow"] = 405, "POST"
    return request.make_json_response(answer, headers=list(headers.items()), status=status)
