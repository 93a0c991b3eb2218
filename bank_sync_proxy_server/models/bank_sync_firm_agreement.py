from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_proxy.models.bank_sync_connection import aware
from odoo.addons.bank_sync_proxy.providers.errors import ProtocolError
from odoo.addons.bank_sync_proxy.providers.types import moment_text

from .bank_sync_client_registration import MAX_NAME


class BankSyncFirmAgreement(models.Model):
    """A client lets an accounting firm see the state of its consents, until either side, or support, ends that.

    Only a request signed by the client creates one. The firm reads about the client only what the client entered here.
    """

    _name = "bank.sync.firm.agreement"
    _description = "Agreement with an Accounting Firm"
    _inherit = ["bank.sync.server.fields"]
    _order = "client_name, id"
    _rec_name = "client_name"

    firm_id = fields.Many2one(
        comodel_name="bank.sync.firm",
        string="Accounting Firm",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    client_id = fields.Many2one(
        comodel_name="bank.sync.client",
        string="Database",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        groups="bank_sync_proxy.group_support",
    )
    client_name = fields.Char(string="Client", required=True, readonly=True)
    contact_name = fields.Char(string="Contact", readonly=True)
    contact_email = fields.Char(string="E-Mail", readonly=True)
    agreed_at = fields.Datetime(
        string="Agreed On", required=True, readonly=True, default=lambda self: fields.Datetime.now()
    )
    ended_at = fields.Datetime(string="Ended On", readonly=True, copy=False)
    written_on = fields.Date(string="Last Letter", readonly=True, copy=False, help="A client gets one e-mail a day.")
    consent_count = fields.Integer(string="Banks", compute="_compute_consents")
    urgent_count = fields.Integer(string="Need Attention", compute="_compute_consents")

    _one_in_force = models.UniqueIndex(
        "(client_id) WHERE ended_at IS NULL", "A client agrees with one accounting firm at a time."
    )

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("ended_at")
    def _compute_consents(self):
        counts, urgent = {}, {}
        groups = self.env["bank.sync.firm.consent"]._read_group(
            [("agreement_id", "in", self.ids)], ["agreement_id", "is_urgent"], ["__count"]
        )
        for agreement, is_urgent, count in groups:
            counts[agreement.id] = counts.get(agreement.id, 0) + count
            urgent[agreement.id] = urgent.get(agreement.id, 0) + (count if is_urgent else 0)
        for agreement in self:
            agreement.consent_count = counts.get(agreement.id, 0)
            agreement.urgent_count = urgent.get(agreement.id, 0)

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_end(self):
        """*End*: support ends it for a client that cannot do so, such as one whose database is lost."""
        self.check_access("read")
        self.env["bank.sync.client"]._check_support()
        # sudo: the group and read access were checked above; ending takes rights away and gives none
        as_server(self)._end(self.env._("Support has ended it."))

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _in_force(self, client):
        """:return: the client's agreement, empty where there is none"""
        return self.search([("client_id", "=", client.id), ("ended_at", "=", False)], limit=1)

    @api.model
    def _agree(self, client, firm, about):
        """Begin an agreement, or change what the firm reads about the client.

        :param dict about: of :meth:`_about`
        """
        agreement = self._in_force(client)
        if agreement.firm_id == firm:
            agreement.write(about)
            return agreement
        agreement._end(self.env._("The client has agreed with another accounting firm."))
        agreement = self.create({**about, "client_id": client.id, "firm_id": firm.id})
        client.message_post(
            body=self.env._("Agreed that the accounting firm %s sees the state of the bank consents.", firm.name)
        )
        firm.message_post(body=self.env._("%s agreed to show its bank consents.", agreement.client_name))
        return agreement

    def _end(self, reason):
        """End the agreement: the firm no longer sees the client or its contacts. The dates stay for support."""
        for agreement in self.filtered(lambda one: not one.ended_at):
            agreement.client_id.message_post(
                body=self.env._(
                    "The accounting firm %(firm)s no longer sees the bank consents. %(reason)s",
                    firm=agreement.firm_id.name,
                    reason=reason,
                )
            )
            agreement.firm_id.message_post(
                body=self.env._(
                    "%(client)s no longer shows its bank consents. %(reason)s",
                    client=agreement.client_name,
                    reason=reason,
                )
            )
            agreement.write({"ended_at": fields.Datetime.now(), "contact_name": False, "contact_email": False})
        # Why flush: otherwise PostgreSQL's constraint would compare the next agreement with this one.
        self.flush_recordset()

    @api.model
    def _about(self, payload):
        """:return: the client's data for its firm, checked
        :raise ProtocolError: ``invalid_request``
        """
        api_model = self.env["bank.sync.api"]
        values = {
            name: self._one_line(api_model._text(payload, name, name == "client_name"))
            for name in ("client_name", "contact_name")
        }
        if not values["client_name"]:
            raise ProtocolError("invalid_request", "client_name must be a name")
        return {**values, "contact_email": api_model._email(payload)}

    @api.model
    def _one_line(self, text):
        # Control characters could make a name look like other text where it is shown.
        return "".join(filter(str.isprintable, text or "")).strip()[:MAX_NAME] or False

    def _to_protocol(self):
        """:return: *agreement* of docs/protocol.md, or None"""
        if not self:
            return None
        return {
            "firm": {"name": self.firm_id.name},
            "agreed_at": moment_text(aware(self.agreed_at)),
            "client_name": self.client_name,
            "contact_name": self.contact_name or None,
            "contact_email": self.contact_email or None,
        }
