import json
import logging
import socket
from contextlib import suppress
from urllib.parse import urlsplit

from odoo.addons.bank_sync_common.tools import signing
from odoo.tests import HOST, tagged
from odoo.tools import mute_logger

from ..tools.received_request import MAX_BODY
from .door import SECRET, DoorCase

PATH = "/bank_sync/1/institutions.search"
#: What an attacker puts into a body; it must stand nowhere afterwards.
RECOGNIZABLE = "recognizable-and-secret"


@tagged("post_install", "-at_install")
class TestAttacks(DoorCase):
    """What an attacker tries over HTTP: each is refused as documented, and leaves a record without its content."""

    def assertRefused(self, response, code, status):
        record = super().assertRefused(response, code, status)
        self.assertEqual(record.address, "127.0.0.1")
        self.assertNotIn(RECOGNIZABLE, f"{record.read()}")
        self.assertFalse(record.request)
        return record

    def raw(self, text):
        """Send bytes that no HTTP library would.

        :param text: str or bytes
        :return: (status, all that came)
        """
        data = text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode()
        self.env.flush_all()
        self.env.cr.clear()
        where = (HOST, urlsplit(self.base_url()).port)
        with self.allow_requests(all_requests=True), socket.create_connection(where, timeout=10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return int(answer.split(b" ", 2)[1]) if answer else 0, answer.decode()

    @staticmethod
    def head(path, headers, method="POST", more=()):
        """:return: text of a request's head, for :meth:`raw`"""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\n".join([*lines, *more, "", ""])

    def assertRawRefused(self, answered, code, status):
        self.assertEqual(answered[0], status, answered[1])
        error = json.loads(answered[1].partition("\r\n\r\n")[2])["error"]
        self.assertEqual(error["code"], code)
        self.assertTrue(self.env["bank.sync.error"].search([("reference", "=", error["reference"])]))
        self.assertEqual(answered[1].count("HTTP/1."), 1, "one request has one answer")

    # -------------------------------------------------------------------------
    # SIGNATURES
    # -------------------------------------------------------------------------

    def test_a_replay(self):
        body = b'{"query": "demo"}'
        headers = self.headers(PATH, body)
        self.assertEqual(self.send(PATH, body, headers).status_code, 200)
        record = self.assertRefused(self.send(PATH, body, headers), "request_replayed", 401)
        self.assertEqual(record.client_id, self.client_record)

    def test_a_replay_of_a_request_that_failed(self):
        path, body = "/bank_sync/1/connections.get", b'{"connection_id": "none"}'
        headers = self.headers(path, body)
        self.assertEqual(self.send(path, body, headers).status_code, 404)
        self.assertRefused(self.send(path, body, headers), "request_replayed", 401)

    def test_a_replay_of_a_request_that_came_too_often(self):
        self.env["ir.config_parameter"].set_param("bank_sync_proxy.requests_per_minute", "1")
        self.ask_successfully("institutions.search")
        headers = self.headers(PATH, b"{}")
        self.assertRefused(self.send(PATH, b"{}", headers), "too_many_requests", 429)
        self.assertRefused(self.send(PATH, b"{}", headers), "request_replayed", 401)

    def test_a_nonce_of_one_client_is_free_for_another(self):
        other = self.other_client
        other._write_secrets(current=SECRET)
        headers = self.headers(PATH, b"{}")
        self.assertEqual(self.send(PATH, b"{}", headers).status_code, 200)
        signed = signing.read_headers(headers)
        signature = signing.sign(
            SECRET, other.identifier, signed.database, signed.timestamp, signed.nonce, "POST", PATH, b"{}"
        )
        changed = {signing.CLIENT: other.identifier, signing.SIGNATURE: signature}
        self.assertEqual(self.send(PATH, b"{}", {**headers, **changed}).status_code, 200)

    def test_a_body_or_path_that_is_not_the_signed_one(self):
        headers = self.headers(PATH, b'{"query": "demo"}')
        for path, body in (
            (PATH, b'{"query": "demO"}'),
            (PATH, b'{"query": "demo"} '),
            ("/bank_sync/1/accounts.list", b'{"query": "demo"}'),
        ):
            with self.subTest(path=path, body=body):
                self.assertRefused(self.send(path, body, headers), "signature_rejected", 401)

    def test_a_header_that_is_not_the_signed_one(self):
        for changed in (
            {signing.CLIENT: self.other_client.identifier},
            {signing.CLIENT: "0" * 32},
            {signing.DATABASE: "e" * 64},
            {signing.TIMESTAMP: "1790000000"},
            {signing.NONCE: "n" * 24},
            {signing.SIGNATURE: "0" * 64},
        ):
            with self.subTest(changed=changed):
                record = self.assertRefused(self.knock("accounts.list", changed=changed), "signature_rejected", 401)
                self.assertNotIn(next(iter(changed.values())), f"{record.read()}")

    def test_an_unknown_client_and_a_wrong_secret_are_the_same_answer(self):
        unknown = self.knock("accounts.list", changed={signing.CLIENT: "0" * 32}).json()["error"]
        wrong = self.knock("accounts.list", secret="wrong").json()["error"]
        for error in (unknown, wrong):
            error.pop("reference")
        self.assertEqual(unknown, wrong)

    def test_a_header_that_is_missing_or_malformed(self):
        for name in signing.SHAPES:
            for value in (None, "", "x", "é" * 64, "A" * 64, "a" * 65, "a" * 64 + "," + "a" * 64):
                with self.subTest(name=name, value=value):
                    changed = {name: value.encode() if value else value}
                    if name == signing.NONCE and value == "A" * 64:
                        continue
                    self.env["bank.sync.error"].search([]).unlink()
                    self.assertRefused(self.knock("accounts.list", changed=changed), "invalid_request", 400)

    def test_clocks_that_differ(self):
        for moved in (-320, 320, -86400, 10**9):
            with self.subTest(moved=moved):
                self.assertRefused(self.knock("institutions.search", moved=moved), "clock_skew", 401)
        self.assertEqual(self.knock("institutions.search", moved=-280).status_code, 200)
        self.assertEqual(self.knock("institutions.search", moved=280).status_code, 200)

    def test_a_client_without_a_secret_can_t_be_spoken_for(self):
        embedded = self.env["bank.sync.client"]._get_embedded()
        for secret in ("", "False", "0" * 43):
            with self.subTest(secret=secret):
                response = self.knock("institutions.search", client=embedded, secret=secret)
                self.assertRefused(response, "signature_rejected", 401)

    def test_another_client_s_connection_does_not_exist(self):
        connection = self.connect_in_process()
        account = self.ask_successfully("accounts.list", connection_id=connection)["accounts"][0]["id"]
        self.other_client._write_secrets(current=SECRET)
        payload = {"connection_id": connection, "account_id": account, "return_url": "https://db.example/x"}
        payload |= {"reason": "consent", "user_present": True}
        operations = [
            name
            for name in self.api_model._operations()
            if name.startswith(("connections.", "accounts.", "transactions.")) and name != "connections.start"
        ]
        self.assertGreaterEqual(len(operations), 6)
        for operation in operations:
            with self.subTest(operation=operation):
                response = self.knock(operation, payload, client=self.other_client)
                self.assertEqual((response.status_code, response.json()["error"]["code"]), (404, "unknown_connection"))
        self.assertEqual(
            self.ask_successfully("connections.get", connection_id=connection)["connection"]["state"], "connected"
        )

    # -------------------------------------------------------------------------
    # PATHS, METHODS, HEADERS
    # -------------------------------------------------------------------------

    def test_paths_that_are_not_quite_an_operation(self):
        for path in (
            "/bank_sync/1",
            "/bank_sync/1/",
            "/bank_sync/1/accounts.list/",
            "/bank_sync/1/accounts.list/x",
            "/bank_sync/1/../1/accounts.list",
            "/bank_sync/1/x/../accounts.list",
            "/bank_sync/1/%2e%2e/accounts.list",
            "/bank_sync/1/accounts.list%2f",
            "/bank_sync/1/accounts.list%00",
            "/bank_sync/1/accounts%2flist",
            "/bank_sync/01/accounts.list",
            "/bank_sync/1/accounts.list;x",
            "/bank_sync/1/аccounts.list",
        ):
            with self.subTest(path=path):
                answered = self.raw(self.head(path.encode().decode("latin-1"), {"Content-Length": 2}) + "{}")
                self.assertRawRefused(answered, "invalid_request", 400)

    def test_unknown_paths_reach_no_operation(self):
        for path in (
            "/BANK_SYNC/1/accounts.list",
            "//bank_sync/1/accounts.list",
            "/x/bank_sync/1/accounts.list",
            "/bank_sync//1/accounts.list",
            "/bank_sync/1//accounts.list",
            "/bank_sync/1/accounts.list%0aGET",
        ):
            with self.subTest(path=path):
                headers = {**self.headers("/bank_sync/1/accounts.list", b"{}"), "Content-Length": 2}
                status, answer = self.raw(self.head(path, headers) + "{}")
                self.assertIn(status, (400, 404))
                self.assertNotIn('"accounts"', answer)
                self.assertNotIn("Traceback", answer)

    def test_an_operation_that_does_not_exist(self):
        for operation in ("accounts.List", "ACCOUNTS.LIST", "no.such", "__init__", "_run"):
            with self.subTest(operation=operation):
                response = self.knock(operation)
                self.assertEqual((response.status_code, response.json()["error"]["code"]), (400, "invalid_request"))

    def test_another_version(self):
        for path in ("/bank_sync/2/accounts.list", "/bank_sync/0/accounts.list", "/bank_sync/99", "/bank_sync/2/x/y"):
            with self.subTest(path=path):
                self.assertRefused(self.knock("", path=path), "unsupported_version", 404)

    def test_another_method(self):
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
            with self.subTest(method=method):
                response = self.send(PATH, b"{}", self.headers(PATH, b"{}"), method=method)
                self.assertRefused(response, "invalid_request", 405)
                self.assertEqual(response.headers["Allow"], "POST")
        response = self.send(PATH, None, {}, method="HEAD")
        self.assertEqual((response.status_code, response.text), (405, ""))

    def test_another_method_in_a_header(self):
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
            with self.subTest(name=name):
                response = self.send(PATH, b"{}", {**self.headers(PATH, b"{}"), name: "POST"}, method="GET")
                self.assertRefused(response, "invalid_request", 405)
                response = self.send(PATH, b"{}", {**self.headers(PATH, b"{}"), name: "DELETE"})
                self.assertEqual(response.status_code, 200)

    def test_a_query_string(self):
        for query in ("?", "?x=1", "?connection_id=x", "?x=1#y"):
            with self.subTest(query=query):
                headers = self.headers(PATH, b"{}")
                response = self.send(PATH + query, b"{}", headers)
                if query == "?":
                    self.assertEqual(response.status_code, 200)
                else:
                    self.assertRefused(response, "invalid_request", 400)

    def test_another_content_type(self):
        for kind in (
            None,
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "application/json; charset=utf-16",
        ):
            with self.subTest(kind=kind):
                response = self.knock("institutions.search", changed={"Content-Type": kind})
                self.assertRefused(response, "invalid_request", 400)
        for kind in ("application/json;charset=UTF-8", "Application/JSON"):
            response = self.knock("institutions.search", changed={"Content-Type": kind})
            self.assertEqual(response.status_code, 200)

    def test_a_header_that_comes_twice(self):
        for name in signing.SHAPES:
            with self.subTest(name=name):
                headers = self.headers(PATH, b"{}")
                head = self.head(PATH, {**headers, "Content-Length": 2}, more=[f"{name}: {headers[name]}"])
                self.assertRawRefused(self.raw(head + "{}"), "invalid_request", 400)

    def test_spaces_around_a_header(self):
        headers = {name: f"  {value}" for name, value in self.headers(PATH, b"{}").items()}
        status, answer = self.raw(self.head(PATH, {**headers, "Content-Length": 2}) + "{}")
        self.assertEqual(status, 200, answer)
        headers = {name: f"{value} " for name, value in self.headers(PATH, b"{}").items()}
        answered = self.raw(self.head(PATH, {**headers, "Content-Length": 2}) + "{}")
        self.assertRawRefused(answered, "invalid_request", 400)

    def test_a_header_that_is_huge(self):
        head = self.head(PATH, {**self.headers(PATH, b"{}"), "Content-Length": 2, "X-Huge": "x" * 200_000})
        with mute_logger("werkzeug", "odoo.service.server"), suppress(OSError):
            status, answer = self.raw(head + "{}")
            self.assertNotIn(status, range(200, 300))
            self.assertNotIn("Traceback", answer)
        self.ask_successfully("institutions.search")

    def test_a_forged_address_is_not_believed(self):
        response = self.knock("accounts.list", secret="x", changed={"X-Forwarded-For": "203.0.113.9"})
        self.assertRefused(response, "signature_rejected", 401)

    # -------------------------------------------------------------------------
    # BODIES
    # -------------------------------------------------------------------------

    def test_a_body_that_is_too_large(self):
        for size in (MAX_BODY + 1, 10 * MAX_BODY):
            with self.subTest(size=size):
                response = self.knock("institutions.search", body=b"{" + b" " * (size - 2) + b"}")
                self.assertRefused(response, "request_too_large", 413)
        response = self.knock("institutions.search", body=b"{" + b" " * (MAX_BODY - 2) + b"}")
        self.assertEqual(response.status_code, 200)

    def test_a_body_that_only_says_that_it_is_large_is_not_waited_for(self):
        head = self.head(PATH, {**self.headers(PATH, b"{}"), "Content-Length": 10**12})
        self.assertRawRefused(self.raw(head + "{}"), "request_too_large", 413)

    def test_a_body_in_pieces(self):
        body = b'{"query": "demo"}'
        chunked = {**self.headers(PATH, body), "Transfer-Encoding": "chunked"}
        status, answer = self.raw(self.head(PATH, chunked) + f"{len(body):x}\n{body.decode()}\n0\n\n")
        self.assertEqual(status, 200, answer)
        large = "\n".join(f"1000\n{' ' * 4096}" for _number in range(20)) + "\n0\n\n"
        self.assertRawRefused(self.raw(self.head(PATH, chunked) + large), "request_too_large", 413)
        self.assertRawRefused(self.raw(self.head(PATH, chunked) + "zz\n{}\n0\n\n"), "invalid_request", 400)

    def test_a_body_with_two_lengths(self):
        both = {**self.headers(PATH, b"{}"), "Transfer-Encoding": "chunked", "Content-Length": 2}
        self.assertRawRefused(self.raw(self.head(PATH, both) + "2\n{}\n0\n\n"), "invalid_request", 400)
        twice = {**self.headers(PATH, b"{}"), "Content-Length": 2}
        answered = self.raw(self.head(PATH, twice, more=["Content-Length: 3"]) + "{}")
        self.assertRawRefused(answered, "invalid_request", 400)

    def test_a_request_behind_a_request_is_not_answered(self):
        head = self.head(PATH, {**self.headers(PATH, b"{}"), "Content-Length": 10**6, "Connection": "keep-alive"})
        inner = self.head(PATH, {**self.headers(PATH, b"{}"), "Content-Length": 2}) + "{}"
        self.assertRawRefused(self.raw(head + inner), "request_too_large", 413)

    def test_body_that_is_not_an_object_is_refused(self):
        for body in (
            b"",
            b" ",
            b"[]",
            b'["%s"]' % RECOGNIZABLE.encode(),
            b'"%s"' % RECOGNIZABLE.encode(),
            b"null",
            b"7",
            b"{",
            b"{'query': 1}",
            b'{"query": "%s"' % RECOGNIZABLE.encode(),
            b'{"query": NaN}',
            b'{"query": -Infinity}',
            b'{"query": 1e999}',
            b'{"query": %s}' % (b"9" * 5000),
            b'\xef\xbb\xbf{"query": "x"}',
            '{"query": "x"}'.encode("utf-16"),
            b'{"query": "\xff\xfe"}',
            b'{"query": "a\x00b"}',
            b'{"query": "a\\u0000b"}',
            b'{"a\\u0000b": 1}',
            b'{"query": "\\ud800"}',
            b'{"query": 1}{"query": 2}',
        ):
            with self.subTest(body=body[:60]):
                self.env["bank.sync.error"].search([]).unlink()
                with self.assertNoLogs("odoo.http", "WARNING"):
                    self.assertRefused(self.knock("institutions.search", body=body), "invalid_request", 400)

    def test_a_body_that_is_nested_deeply(self):
        for body in (
            b'{"a":' * 5000 + b"1" + b"}" * 5000,
            b'{"a":' + b"[" * 60_000 + b"}",
            b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
            b'{"a":' + b"[" * 20 + b"]" * 20 + b"}",
        ):
            with self.subTest(body=body[:20]):
                self.assertRefused(self.knock("institutions.search", body=body), "invalid_request", 400)

    def test_a_key_that_comes_twice_counts_once(self):
        response = self.knock("institutions.search", body=b'{"query": "nothing like it", "query": "Demo World"}')
        self.assertEqual([bank["name"] for bank in response.json()["institutions"]], ["Demo World Bank"])

    def test_content_of_requests_is_not_logged(self):
        with self.assertLogs("odoo", logging.INFO) as logs:
            self.knock("accounts.list", {"connection_id": RECOGNIZABLE})
            self.knock("accounts.list", {"connection_id": RECOGNIZABLE}, secret="wrong")
            self.knock("accounts.list", body=b'{"connection_id": "%s"' % RECOGNIZABLE.encode())
        self.assertNotIn(RECOGNIZABLE, "\n".join(logs.output))
        self.assertNotIn(SECRET, "\n".join(logs.output))
