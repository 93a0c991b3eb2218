from http import HTTPStatus

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from .pages import Pages, hosted_page


class BankSyncSandboxBank(Pages, http.Controller):
    """The Demo Bank's page, as a real bank has one: it has no access to visits, and leads back to the callback."""

    @hosted_page(
        "/bank_sync/sandbox/bank",
        methods=["GET", "POST"],
        # Why no CSRF token: this bank has no sessions; the state authorizes, and another site does not know it.
        csrf=False,
    )
    def page(self, institution="", state="", user="", **parameters):
        if "\x00" in institution:
            raise NotFound()
        bank = (
            request.env["bank.sync.institution"]
            # sudo: reads a bank of the Demo Bank by its public code
            .sudo()
            .search([("provider_id.code", "=", "sandbox"), ("provider_institution", "=", institution)], limit=1)
        )
        if not bank or not state or not bank.provider_id.active:
            raise NotFound()
        decision = parameters.get("decision")
        if request.httprequest.method == "POST" and decision in ("approve", "refuse"):
            if decision == "approve":
                code = bank.provider_id._adapter().approved(institution, user or "demo", state)
                brought = {"state": state, "code": code}
            else:
                brought = {"state": state, "error": "access_denied"}
            return request.redirect_query("/bank_sync/callback/sandbox", brought, code=HTTPStatus.SEE_OTHER)
        # Why the visit: a bank names the recipient of the data. It is not shown to another browser.
        waiting = request.env["bank.sync.visit"]._find_returned("sandbox", state)
        receiver = waiting._receiver() if waiting and waiting._is_of(self._browser_key()) else None
        return self._page(
            "bank_sync_proxy.sandbox_bank",
            waiting.browse(),
            bank=bank,
            user=user,
            state=state,
            is_demonstration=True,
            receiver=receiver,
        )
