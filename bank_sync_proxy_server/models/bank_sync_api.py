import logging

from odoo import api, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_proxy.providers.errors import ConsentError, ProtocolError
from odoo.addons.bank_sync_proxy.tools.json_logs import about
from odoo.addons.bank_sync_proxy.tools.urls import is_below
from odoo.tools import email_normalize

from ..tools.addresses import network_of

_logger = logging.getLogger(__name__)

MAX_DETAIL = 100
MAX_EMAIL = 254


class BankSyncApi(models.AbstractModel):
    """Operations about the client itself, and the operations that a client may use in each state."""

    _inherit = "bank.sync.api"

    @api.model
    def _operations(self):
        return {
            **super()._operations(),
            "clients.verify_phone": self._clients_verify_phone,
            "clients.reactivate": self._clients_reactivate,
            "clients.update": self._clients_update,
            "clients.rotate_secret": self._clients_rotate_secret,
            "firms.find": self._firms_find,
            "firms.agree": self._firms_agree,
            "firms.get": self._firms_get,
            "firms.revoke": self._firms_revoke,
        }

    @api.model
    def _always_answered(self):
        """:return: names of the operations that check the client's state themselves: those that end a block

        A blocked client may still revoke its agreement with an accounting firm.
        """
        return {"clients.status", "clients.verify_phone", "clients.reactivate", "firms.get", "firms.revoke"}

    @api.model
    def _check_allowed(self, client, operation):
        if operation not in self._always_answered():
            client._check_usable()
        return super()._check_allowed(client, operation)

    @api.model
    def _leads_back(self, client, url):
        return super()._leads_back(client, url) if client.is_embedded else is_below(url, client.url)

    @api.model
    def _unsigned_operations(self):
        """:return: operations for callers without credentials, name → method(payload, address)"""
        return {"clients.register": lambda *parameters: self.env["bank.sync.client"]._register_database(*parameters)}

    @api.model
    def _dispatch_unsigned(self, operation, payload, address):
        """Answer a request of a database that is not registered yet. Never raises, as :meth:`_dispatch`.

        :param str operation: one of :meth:`_unsigned_operations`
        :param dict payload: JSON object
        :param str address: of the remote host
        :return: JSON object; ``{"error": …}`` for a failure
        """
        # sudo: an unauthenticated caller: the gate has limited its rate, and only _unsigned_operations are allowed
        api_sudo = as_server(self)._in_language_of(payload)
        method = api_sudo._unsigned_operations()[operation]
        answer, error, record = api_sudo.env["bank.sync.error"]._attempt(
            lambda: method(payload, address), operation=operation, request=payload, address=network_of(address)
        )
        if not error:
            return answer
        with about(operation=operation, reference=record.reference):
            _logger.info("%s from %s failed: %s, %s", operation, address, record.reference, error)
        return {"error": error.to_protocol(record.reference, record.message)}

    @api.model
    def _before(self, client, operation, payload):
        """Note as suspicious that a client starts connections to more banks than a company has."""
        institution = payload.get("institution_id") if isinstance(payload, dict) else None
        if operation == "connections.start" and isinstance(institution, str) and client.state == "active":
            client._note_suspicion("institution", institution.replace("\x00", "")[:MAX_DETAIL])
        return super()._before(client, operation, payload)

    # -------------------------------------------------------------------------
    # OPERATIONS
    # -------------------------------------------------------------------------

    @api.model
    def _clients_status(self, client, _payload):
        return {
            "state": client.state,
            "reason": client.reason or None,
            "phone_hint": client.phone_hint or None,
            "client_id": client.identifier,
            "blocked_by": client.blocked_by or None,
        }

    @api.model
    def _clients_verify_phone(self, client, payload):
        names = ("phone", "country", "code")
        return self._in_language(client, payload)._verify_phone(**{name: self._text(payload, name) for name in names})

    @api.model
    def _clients_reactivate(self, client, payload):
        return self._in_language(client, payload)._reactivate(self._text(payload, "code"))

    @api.model
    def _clients_update(self, client, payload):
        client._update(payload)
        return {"state": client.state}

    @api.model
    def _clients_rotate_secret(self, client, _payload):
        if client.is_embedded:
            raise ProtocolError("invalid_request", "an embedded database has no secret")
        return {"client_secret": client._rotate_secret()}

    # -------------------------------------------------------------------------
    # OPERATIONS - ACCOUNTING FIRMS
    # -------------------------------------------------------------------------

    @api.model
    def _firms_find(self, client, payload):
        firm = self.env["bank.sync.firm"]._find_by_code(client, self._text(payload, "code", required=True))
        return {"firm": {"name": firm.name}}

    @api.model
    def _firms_agree(self, client, payload):
        agreements = self.env["bank.sync.firm.agreement"]
        said, code = agreements._about(payload), self._text(payload, "code")
        if not code:
            # Only another contact, for the firm that sees the client already.
            firm = agreements._in_force(client).firm_id
            if not firm:
                raise ConsentError("firm_unknown", "there is no agreement to change")
        else:
            firm = self.env["bank.sync.firm"]._find_by_code(client, code)
            if self._text(payload, "firm_name", required=True) != firm.name:
                raise ConsentError("firm_unknown", "the firm has another name than the user was shown")
        return {"agreement": agreements._agree(client, firm, said)._to_protocol()}

    @api.model
    def _firms_get(self, client, _payload):
        return {"agreement": self.env["bank.sync.firm.agreement"]._in_force(client)._to_protocol()}

    @api.model
    def _firms_revoke(self, client, _payload):
        self.env["bank.sync.firm.agreement"]._in_force(client)._end(self.env._("The client has revoked it."))
        return {"revoked": True}

    # -------------------------------------------------------------------------
    # REQUESTS, CHECKED
    # -------------------------------------------------------------------------

    @api.model
    def _email(self, payload):
        """:return: ``contact_email`` of a request, normalized; None where there is none"""
        email = self._text(payload, "contact_email")
        normalized = email_normalize(email) if email else None
        if email and (not normalized or len(email) > MAX_EMAIL):
            raise ProtocolError("invalid_request", "contact_email must be one e-mail address")
        return normalized

    @api.model
    def _in_language(self, client, payload):
        """:return: the client, in the language of the request, or of the user who registered it"""
        language = self._text(payload, "language")
        known = next(filter(self._is_installed, (language, client.language)), None)
        return client.with_context(lang=known) if known else client
