"""How requests reach the proxy.

A transport has two methods:

``call(operation, payload) -> answer``
    :raise ServiceUnavailable: without an answer

``for_threads() -> transport or None``
    a transport that any thread may call, outside the caller's transaction; its attribute ``threads`` is the maximum
    number of calls at the same time. None if only the thread that created the transport may call it.
"""

import json


class EmbeddedTransport:
    """Calls a proxy in the same process.

    :param dispatch: ``callable(operation: str, payload: dict) -> dict``, the proxy's entry point
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
            return json.loads(json.dumps(answer))
        except (ValueError, RecursionError):
            # Numbers of thousands of digits or deep nesting are not an answer, which the client reports.
            return None
