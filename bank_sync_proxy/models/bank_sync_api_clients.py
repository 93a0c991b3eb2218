from odoo import api, models

from ..providers.errors import ProtocolError

MAX_DETAIL = 100


class BankSyncApiClients(models.AbstractModel):
    """Operations about the client itself. Registering needs none, because nobody is known yet: see
    :meth:`BankSyncClientRegistration._register_database`.
    """

    _inherit = "bank.sync.api"

    @api.model
    def _operations(self):
        return {
            **super()._operations(),
            "clients.status": self._clients_status,
            "clients.verify_phone": self._clients_verify_phone,
            "clients.reactivate": self._clients_reactivate,
            "clients.update": self._clients_update,
            "clients.rotate_secret": self._clients_rotate_secret,
        }

    @api.model
    def _always_answered(self):
        return super()._always_answered() | {"clients.status", "clients.verify_phone", "clients.reactivate"}

    @api.model
    def _before(self, client, operation, payload):
        """Whoever starts connections to very many banks is not a company that connects its own."""
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
    # HELPERS
    # -------------------------------------------------------------------------

    @api.model
    def _in_language(self, client, payload):
        """:return: the client, in the language of the question, or of whoever registered it"""
        language = self._text(payload, "language")
        known = next(filter(self._is_installed, filter(None, (language, client.language))), None)
        return client.with_context(lang=known) if known else client
