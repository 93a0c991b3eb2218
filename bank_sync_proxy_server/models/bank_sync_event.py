import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from odoo import fields, models
from odoo.addons.bank_sync_common.tools import signing
from odoo.addons.bank_sync_proxy.providers.errors import ProviderError
from odoo.addons.bank_sync_proxy.tools import outbound

PATH = "/account_online_synchronization/events"
#: How many databases are notified at the same time.
THREADS = 8
#: In place of a digest that the database has not sent yet.
UNKNOWN = "0" * 64


class BankSyncEvent(models.Model):
    """Delivery of events to other databases, at their addresses."""

    _inherit = "bank.sync.event"

    kind = fields.Selection(
        selection_add=[
            ("client.active", "Client Active"),
            ("client.blocked", "Client Blocked"),
            ("client.disconnected", "Client Disconnected"),
            ("client.phone_required", "Phone Number Required"),
        ],
        ondelete={
            "client.active": "cascade",
            "client.blocked": "cascade",
            "client.disconnected": "cascade",
            "client.phone_required": "cascade",
        },
    )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - DELIVERING
    # -------------------------------------------------------------------------

    def _deliver(self):
        elsewhere = self.filtered(lambda event: not event.client_id.is_embedded)
        elsewhere._deliver_elsewhere()
        return super(BankSyncEvent, self - elsewhere)._deliver()

    def _deliver_elsewhere(self):
        allow_private = self.env["bank.sync.client"]._allows_private_addresses()
        letters = {event: event._letter() for event in self}
        with ThreadPoolExecutor(THREADS) as threads:
            sent = {
                event: threads.submit(_send, *letter, allow_private)
                for event, letter in letters.items()
                if not isinstance(letter, str)
            }
            for event, letter in letters.items():
                trouble, answer = sent[event].result() if event in sent else (letter, None)
                event._note(trouble)
                if answer:
                    event._confirm_address(letter, answer.body)

    def _letter(self):
        """:return: (url, headers, body), or a text that says why there is none"""
        self.ensure_one()
        client = self.client_id
        if not client.url:
            return "the client has no address"
        try:
            secret = client._secrets().get("current")
        except ProviderError as error:
            return error.code
        if not secret:
            return "the client has no secret"
        url = client.url.rstrip("/") + PATH
        body = json.dumps(
            {"id": str(self.id), "kind": self.kind, "connection_id": self.connection_id.identifier or None}
        ).encode()
        headers = signing.new_headers(
            secret,
            client.identifier,
            client.database_digest or UNKNOWN,
            time.time(),
            "POST",
            PATH,
            body,
        )
        return url, {**headers, "Content-Type": "application/json"}, body

    def _confirm_address(self, letter, answered):
        """Confirm the client's address, if the answer contains the proof.

        :param tuple letter: of :meth:`_letter`, as it was sent
        :param bytes answered: the body of the answer
        """
        client, (url, headers, body) = self.client_id, letter
        if url != client.url.rstrip("/") + PATH or client.confirmed_url == client.url:
            return
        try:
            proof = json.loads(answered).get("proof")
        except (ValueError, AttributeError, RecursionError):
            return
        expected = signing.prove(client._secrets()["current"], headers[signing.NONCE], body)
        if isinstance(proof, str) and hmac.compare_digest(proof.encode(), expected.encode()):
            client.confirmed_url = client.url


def _send(url, headers, body, allow_private):
    """In a thread, without Odoo.

    :return: (None, the answer) when the database has taken the event, or (a text that says what went wrong, None)
    """
    try:
        answer = outbound.post(url, body, headers, allow_private=allow_private)
    except outbound.OutboundError as error:
        return f"{urlsplit(url).hostname}: {error}", None
    if 200 <= answer.status < 300:
        return None, answer
    return f"{urlsplit(url).hostname}: HTTP {answer.status}", None
