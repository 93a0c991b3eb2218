from http import HTTPStatus

from odoo import http
from odoo.http import request

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex"}


class BankSyncHealth(http.Controller):
    """What load balancers and monitors ask, without a password: yes or no, and nothing about clients or banks."""

    @http.route("/bank_sync/health", type="http", auth="none", methods=["GET"], sitemap=False, save_session=False)
    def alive(self):
        """The process answers, and so does the database: else Odoo itself has failed before."""
        request.env.cr.execute("SELECT 1")
        return request.make_json_response({"status": "alive"}, headers=list(HEADERS.items()))

    @http.route("/bank_sync/health/ready", type="http", auth="none", methods=["GET"], sitemap=False, save_session=False)
    def ready(self):
        """Requests can be answered. 503 takes a machine out of the balancer, and wakes somebody."""
        # sudo: yes or no of each check is public; it takes no parameter
        checks = request.env["bank.sync.doctor"].sudo()._health()
        is_ready = all(checks.values())
        return request.make_json_response(
            {"status": "ready" if is_ready else "not_ready", "checks": checks},
            headers=list(HEADERS.items()),
            status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )
