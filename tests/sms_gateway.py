"""A gateway for text messages, as Odoo's own speaks (``/api/sms/3/send``). It sends nothing and remembers everything.

Point the system parameter ``sms.endpoint`` of a database at ``url``.
"""

import re
import threading
import time
from typing import NamedTuple

from werkzeug.wrappers import Response

from .web import json_response, web_server

CODE = re.compile(r"\b\d{6}\b")


class Message(NamedTuple):
    number: str
    content: str


class SmsGateway:
    """Listens while it is used as a context manager.

    :param str state: what it answers for each message: ``success``, or a failure of Odoo's gateway such as
        ``insufficient_credit`` or ``wrong_number_format``
    :param float latency: seconds until it answers
    """

    def __init__(self, state="success", latency=0.0):
        self.state, self.latency = state, latency
        #: All :class:`Message` objects that it took, the last one at the end.
        self.messages = []
        self._lock = threading.Lock()
        self._server = None
        self.url = None

    def __enter__(self):
        self._server = web_server(self._respond)
        self.url = self._server.__enter__()
        return self

    def __exit__(self, *exception):
        self._server.__exit__(*exception)

    def sent_to(self, number):
        """:return: texts of all messages to a number, oldest first"""
        with self._lock:
            return [message.content for message in self.messages if message.number == number]

    def code_for(self, number):
        """:param str number: in the international form, such as ``+32470123456``
        :return: the code of the last message to this number, or None
        """
        codes = [CODE.search(content) for content in self.sent_to(number)]
        return codes[-1].group() if codes and codes[-1] else None

    def take(self, params):
        """:return: what Odoo's gateway answers: one result for each number"""
        time.sleep(self.latency)
        results = []
        for message in params["messages"]:
            for receiver in message["numbers"]:
                if self.state == "success":
                    with self._lock:
                        self.messages.append(Message(receiver["number"], message["content"]))
                results.append({"uuid": receiver["uuid"], "state": self.state, "credit": 1})
        return results

    def _respond(self, asked):
        if asked.path != "/api/sms/3/send":
            return Response(status=404)
        request = asked.get_json(force=True)
        return json_response(200, {"jsonrpc": "2.0", "id": request["id"], "result": self.take(request["params"])})
