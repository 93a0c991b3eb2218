import logging
import math
import time
from datetime import datetime, timezone
from typing import NamedTuple

from odoo import api, models
from odoo.addons.bank_sync_common.tools.signing import is_fresh, is_genuine
from odoo.addons.bank_sync_proxy.providers.errors import (
    ConfigurationError,
    ConsentError,
    ProtocolError,
    ProviderError,
    RateLimited,
)
from odoo.addons.bank_sync_proxy.providers.masking import one_line
from odoo.addons.bank_sync_proxy.tools.json_logs import about

from ..tools.addresses import network_of

_logger = logging.getLogger(__name__)

MINUTE, HOUR = 60, 3600
#: System parameters with their defaults. 0 means no limit.
LIMITS = {
    "bank_sync_proxy.requests_per_minute": 600,
    "bank_sync_proxy.registrations_per_hour": 10,
    "bank_sync_proxy.registrations_per_hour_in_all": 300,
}
#: Used to check signatures of clients that do not exist, so that this takes the same time.
DUMMY_SECRET = "0" * 43
#: Kinds of suspicion by error code of a refused request.
SUSPICIONS = {"signature_rejected": "signature", "too_many_requests": "burst"}


class Proof(NamedTuple):
    """What the gate has committed about a signed request.

    :param bool is_counted: it is within the rate limit
    :param moment: naive datetime, UTC
    :param int most: requests per minute
    :param str next_secret: with which it was signed, None for the current one
    """

    is_counted: bool
    moment: datetime
    most: int
    next_secret: str | None


class BankSyncGate(models.AbstractModel):
    """Admits requests over HTTP: authentication, client state, rate limits. See docs/protocol.md, "Over HTTP"."""

    _name = "bank.sync.gate"
    _description = "Bank Synchronization Gate"

    @api.model
    def _answer(self, received):
        """
        :param received: :class:`~..tools.received_request.ReceivedRequest`
        :return: JSON object; ``{"error": …}`` for a failure
        """
        dispatcher = self.env["bank.sync.api"]
        try:
            payload = received.payload()
            if received.operation in dispatcher._unsigned_operations():
                self._admit_unsigned(received)
                return dispatcher._dispatch_unsigned(received.operation, payload, received.address)
            client = self._admit(received)
            return dispatcher._dispatch(client, received.operation, payload)
        except ProviderError as error:
            return {"error": self._refuse(received, error)}

    # -------------------------------------------------------------------------
    # WHO MAY COME IN
    # -------------------------------------------------------------------------

    @api.model
    def _admit(self, received):
        """The checks of a signed request, in the order of docs/protocol.md.

        :return: ``bank.sync.client`` that has signed it
        :raise ProviderError: when one fails
        """
        signed = received.signed()
        # Odoo retries a transaction after a conflict. The nonce was then stored by this same request.
        proof = received.proof = received.proof or self._prove(received, signed)
        client = self.env["bank.sync.client"].browse(received.client)
        client._check_copy(signed.database, network_of(received.address), is_noted=proof.is_counted)
        if not proof.is_counted:
            seconds = self.env["bank.sync.nonce"]._seconds_until_one_more(client.id, proof.moment, proof.most, MINUTE)
            raise RateLimited("too_many_requests", f"more than {proof.most} in a minute", retry_after=_whole(seconds))
        if proof.next_secret:
            client._confirm_secret(proof.next_secret)
        return client

    @api.model
    def _prove(self, received, signed):
        """Verify that a client has signed this request, recently, and that it is not a replay.

        :return: :class:`Proof`, committed
        """
        now = time.time()
        client, secret, is_next = self._recognize(received, signed)
        if not is_fresh(signed, now):
            raise ConfigurationError("clock_skew", f"the clocks differ by {signed.timestamp - now:+.0f} seconds")
        most, moment = self._limit("bank_sync_proxy.requests_per_minute"), _naive(now)
        is_counted = self.env["bank.sync.nonce"]._add(client.id, signed.nonce, moment, most, MINUTE)
        if is_counted is None:
            self.env.cr.rollback()
            raise ProtocolError("request_replayed", "the nonce came before")
        # Why committed here: a replay must be refused while the original is still being answered, and also when that is
        # rolled back in the end. From here on the nonce is used up, even if the request fails.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        return Proof(is_counted, moment, most, secret if is_next else None)

    @api.model
    def _recognize(self, received, signed):
        """:return: (the client that has signed, the secret that it has signed with, whether that is its next one)
        :raise ConsentError: ``signature_rejected``
        """
        client = self.env["bank.sync.client"].search_fetch(
            [("identifier", "=", signed.client)], ["state", "secret_data"], limit=1
        )
        received.client = client.id or None
        known = {}
        if client:
            try:
                known = client._secrets()
            except ConsentError:
                # Why not that error's code: the proxy has lost its key, which no client may learn.
                _logger.error("The secrets of client %s can't be read: is the key file gone?", client.id)
                received.client = None
        valid = [secret for secret in (known.get("current"), known.get("next")) if secret]
        secret = is_genuine(signed, valid or [DUMMY_SECRET], received.method, received.path, received.body)
        if not valid or secret is None:
            raise ConsentError("signature_rejected", "wrong signature" if client else "no such client")
        return client, secret, secret != known.get("current")

    @api.model
    def _admit_unsigned(self, received):
        """Limit registrations, which need no credentials: from one address, and in total.

        :raise RateLimited: ``too_many_requests``
        """
        if received.proof:
            return
        registrations, moment = self.env["bank.sync.registration"], _naive(time.time())
        address = network_of(received.address)
        of_address = self._limit("bank_sync_proxy.registrations_per_hour")
        in_all = self._limit("bank_sync_proxy.registrations_per_hour_in_all")
        seconds = max(
            of_address and registrations._seconds_until_one_more(address, moment, of_address, HOUR),
            in_all and registrations._seconds_until_one_more(None, moment, in_all, HOUR),
        )
        if seconds:
            raise RateLimited("too_many_requests", "too many registrations", retry_after=_whole(seconds))
        registrations._add(address, moment)
        # Why committed here: it counts immediately, and also when the registration fails.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        received.proof = True

    @api.model
    def _limit(self, parameter):
        # sudo: reads one system parameter that is not secret; the code fixes its name
        text = self.env["ir.config_parameter"].sudo().get_param(parameter) or ""
        return int(text) if text.isdecimal() else LIMITS[parameter]

    # -------------------------------------------------------------------------
    # WHO MAY NOT
    # -------------------------------------------------------------------------

    @api.model
    def _refuse(self, received, error):
        """Record who was refused and why, without the request's body and headers.

        :return: *error* of docs/protocol.md
        """
        client = self.env["bank.sync.client"].browse(received.client)
        if error.code in SUSPICIONS and client.state in ("active", "phone_required"):
            client._note_suspicion(SUSPICIONS[error.code], address=received.address)
        errors = self.env["bank.sync.error"]
        reference = errors._record_refused(
            error, operation=received.operation, client=client, address=network_of(received.address)
        )
        with about(operation=one_line(received.operation or "?"), client=client.id or None, reference=reference):
            _logger.info("%s from %s refused: %s, %s", received.operation or "?", received.address, reference, error)
        return error.to_protocol(reference, errors._sentence(error))


def _naive(seconds):
    """The present time as Odoo stores it, but with microseconds."""
    return datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None)


def _whole(seconds):
    return max(math.ceil(seconds), 1)
