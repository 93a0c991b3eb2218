import hashlib
import secrets

from odoo import api, fields, models

from ..proxy.errors import ProxyError


class AccountOnlineAuthorization(models.TransientModel):
    """A user's way to the bank's pages and back.

    It exists while the user is away. A link is made only when the user comes back with a consent, so an attempt that is
    given up leaves nothing behind but this record, which Odoo's vacuum takes away.
    """

    _name = "account.online.authorization"
    _description = "Visit of the Bank's Pages"
    # Consents that need a signature of a second person take a while.
    _transient_max_hours = 24.0

    kind = fields.Selection(
        selection=[
            ("connect", "New connection"),
            ("consent", "New consent"),
            ("credentials", "New credentials"),
            ("refresh", "Code for a refresh"),
        ],
        required=True,
    )
    nonce_digest = fields.Char(required=True, index=True, groups="base.group_system")
    user_id = fields.Many2one(comodel_name="res.users", required=True, default=lambda self: self.env.uid)
    company_id = fields.Many2one(comodel_name="res.company", required=True, default=lambda self: self.env.company)
    link_id = fields.Many2one(comodel_name="account.online.link", ondelete="cascade")
    journal_id = fields.Many2one(comodel_name="account.journal", ondelete="cascade")
    connection_identifier = fields.Char(groups="base.group_system")

    # -------------------------------------------------------------------------
    # GOING THERE
    # -------------------------------------------------------------------------

    @api.model
    def _new_nonce(self):
        return secrets.token_urlsafe(24)

    @api.model
    def _digest(self, nonce):
        return hashlib.sha256(nonce.encode()).hexdigest()

    @api.model
    def _return_url(self, nonce):
        service = self.env["account.online.service"]._get()
        return service._way_back(f"/account_online_synchronization/return/{nonce}")

    @api.model
    def _remember(self, kind, nonce, link=None, journal=None, connection_identifier=None):
        company = (link and link.company_id) or (journal and journal.company_id) or self.env.company
        return self.sudo().create(
            {
                "kind": kind,
                "nonce_digest": self._digest(nonce),
                "user_id": self.env.uid,
                "company_id": company.id,
                "link_id": link and link.id,
                "journal_id": journal and journal.id,
                "connection_identifier": connection_identifier or (link and link.sudo().connection_identifier),
            }
        )

    @api.model
    def _open(self, kind, link=None, journal=None, institution=None):
        """Start the visit.

        :param str institution: id of the bank that the user has chosen, for a new connection; None: the service's own
            page lets him choose
        :return: action that takes the browser to the bank's pages, or a notification that says why not
        """
        link_sudo = self.env["account.online.link"].sudo()
        service = self.env["account.online.service"]._get()
        nonce = self._new_nonce()
        try:
            answer = service._ask_to_connect(lambda: self._ask_for_page(kind, link, nonce, institution))
        except ProxyError as error:
            if service._wants_phone(error):
                return self.env["account.online.phone"]._open(error, kind, link, journal, institution)
            if link:
                link.sudo()._register_error(error)
            return (link or link_sudo)._notify(error.message, "danger")
        self._remember(kind, nonce, link=link, journal=journal, connection_identifier=answer["connection_id"])
        return link_sudo._go_to(answer["page_url"])

    @api.model
    def _ask_for_page(self, kind, link, nonce, institution=None):
        """:return: answer of ``connections.renew``, or of ``connections.start`` where there is nothing to renew"""
        client = self.env["account.online.link"].sudo()._get_client()
        arguments = {"return_url": self._return_url(nonce), "language": self.env.user.lang}
        if link and link.sudo().connection_identifier:
            reason = "credentials" if kind == "credentials" else "consent"
            try:
                return client.renew_connection(link.sudo().connection_identifier, reason, **arguments)
            except ProxyError as error:
                # Why: what the proxy no longer has can't be renewed; it is made anew, for the same link.
                if error.action != "reconnect":
                    raise
        country = self.env.company.country_id.code or self.env.company.account_fiscal_country_id.code
        return client.start_connection(country=country or None, institution_id=institution, **arguments)

    # -------------------------------------------------------------------------
    # COMING BACK
    # -------------------------------------------------------------------------

    @api.model
    def _find(self, nonce):
        """The current user's open visit with this nonce, or an empty recordset. A nonce serves once."""
        return self.sudo().search([("nonce_digest", "=", self._digest(nonce)), ("user_id", "=", self.env.uid)], limit=1)

    def _finish(self):
        """Take over what the user did at the bank.

        :return: action to go on with: choosing accounts after a new connection, otherwise the link
        """
        self.ensure_one()
        Link = self.env["account.online.link"].with_company(self.company_id)
        kind, link, journal = self.kind, self.link_id, self.journal_id
        client = Link._get_client()
        connection = client.get_connection(self.connection_identifier)
        accounts = client.list_accounts(self.connection_identifier)
        if not link:
            link = Link._create_from_proxy(connection, accounts, self.company_id)
            new_accounts = link.account_online_account_ids
        else:
            new_accounts = link._update_from_proxy(connection, accounts)
        self.unlink()
        if kind == "refresh" or (not new_accounts and link._linked_accounts()):
            link._synchronize(user_present=True, refresh=False, may_defer=True)
            return None, link
        return link._open_account_selection(journal, refresh=False), link
