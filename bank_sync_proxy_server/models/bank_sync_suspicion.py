import math
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_proxy.models.clean_up import clean_up
from odoo.http import request

#: How many suspicions of a kind, within how many minutes, block a client; each is a system parameter
#: ``bank_sync_proxy.suspicion_<kind>`` of the form ``10/60``, and ``0/60`` switches it off.
THRESHOLDS = {
    # Signatures that are wrong although the client exists.
    "signature": (20, 10),
    # Wrong codes of a text message.
    "code": (10, 60),
    # Visits that ended because credentials or codes of a bank were not accepted.
    "credentials": (10, 60),
    # Different institutions for which a connection was started.
    "institution": (30, 60),
    # Requests that were refused by the rate limit.
    "burst": (300, 10),
    # Wrong codes of accounting firms.
    "firm": (20, 60),
}
#: Too many of these are only refused for a while, without blocking the client: no bank data are at risk.
ONLY_LIMITED = ("firm",)
KEEP_DAYS = 90


class BankSyncSuspicion(models.Model):
    """A suspicious action: frequent in attacks, rare in normal use. Rows are only inserted, so none has to wait."""

    _name = "bank.sync.suspicion"
    _description = "Suspicious Activity"
    _order = "id desc"

    create_date = fields.Datetime(string="When", readonly=True, index=True)
    client_id = fields.Many2one(comodel_name="bank.sync.client", required=True, readonly=True, ondelete="cascade")
    kind = fields.Selection(
        selection=[
            ("signature", "Wrong Signature"),
            ("code", "Wrong Code"),
            ("credentials", "Wrong Credentials"),
            ("institution", "Institution Started"),
            ("burst", "Too Many Requests"),
            ("firm", "Wrong Code of an Accounting Firm"),
        ],
        required=True,
        readonly=True,
    )
    detail = fields.Char(
        readonly=True, help="Key that makes an event count once, however often it arrives; empty: each one counts."
    )
    address = fields.Char(readonly=True, help="Where the request came from.")
    is_settled = fields.Boolean(readonly=True, help="No longer counted: the client was unblocked in the meantime.")

    _client_kind = models.Index("(client_id, kind, create_date)")

    @api.model
    def _note(self, client, kind, detail="", address=None):
        """Add one, and block the client when it is one too many.

        Call it where a failure of the request does not roll it back: outside the savepoint of
        :meth:`BankSyncError._attempt`, or before a failure that ``keeps`` it.
        """
        most, minutes = self._threshold(kind)
        if client.is_embedded or not most:
            return
        address = address or (request and request.httprequest.remote_addr)
        # An empty detail is stored as NULL, so that each of those counts.
        # sudo: callers are private; the client has signed the request, or was named in one with a wrong signature
        as_server(self).create(
            {"client_id": client.id, "kind": kind, "detail": detail or False, "address": address or False}
        )
        if kind in ONLY_LIMITED:
            return
        self.flush_model()
        since = fields.Datetime.now() - timedelta(minutes=minutes)
        self.env.cr.execute(
            "SELECT count(*) FILTER (WHERE detail IS NULL) + count(DISTINCT detail) FROM bank_sync_suspicion"
            " WHERE client_id = %s AND kind = %s AND create_date >= %s AND is_settled IS NOT TRUE",
            [client.id, kind, since],
        )
        if self.env.cr.fetchone()[0] >= most and client.state != "blocked":
            # sudo: the number of suspicions just counted decides, not a caller
            as_server(client)._block(self._reason(kind))

    @api.model
    def _seconds_until_one_more(self, client, kind):
        """:return: whole seconds until the client may retry what its failures limit; 0 for now"""
        most, minutes = self._threshold(kind)
        if client.is_embedded or not most:
            return 0
        now, span = self.env.cr.now(), timedelta(minutes=minutes)
        noted = [("client_id", "=", client.id), ("kind", "=", kind), ("is_settled", "=", False)]
        # sudo: counts the suspicions of the client that has signed this request
        recent = self.sudo().search([*noted, ("create_date", ">", now - span)], order="id desc", limit=most)
        return math.ceil((recent[-1].create_date + span - now).total_seconds()) if len(recent) == most else 0

    @api.model
    def _settle(self, clients):
        """The suspicions noted of these clients so far no longer count."""
        noted = [("client_id", "in", clients.ids), ("is_settled", "=", False)]
        # sudo: support's group, or the code of the client's own phone, was checked by the caller
        as_server(self).search(noted).write({"is_settled": True})

    @api.model
    def _threshold(self, kind):
        """:return: (how many, within how many minutes)"""
        # sudo: reads one system parameter that is not secret; the code fixes its name
        text = self.env["ir.config_parameter"].sudo().get_param(f"bank_sync_proxy.suspicion_{kind}") or ""
        most, _slash, minutes = text.partition("/")
        return (int(most), int(minutes)) if most.isdigit() and minutes.isdigit() else THRESHOLDS[kind]

    @api.model
    def _reason(self, kind):
        return {
            "signature": self.env._(
                "Many requests came with a wrong signature, as if somebody tried to impersonate you."
            ),
            "code": self.env._("Many wrong codes were entered, as if somebody tried to guess one."),
            "credentials": self.env._(
                "Many wrong credentials were entered at banks, as if somebody tried to guess some."
            ),
            "institution": self.env._("Connections to a very large number of banks were started in a short time."),
            "burst": self.env._("A very large number of requests came in a short time."),
        }[kind]

    @api.autovacuum
    def _gc_suspicions(self):
        return clean_up(self, [("create_date", "<", fields.Datetime.now() - timedelta(days=KEEP_DAYS))])
