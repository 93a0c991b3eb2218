from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.exceptions import UserError

from ..client.errors import ProxyError
from ..client.messages import parse_moment


class AccountOnlineFirm(models.TransientModel):
    """Allow an accounting firm to see the state of this database's bank consents, or revoke that.

    The connection service stores the agreement, which is requested each time the wizard is opened. It is valid for the
    whole database, so users who agree must have access to every company with a bank connection.
    """

    _name = "account.online.firm"
    _description = "Agreement with an Accounting Firm"
    _inherit = ["account.online.server.fields"]

    step = fields.Selection(
        selection=[("code", "Code"), ("confirm", "Confirm"), ("agreed", "Agreed")],
        required=True,
        readonly=True,
        default="code",
    )
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    code = fields.Char(string="Code of the Firm")
    firm_name = fields.Char(string="Accounting Firm", readonly=True)
    agreed_at = fields.Datetime(string="Since", readonly=True)
    bank_names = fields.Text(string="Your Connections", readonly=True)
    client_name = fields.Char(string="Shown as", help="The name under which the firm finds this database.")
    contact_name = fields.Char(string="Contact")
    contact_email = fields.Char(
        string="E-Mail", help="The firm may write to this address when a consent ends or fails."
    )
    refusal = fields.Text(readonly=True, help="What the service did not accept.")

    # -------------------------------------------------------------------------
    # OPENING
    # -------------------------------------------------------------------------

    @api.model
    def _open(self):
        """:return: action that shows the current agreement"""
        self.env["account.online.link"]._check_may_connect()
        try:
            agreement = self._client().get_firm_agreement()
        except ProxyError as error:
            raise UserError(error.message)
        self.env["account.online.service"]._get()._take_firm(agreement)
        user = self.env.user
        # sudo: the right to connect banks was checked above; the values are the service's answer and the user's own
        wizard = as_server(self).create(
            {"client_name": self.env.company.name, "contact_name": user.name, "contact_email": user.email}
        )
        if agreement:
            wizard._take(agreement)
        return wizard._show()

    @api.model
    def _client(self):
        """:raise UserError: if this database has no connection service with accounting firms"""
        service = self.env["account.online.service"]._get()
        if not service._institutions_url():
            raise UserError(
                self.env._(
                    "Accounting firms are known to a connection service that serves several databases. This database "
                    "is its own connection service, so there is nothing to share."
                )
            )
        if service.url and not service._is_registered():
            raise UserError(
                self.env._(
                    "The connection service does not know this database yet. Connect a bank first, then open this "
                    "again."
                )
            )
        return service._get_client()

    def _show(self):
        return self._get_records_action(name=self.env._("Accounting Firm"), target="new", context={})

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_find(self):
        """*Continue*: show the name of the firm and what it would see."""
        wizard = self._server()
        self._check_all_companies()
        code = (self.code or "").strip()
        if not code:
            return wizard._refuse(self.env._("Enter the code that your accounting firm has given you."))
        try:
            name = self._client().find_firm(code)
        except ProxyError as error:
            return wizard._refuse(error.message)
        banks = ", ".join(self._all_links().mapped("name"))
        wizard.write({"step": "confirm", "firm_name": name, "refusal": False, "bank_names": banks})
        return self._show()

    def action_agree(self):
        """*Agree*."""
        wizard = self._server()
        self._check_all_companies()
        if self.step != "confirm":
            return self._show()
        return wizard._agree(code=self.code.strip(), firm_name=self.firm_name)

    def action_change(self):
        """*Save*: another name or contact for the firm that sees this database already."""
        wizard = self._server()
        self._check_all_companies()
        return wizard._agree() if self.step == "agreed" else self._show()

    def action_revoke(self):
        """*Revoke*. Every accounting administrator may do it, because it only removes rights."""
        wizard = self._server()
        name = self.firm_name
        try:
            self._client().revoke_firm()
        except ProxyError as error:
            return wizard._refuse(error.message)
        service = self.env["account.online.service"]._get()
        service._take_firm(None)
        self._note(self.env._("The accounting firm %s no longer sees the state of the bank connections.", name))
        wizard.write({"step": "code", "code": False, "firm_name": False, "agreed_at": False, "refusal": False})
        return self._show()

    def action_back(self):
        """*Back* to another code."""
        self._server().write({"step": "code", "refusal": False})
        return self._show()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _server(self):
        """Check that the user may still connect banks, and has opened this wizard.

        :return: the wizard with superuser rights, for what only the server writes
        """
        self.ensure_one()
        self.env["account.online.link"]._check_may_connect()
        self.check_access("write")
        # sudo: the group and the wizard's owner were checked above
        return as_server(self)

    def _check_all_companies(self):
        """:raise UserError: if the user would disclose connections of other companies"""
        if self._all_links().company_id - self.env.user.company_ids:
            raise UserError(
                self.env._(
                    "The accounting firm would see the bank connections of all companies of this database, and you "
                    "have no access to some of them. Ask somebody who has access to all companies to agree."
                )
            )

    @api.model
    def _all_links(self):
        """:return: the connections that the service knows, of all companies, with superuser rights"""
        # sudo: callers check the group first, and read names only after _check_all_companies
        links = as_server(self.env["account.online.link"])
        return links.search([("connection_identifier", "!=", False)])

    def _agree(self, **firm):
        """:param firm: ``code`` and ``firm_name``; empty to change the data of the present agreement"""
        name = (self.client_name or "").strip()
        if not name:
            return self._refuse(self.env._("Enter the name under which the firm will find you."))
        try:
            agreement = self._client().agree_with_firm(
                **firm,
                client_name=name,
                contact_name=(self.contact_name or "").strip() or None,
                contact_email=(self.contact_email or "").strip() or None,
            )
        except ProxyError as error:
            return self._refuse(error.message)
        self.env["account.online.service"]._get()._take_firm(agreement)
        if firm:
            self._note(
                self.env._(
                    "The accounting firm %s sees the state of the bank connections from now on: bank, end of the "
                    "consent, last success, last error.",
                    agreement["firm_name"],
                )
            )
        self._take(agreement)
        return self._show()

    def _take(self, agreement):
        """:param dict agreement: of :func:`~..client.answers.read_agreement`"""
        self.write(
            {
                "step": "agreed",
                "code": False,
                "refusal": False,
                "firm_name": agreement["firm_name"],
                "agreed_at": parse_moment(agreement["agreed_at"]) or False,
                **{name: agreement[name] or False for name in ("client_name", "contact_name", "contact_email")},
            }
        )

    def _note(self, sentence):
        """Note it as the user in the chatter of each connection of the user's companies.

        Users who agree have access to all of them; users who revoke may have access to some.
        """
        for link in self._all_links().filtered(lambda one: one.company_id in self.env.user.company_ids):
            link.message_post(body=sentence)

    def _refuse(self, sentence):
        self.refusal = sentence
        return self._show()
