import json
import logging
from datetime import date

from odoo import api, models
from odoo.addons.bank_sync_common.models.server_fields import as_server

from ..providers.errors import ProtocolError
from ..providers.masking import one_line
from ..providers.parts import ANSWER_LIMIT
from ..providers.types import moment_text
from ..tools.json_logs import about
from ..tools.urls import is_local_path
from .bank_sync_connection import aware

_logger = logging.getLogger(__name__)

MAX_TEXT = 2000


def _to_json(value):
    return json.dumps(value, allow_nan=False).encode()


class BankSyncApi(models.AbstractModel):
    """The protocol's operations: one entry point for all transports. See docs/protocol.md."""

    _name = "bank.sync.api"
    _description = "Bank Synchronization Protocol"

    @api.model
    def _operations(self):
        """:return: the one table of operations, name → method(client, payload)"""
        return {
            "clients.status": self._clients_status,
            "institutions.search": self._institutions_search,
            "connections.start": self._connections_start,
            "connections.get": self._connections_get,
            "connections.renew": self._connections_renew,
            "connections.refresh": self._connections_refresh,
            "connections.delete": self._connections_delete,
            "accounts.list": self._accounts_list,
            "transactions.list": self._transactions_list,
        }

    @api.model
    def _before(self, client, operation, payload):
        """Extension point: what is stored even if the request fails."""

    @api.model
    def _check_allowed(self, client, operation):
        """Extension point: refuse operations that the client may not use at the moment.

        :raise ProviderError: the answer
        """

    @api.model
    def _dispatch(self, client, operation, payload):
        """Answer a request of a database.

        Never raises for failures of the request, the provider or the bank: the failure is the answer, and its record is
        stored in the caller's transaction.

        :param client: ``bank.sync.client``, already authenticated by the transport
        :param str operation: name of docs/protocol.md
        :param dict payload: JSON object
        :return: JSON object; ``{"error": …}`` for a failure
        """
        return json.loads(self._dispatch_to_json(client, operation, payload, limit=ANSWER_LIMIT))

    @api.model
    def _dispatch_to_json(self, client, operation, payload, limit=None):
        """:meth:`_dispatch` for the embedded transport, which parses the answer like one from the network.

        :param limit: :class:`~..providers.parts.AnswerLimit` of pages; None: any size, in the same process
        :return: bytes
        """
        # sudo: the transport has authenticated the client, and each operation finds only that client's records
        api_sudo, client_sudo = as_server(self)._in_language_of(payload), as_server(client)
        if isinstance(payload, dict) and "user" in payload:
            # Why removed from the payload: the request is kept in error records, and the user's data must not be.
            payload = dict(payload)
            api_sudo = api_sudo.with_context(bank_sync_user=payload.pop("user"))
        # Why in the context: as above, it belongs to this request only.
        api_sudo = api_sudo.with_context(bank_sync_answer_limit=limit)
        with about(operation=one_line(str(operation)), client=client_sudo.id):
            return api_sudo._dispatch_as_server(client_sudo, operation, payload)

    @api.model
    def _dispatch_as_server(self, client, operation, payload):
        """:meth:`_dispatch_to_json` in the language of the request, with the rights of the server"""
        self._before(client, operation, payload)
        answer, error, record = self.env["bank.sync.error"]._attempt(
            lambda: self._run(client, operation, payload),
            operation=one_line(str(operation)[:100]),
            client=client,
            # Why a function: it is only needed after a failure.
            connection=lambda: self._connection_of(client, payload),
            request=payload,
        )
        if not error:
            return answer
        if record.connection_id:
            record.connection_id._note_failure(error)
        with about(reference=record.reference):
            _logger.info(
                "%s for client %s failed: %s, %s", one_line(str(operation)), client.id, record.reference, error
            )
        failure = error.to_protocol(record.reference, record.message)
        return _to_json({"error": failure | self._health_of(record.connection_id)})

    @api.model
    def _health_of(self, connection):
        """:return: ``health`` of the connection's bank, for answers that contain no institution; empty where unknown"""
        health = connection._health()
        return {"health": health} if health else {}

    @api.model
    def _run(self, client, operation, payload):
        """:return: the answer as JSON, in bytes"""
        method = self._operations().get(operation)
        if not method:
            raise ProtocolError("invalid_request", f"no operation {operation!r}")
        try:
            # Through JSON and back, so that the embedded transport behaves as HTTP does.
            payload = json.loads(_to_json(payload))
        except (TypeError, ValueError) as error:
            raise ProtocolError("invalid_request", f"not JSON: {error}")
        if not isinstance(payload, dict):
            raise ProtocolError("invalid_request", "the request is not an object")
        self._check_allowed(client, operation)
        return _to_json(method(client, payload))

    # -------------------------------------------------------------------------
    # OPERATIONS
    # -------------------------------------------------------------------------

    @api.model
    def _clients_status(self, client, _payload):
        return {"state": "active"}

    @api.model
    def _institutions_search(self, client, payload):
        found, cursor = self.env["bank.sync.institution"]._search_page(
            self._text(payload, "query"),
            self._text(payload, "country"),
            self._number(payload, "limit"),
            self._text(payload, "cursor"),
        )
        rows = found._rows_of_banks()
        health = self.env["bank.sync.institution"].union(*rows.values())._health(client)
        institutions = [institution._to_protocol(rows[institution.id], health) for institution in found]
        answer = {"institutions": institutions, "next_cursor": cursor}
        if self._text(payload, "query") and not cursor:
            unlisted = self.env["bank.sync.institution"]._unlisted(self._text(payload, "country")) - found
            answer["unlisted"] = [institution._to_protocol() for institution in unlisted]
        if payload.get("with_countries") is True:
            answer["countries"] = sorted(filter(None, self.env["bank.sync.institution"]._count_by_country()))
        return answer

    @api.model
    def _connections_start(self, client, payload):
        visit = self._visit_values(payload, client, required=True)
        country = self._text(payload, "country")
        identifier = self._text(payload, "institution_id")
        institution = self.env["bank.sync.institution"]
        if identifier:
            institution = institution._find(identifier)
        connection = self.env["bank.sync.connection"].create({"client_id": client.id, "institution_id": institution.id})
        state = self.env["bank.sync.visit"]._new_token()
        first = connection._begin("connect", visit["language"], state) if institution else None
        return self.env["bank.sync.visit"]._open(
            connection, "connect", first, state, country_code=country and country.upper()[:2], **visit
        )

    @api.model
    def _connections_get(self, client, payload):
        return {"connection": self._connection(client, payload)._to_protocol()}

    @api.model
    def _connections_renew(self, client, payload):
        connection = self._connection(client, payload)
        visit = self._visit_values(payload, client, required=True)
        state = self.env["bank.sync.visit"]._new_token()
        if connection.state == "pending":
            # Abandoned before the end. A user who chose the bank on our page may choose again.
            may_choose = connection.visit_ids[:1].may_choose or not connection.institution_id
            first = connection._begin("connect", visit["language"], state) if connection.institution_id else None
            return self.env["bank.sync.visit"]._open(
                connection, "connect", first, state, may_choose=may_choose, **visit
            )
        connection._check_usable()
        first = connection._begin("renew", visit["language"], state)
        return self.env["bank.sync.visit"]._open(connection, "renew", first, state, **visit)

    @api.model
    def _connections_refresh(self, client, payload):
        connection = self._connection(client, payload)
        visit = self._visit_values(payload, client)
        state = self.env["bank.sync.visit"]._new_token()
        challenge, news = connection._refresh(payload.get("user_present") is True, visit["language"], state)
        if challenge is None:
            answer = {"state": "done", "refreshed_at": moment_text(aware(connection.refreshed_at))}
            return answer | news | self._health_of(connection)
        page = self.env["bank.sync.visit"]._open(connection, "refresh", challenge, state, **visit)
        return {"state": "challenge", "page_url": page["page_url"], "expires_at": page["expires_at"]}

    @api.model
    def _connections_delete(self, client, payload):
        connection = self._connection(client, payload)
        # A provider that does not answer must not keep a user from disconnecting; the error record informs support.
        self.env["bank.sync.error"]._attempt(
            connection._revoke, operation="connections.delete", client=client, connection=connection
        )
        connection._disconnect()
        return {"deleted": True}

    @api.model
    def _accounts_list(self, client, payload):
        return {"accounts": self._connection(client, payload)._accounts()}

    @api.model
    def _transactions_list(self, client, payload):
        connection = self._connection(client, payload)
        account = self._text(payload, "account_id", required=True)
        page = connection._transactions(
            account, self._day(payload, "since"), self._text(payload, "cursor"), self._number(payload, "limit")
        )
        if page.unread:
            self._record_unread(connection, page, payload)
        return page.to_protocol()

    @api.model
    def _record_unread(self, connection, page, payload):
        """Record for support the rows that could not be read, so that the adapter gets fixed; the database keeps
        them."""
        count, first = len(page.unread), page.unread[0]
        detail = (
            f"{count} of {count + len(page.transactions)} transactions could not be read, {first.id}: {first.problem}"
        )
        error = ProtocolError("unexpected_answer", detail, provider=connection.provider_id.code)
        record = self.env["bank.sync.error"]._record(
            error,
            operation="transactions.list",
            client=connection.client_id,
            connection=connection,
            request=payload,
        )
        with about(reference=record.reference):
            _logger.warning("%s: %s", record.reference, error)

    # -------------------------------------------------------------------------
    # REQUESTS, CHECKED
    # -------------------------------------------------------------------------

    @api.model
    def _connection(self, client, payload):
        return self.env["bank.sync.connection"]._find(client, self._text(payload, "connection_id", required=True))

    @api.model
    def _connection_of(self, client, payload):
        """:return: the connection that a request names, for the error record, or None"""
        identifier = payload.get("connection_id") if isinstance(payload, dict) else None
        if not isinstance(identifier, str) or "\x00" in identifier:
            return None
        return self.env["bank.sync.connection"].search(
            [("client_id", "=", client.id), ("identifier", "=", identifier)], limit=1
        )

    @api.model
    def _visit_values(self, payload, client, required=False):
        """Where the browser goes afterwards, and in which language the pages are."""
        return_url = self._text(payload, "return_url", required=required)
        if return_url and not self._leads_back(client, return_url):
            raise ProtocolError("invalid_request", "return_url must lead to the database's own address")
        language = self._text(payload, "language")
        return {"return_url": return_url, "language": language and language[:10]}

    @api.model
    def _leads_back(self, client, url):
        """Extension point: whether a browser may be sent there when a visit ends."""
        return is_local_path(url)

    @api.model
    def _in_language_of(self, payload):
        """:return: this model in the language of the request, if that is installed"""
        language = payload.get("language") if isinstance(payload, dict) else None
        return self.with_context(lang=language) if self._is_installed(language) else self

    @api.model
    def _is_installed(self, language):
        return isinstance(language, str) and language in dict(self.env["res.lang"].get_installed())

    @api.model
    def _text(self, payload, key, required=False):
        value = payload.get(key)
        if value in (None, False, "") and not required:
            return None
        if not isinstance(value, str) or not value or len(value) > MAX_TEXT or "\x00" in value:
            raise ProtocolError("invalid_request", f"{key} must be a text")
        return value

    @api.model
    def _number(self, payload, key):
        value = payload.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**31:
            raise ProtocolError("invalid_request", f"{key} must be a positive number")
        return value

    @api.model
    def _day(self, payload, key):
        text = self._text(payload, key)
        try:
            return text and date.fromisoformat(text)
        except ValueError:
            raise ProtocolError("invalid_request", f"{key} must be a date")
