import hmac
import json
import logging
import time

import psycopg2

from odoo import SUPERUSER_ID, http
from odoo.addons.bank_sync_common.tools import signing
from odoo.http import request

from ..client.errors import ProxyError

_logger = logging.getLogger(__name__)

PATH = "/account_online_synchronization/events"
MAX_SIZE = 8 * 1024
MAX_TEXT = 100


class Refused(Exception):
    """An invalid event; the reason is logged, but not answered."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


class AccountOnlineEventsController(http.Controller):
    @http.route(
        PATH,
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        sitemap=False,
    )
    def receive(self, **_parameters):
        """Events of the connection service. They are acknowledged at once and processed later."""
        # sudo: there is no user; _authenticate checks the service's signature first
        request.update_env(user=SUPERUSER_ID)
        try:
            proof = self._receive()
        except Refused as refusal:
            _logger.info("An event was refused: %s", refusal)
            return request.make_response("", status=refusal.status)
        # Why a proof: the service shows users where their data goes, and confirms only proven addresses.
        return request.make_json_response({"proof": proof}, headers=[("Cache-Control", "no-store")])

    def _receive(self):
        """:return: the proof for the service that the event has reached this database"""
        size = request.httprequest.content_length
        if size is None or size > MAX_SIZE:
            raise Refused(413, "too large, or of unknown size")
        body = request.httprequest.get_data()
        try:
            signed = signing.read_headers(request.httprequest.headers)
        except signing.Malformed as error:
            raise Refused(400, str(error))
        secret = self._authenticate(signed, body)
        event = self._parse(body)
        Event = request.env["account.online.event"]
        try:
            if Event.search_count([("nonce", "=", signed.nonce)], limit=1):
                raise Refused(409, "it came before")
            # Why a savepoint: the same event may arrive concurrently, and the request must still be answered.
            with request.env.cr.savepoint():
                Event._receive(**event, nonce=signed.nonce)
        except psycopg2.errors.UniqueViolation:
            raise Refused(409, "it came before")
        return signing.prove(secret, signed.nonce, body)

    def _authenticate(self, signed, body):
        """:return: the secret that the event was signed with"""
        service = request.env["account.online.service"]._get()
        try:
            known = service._read_secrets()
        except ProxyError as error:
            raise Refused(403, error.code)
        if not hmac.compare_digest(signed.client, service.client_identifier):
            raise Refused(403, "for another client")
        # Why not the requested address: a reverse proxy may mount this database below another path.
        secret = signing.is_genuine(signed, known, "POST", PATH, body)
        if not secret:
            raise Refused(403, "wrong signature")
        if not signing.is_fresh(signed, time.time()):
            raise Refused(403, "the clocks differ by more than five minutes")
        if not hmac.compare_digest(signed.database, service._database_digest()):
            raise Refused(403, "for another copy of this database")
        return secret

    def _parse(self, body):
        """:return: values of :meth:`AccountOnlineEvent._receive`"""
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or not self._is_text(event.get("kind")) or not self._is_text(event.get("id")):
            raise Refused(400, "no event")
        connection = event.get("connection_id")
        if connection is not None and not self._is_text(connection):
            raise Refused(400, "no connection")
        return {"kind": event["kind"], "identifier": event["id"], "connection_identifier": connection}

    @staticmethod
    def _is_text(value):
        return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isascii() and value.isprintable()
