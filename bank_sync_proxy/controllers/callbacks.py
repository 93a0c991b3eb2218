import logging
import re
from datetime import timedelta
from http import HTTPStatus

from odoo import fields, http
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.http import request

from ..providers import provider_class
from ..providers.errors import ProtocolError, ProviderError
from ..tools.json_logs import about
from .pages import Pages, hosted_page

_logger = logging.getLogger(__name__)

#: Bytes of a form. Its content is passed on in an address, whose length is limited.
MAX_FORM = 4 * 1024
MAX_WEBHOOK = 64 * 1024
#: Error records per hour about requests that belong to no visit.
MAX_RECORDS = 100
SEALED = "sealed"


class Tickets(logging.Filter):
    """Keeps the requested pages in the server's log, but not the tickets and codes in their addresses."""

    ADDRESSES = (
        (re.compile(r"(/bank_sync/connect/)[^\s?\"']+"), r"\1•••"),
        (re.compile(r"(/bank_sync/(?:callback|sandbox)/[^\s?\"']{0,200}\?)[^\s\"']+"), r"\1•••"),
    )

    def filter(self, record):
        if "/bank_sync/" in record.getMessage():
            record.msg, record.args = record.getMessage(), ()
            for pattern, replacement in self.ADDRESSES:
                record.msg = pattern.sub(replacement, record.msg)
        return True


# Why here: the filter has to be in place before the first request to this addon.
logging.getLogger("werkzeug").addFilter(Tickets())


class BankSyncCallbacks(Pages, http.Controller):
    """Where browsers come back from banks' pages, and where providers send webhooks."""

    # -------------------------------------------------------------------------
    # BROWSERS
    # -------------------------------------------------------------------------

    @hosted_page("/bank_sync/callback/<string:provider>", methods=["GET"])
    def arrive(self, provider, **_parameters):
        params = request.httprequest.args.to_dict()
        if request.httprequest.method == "HEAD":
            return self._sign("preview")
        if SEALED in params:
            params = self._unseal(provider, params)
        visit = request.env["bank.sync.visit"]._find_returned(provider, params.get("state"))
        visit = self._use_its_language(visit)
        if not visit and "state" not in params and self._is_copied(provider):
            return self._sign("copy")
        if not visit:
            return self._refuse(visit, provider, "strange", HTTPStatus.NOT_FOUND, "no visit waits for this state")
        if not visit._is_of(self._browser_key()):
            return self._refuse(visit, provider, "elsewhere", HTTPStatus.FORBIDDEN, "another browser")
        if not visit._is_open():
            self._refuse(visit, provider, "strange", HTTPStatus.GONE, "the visit has expired")
            return self._closed_page(visit)
        error = visit._refusal()
        if error:
            return self._refused_page(visit, error)
        visit._complete(params, self._address())
        return self._leave(visit, from_elsewhere=True) if visit.state == "done" else self._go_to(visit)

    @hosted_page("/bank_sync/callback/<string:provider>", methods=["POST"], csrf=False, max_content_length=MAX_FORM)
    def arrive_by_form(self, provider, **_parameters):
        """For a bank's page that posts a form. Its request has none of our cookies, so it is redirected to a GET, with
        its content encrypted so that only this proxy can read it."""
        if not self._known(provider):
            return self._sign("strange", HTTPStatus.NOT_FOUND)
        params = request.httprequest.form.to_dict()
        state = params.pop("state", "")
        sealed = request.env["bank.sync.vault"]._seal({"params": params}, SEALED, provider, state)
        location = f"/bank_sync/callback/{provider}"
        return request.redirect_query(location, {"state": state, SEALED: sealed}, code=HTTPStatus.SEE_OTHER)

    def _unseal(self, provider, params):
        try:
            vault = request.env["bank.sync.vault"]
            inside = vault._unseal(params[SEALED], SEALED, provider, params.get("state", ""))["params"]
        except (ProviderError, KeyError):
            return {}
        return {**inside, "state": params.get("state")}

    def _refuse(self, visit, provider, reason, status, detail):
        """Change nothing, record the error for support, and show a page that reveals nothing about the visit."""
        error = ProtocolError("invalid_request", f"callback: {detail}", provider=self._known(provider))
        self._record(error, "visit.callback", visit.connection_id)
        return self._sign(reason, status)

    # -------------------------------------------------------------------------
    # PROVIDERS
    # -------------------------------------------------------------------------

    @http.route(
        "/bank_sync/webhook/<string:provider>",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        sitemap=False,
        max_content_length=MAX_WEBHOOK,
    )
    def receive_webhook(self, provider, **_parameters):
        """Receive a provider's webhook. Only stored here: the provider waits for the answer, and retries without
        one."""
        if not self._known(provider):
            return self._reply(HTTPStatus.NOT_FOUND)
        # sudo: no user is logged in; reads a provider by its public code; its adapter checks the webhook's signature
        record = as_server(request.env["bank.sync.provider"]).search([("code", "=", provider)], limit=1)
        body = request.httprequest.get_data()
        try:
            events = record._adapter().parse_webhook(request.httprequest.headers, body)
        except NotImplementedError:
            return self._reply(HTTPStatus.NOT_FOUND)
        except ProviderError as error:
            self._record(error, "webhook")
            return self._reply(HTTPStatus(error.http_status))
        # sudo: parse_webhook has checked the signature; events only say what to request
        as_server(request.env["bank.sync.connection"])._emit_for(record, events)
        return self._reply(HTTPStatus.NO_CONTENT)

    def _reply(self, status):
        return request.make_response("", status=int(status))

    # -------------------------------------------------------------------------
    # HELPERS
    # -------------------------------------------------------------------------

    def _is_copied(self, provider):
        """:return: whether users copy what the provider returns in the address, which then identifies no visit"""
        return bool(self._known(provider)) and provider_class(provider).copies_callback

    def _known(self, provider):
        """The provider's code, or None where it is unknown: error records contain no text of untrusted senders."""
        # sudo: reads the codes of providers, which are public
        codes = request.env["bank.sync.provider"].sudo().search([("active", "=", True)]).mapped("code")
        return provider if provider in codes else None

    def _record(self, error, operation, connection=None):
        """Record what happened, up to a limit that keeps untrusted senders from filling the table; log it beyond
        that."""
        # sudo: unauthenticated requests cause at most MAX_RECORDS masked records an hour, whose content is not shown
        errors = as_server(request.env["bank.sync.error"])
        if not connection:
            since = fields.Datetime.now() - timedelta(hours=1)
            unassigned = [("operation", "=", operation), ("client_id", "=", False), ("create_date", ">=", since)]
            if errors.search_count(unassigned, limit=MAX_RECORDS) >= MAX_RECORDS:
                _logger.warning("%s: %s", operation, error)
                return
        client = connection.client_id if connection else None
        record = errors._record(error, operation=operation, client=client, connection=connection)
        with about(operation=operation, reference=record.reference):
            _logger.info("%s: %s, %s", operation, record.reference, error)
