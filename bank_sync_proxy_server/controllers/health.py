import hmac
import ipaddress
import logging
from http import HTTPStatus

from odoo import http
from odoo.addons.bank_sync_common.tools.master_key import KeyUnavailable, read_key
from odoo.http import request
from odoo.tools import config

from ..models.bank_sync_metrics import METRICS

_logger = logging.getLogger(__name__)

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex"}
TOKEN = "bank_sync_metrics_token"
#: Headers that show that the request came through a reverse proxy, and so possibly from outside.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


class BankSyncHealth(http.Controller):
    """Checks for load balancers and monitors, without a password: yes or no, and nothing about clients or banks."""

    @http.route("/bank_sync/health", type="http", auth="none", methods=["GET"], sitemap=False, save_session=False)
    def alive(self):
        """The process and the database answer: otherwise Odoo would have failed before."""
        request.env.cr.execute("SELECT 1")
        return request.make_json_response({"status": "alive"}, headers=list(HEADERS.items()))

    @http.route("/bank_sync/health/ready", type="http", auth="none", methods=["GET"], sitemap=False, save_session=False)
    def ready(self):
        """Requests can be answered. 503 takes a machine out of the balancer, and alerts the operators."""
        # sudo: yes or no of each check is public; it takes no parameter
        checks = request.env["bank.sync.doctor"].sudo()._health()
        is_ready = all(checks.values())
        return request.make_json_response(
            {"status": "ready" if is_ready else "not_ready", "checks": checks},
            headers=list(HEADERS.items()),
            status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    @http.route("/bank_sync/metrics", type="http", auth="none", methods=["GET"], sitemap=False, save_session=False)
    def metrics(self):
        """Prometheus' text format: with a token if one is configured, otherwise from the machine's network only."""
        if not self._may_read_metrics():
            return request.make_response("", headers=list(HEADERS.items()), status=HTTPStatus.FORBIDDEN)
        # sudo: the token, or the address of the connection, was checked above
        families = request.env["bank.sync.metrics"].sudo()._families()
        headers = {**HEADERS, "Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return request.make_response(METRICS.expose(families), headers=list(headers.items()))

    @staticmethod
    def _may_read_metrics():
        http_request = request.httprequest
        if configured := config.get(TOKEN):
            try:
                token = read_key(TOKEN, configured)
            except KeyUnavailable as error:
                _logger.error("%s", error)
                return False
            scheme, _space, given = http_request.headers.get("Authorization", "").partition(" ")
            return bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token)
        if any(name in http_request.headers for name in FORWARDED):
            return False
        try:
            return ipaddress.ip_address(http_request.remote_addr or "").is_private
        except ValueError:
            return False
