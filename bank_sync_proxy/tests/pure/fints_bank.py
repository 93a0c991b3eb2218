"""A bank's side of FinTS: messages in base64 over HTTP, their numbers watched, their answers as a script says."""

import base64
import re
from itertools import count

from fints.message import FinTSCustomerMessage

from .scripted import ScriptedServer

#: ``HITAN:7:HKTAN+…``: segment, version, and which segment of the request it answers.
HEAD = re.compile(rb"([A-Z]+):(\d+)(?::([A-Z]+))?")
USER_SEGMENTS = ("HNHBK", "HNVSK", "HNVSD", "HNHBS", "HNSHK", "HNSHA")
GOODBYE = {"says": ["HIRMG:2+0010::Nachricht entgegengenommen.+0100::Dialog beendet."]}


class FinTSServer(ScriptedServer):
    """Exchanges say ``says``: segments, without numbers; a text in braces is a binary field of
    ``binary``, which has its lines. Of a request, ``with`` names ``segments``, ``tan``, ``method`` etc.

    :ivar answer: callable(body of the request) that returns an exchange instead of the script, for a bank with a state
    """

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.answer = None
        self._dialogs, self._numbers = count(1), {}

    def _compare(self, exchange, request):
        request.body = read(request.raw)
        super()._compare(exchange, request)

    def _next(self, request):
        """A goodbye is answered always: a script is about what a bank is asked."""
        body, path = read(request.raw), request.path.removeprefix(self.prefix)
        self._follow(body)
        if body["segments"] == ["HKEND"]:
            return {**GOODBYE, "ask": f"POST {path}", "request": body}
        exchange = self.answer(body) if self.answer else super()._next(request)
        return exchange and {"ask": f"POST {path}", **exchange, "request": body}

    def _follow(self, body):
        """A bank ends a dialog whose messages are not numbered one after the other."""
        if body["dialog"] == "0":
            body["answers_as"] = f"DIALOG-{next(self._dialogs)}"
            expected = 1
        else:
            body["answers_as"] = body["dialog"]
            expected = self._numbers.get(body["dialog"], 0) + 1
        assert body["number"] == expected, f"message {body['number']} of {body['dialog']}, not {expected}"
        self._numbers[body["answers_as"]] = body["number"]

    def _answer(self, handler, exchange):
        if "says" in exchange:
            text = base64.b64encode(write(exchange, exchange["request"])).decode()
            exchange = {"type": "text/plain", **exchange, "text": text}
        super()._answer(handler, exchange)


def read(raw):
    """:return: what a message of a customer says, without its frame"""
    message = FinTSCustomerMessage(segments=base64.b64decode(raw))
    parts = [part for part in message.find_segments() if part.header.type not in USER_SEGMENTS]
    first = {part.header.type: part for part in message.find_segments()}
    body = {
        "segments": [part.header.type for part in parts],
        "places": {part.header.type: part.header.number for part in parts},
        "dialog": first["HNHBK"].dialog_id,
        "number": first["HNHBK"].message_number,
        "method": first["HNSHK"].security_function,
        "pin": str(first["HNSHA"].user_defined_signature.pin),
        "tan": first["HNSHA"].user_defined_signature.tan,
        "bank_code": first["HNSHK"].key_name.bank_identifier.bank_code,
        "user": first["HNSHK"].key_name.user_id,
        "system_id": first["HNSHK"].security_identification_details.identifier,
    }
    if "HKVVB" in first:
        body["product"] = first["HKVVB"].product_name
        body["customer"] = first["HKIDN"].customer_id
    if "HKTAN" in first:
        body["process"] = first["HKTAN"].tan_process
        body["medium"] = first["HKTAN"].tan_medium_name
    for name in ("HKKAZ", "HKCAZ"):
        if name in first:
            request = first[name]
            body |= {
                "iban": request.account.iban,
                "start": request.date_start and request.date_start.isoformat(),
                "end": request.date_end and request.date_end.isoformat(),
                "touchdown": request.touchdown_point,
            }
    if "HKSAL" in first:
        body["iban"] = first["HKSAL"].account.iban
    return body


def write(exchange, request):
    """:return: bytes of the bank's message"""
    inner = b""
    for number, text in enumerate(exchange["says"], 2):
        segment = text.encode("iso-8859-1")
        for name, lines in exchange.get("binary", {}).items():
            content = ("\r\n".join(lines) if isinstance(lines, list) else lines).encode("iso-8859-1")
            segment = segment.replace(b"{%s}" % name.encode(), b"@%d@%s" % (len(content), content))
        kind, version, of = HEAD.match(segment).groups()
        place = b":%d" % request["places"][of.decode()] if of else b""
        inner += b"%s:%d:%s%s%s'" % (kind, number, version, place, segment[HEAD.match(segment).end() :])
    frame = "HNVSK:998:3+PIN:1+998+1+2::0+1+2:2:13:@8@00000000:5:1+280:10020030:bank:V:0:0+0'"
    tail = b"%sHNVSD:999:1+@%d@%s'HNHBS:%d:1+%d'" % (
        frame.encode(),
        len(inner),
        inner,
        len(exchange["says"]) + 2,
        request["number"],
    )
    rest = f"+300+{request['answers_as']}+{request['number']}+{request['answers_as']}:{request['number']}'".encode()
    size = len(b"HNHBK:1:3+") + 12 + len(rest) + len(tail)
    return b"HNHBK:1:3+%012d%s%s" % (size, rest, tail)
