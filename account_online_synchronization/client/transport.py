"""How a question reaches the proxy.

A transport has two methods:

``call(operation, payload) -> answer``
    :raise ServiceUnavailable: when nobody answers

``for_threads() -> transport or None``
    a transport that ``threads`` threads may call at the same time (an attribute of it), without any transaction of the
    caller; None where only the thread that made the transport may call it.
"""

import json


class EmbeddedTransport:
    """Calls a proxy that lives in the same process.

    :param dispatch: ``callable(operation: str, payload: dict) -> dict``, the proxy's entry point
    :param in_threads: an :class:`EmbeddedTransport` whose entry point any thread may call, None where there is none
    :param int threads: how many threads may do so at the same time
    """

    def __init__(self, dispatch, in_threads=None, threads=1):
        self._dispatch = dispatch
        self._in_threads = in_threads
        self.threads = threads

    def for_threads(self):
        return self._in_threads

    def call(self, operation, payload):
        # Through JSON and back: what works here works over HTTP too, and neither side sees the other's objects.
        answer = self._dispatch(operation, json.loads(json.dumps(payload)))
        try:
            return json.loads(json.dumps(answer))
        except (ValueError, RecursionError):
            # Numbers of thousands of digits, endless nesting: no answer, and the client says so.
            return None
