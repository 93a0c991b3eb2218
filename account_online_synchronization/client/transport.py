"""How requests reach the proxy.

A transport has two methods:

``call(operation, payload) -> answer``
    :raise ServiceUnavailable: without an answer

``for_threads() -> transport or None``
    a transport that any thread may call, outside the caller's transaction; its attribute ``threads`` is the maximum
    number of calls at the same time. None if only the thread that created the transport may call it.
"""

import json

from odoo.addons.bank_sync_common.tools.bounded_http import parse_json

#: Values in an answer of the same process. Why more than over the network: GoCardless returns all transactions in one
#: page, and refusing it would end each synchronization of a large account.
MAX_VALUES = 10_000_000


class EmbeddedTransport:
    """Calls a proxy in the same process.

    :param dispatch: ``callable(operation: str, payload: dict) -> answer``, the proxy's entry point; it returns JSON as
        bytes, or an object
    :param in_threads: an :class:`EmbeddedTransport` whose entry point any thread may call, None without one
    :param int threads: how many threads may do so at the same time
    """

    def __init__(self, dispatch, in_threads=None, threads=1):
        self._dispatch = dispatch
        self._in_threads = in_threads
        self.threads = threads

    def for_threads(self):
        return self._in_threads

    def call(self, operation, payload):
        # Why through JSON: it behaves as over HTTP, and the sides share no objects.
        answer = self._dispatch(operation, json.loads(json.dumps(payload)))
        try:
            return parse_json(answer, MAX_VALUES) if isinstance(answer, bytes) else json.loads(json.dumps(answer))
        except (ValueError, RecursionError):
            # Numbers with thousands of digits, deep nesting or NaN: the client reports that this is not an answer.
            return None
