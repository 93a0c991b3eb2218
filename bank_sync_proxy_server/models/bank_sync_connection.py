from markupsafe import Markup

from odoo import api, fields, models
from odoo.addons.bank_sync_proxy.models.bank_sync_connection import NOTED_EVERY
from odoo.addons.bank_sync_proxy.providers.types import Completed


class BankSyncConnection(models.Model):
    """What support sees of a connection, and its actions on it."""

    _name = "bank.sync.connection"
    _inherit = ["bank.sync.connection", "mail.thread"]
    # Support writes notes and changes nothing.
    _mail_post_access = "read"

    # What an accounting firm sees, see bank.sync.firm.consent.
    synchronized_at = fields.Datetime(
        readonly=True, copy=False, help="When transactions were last delivered to the database, within the hour."
    )
    failed_at = fields.Datetime(
        readonly=True, copy=False, help="When a request for this connection last failed since the consent was given."
    )

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # The chatter is for support: the user who connects a bank neither follows it nor appears in it.
        quiet = self.with_context(mail_create_nosubscribe=True, mail_create_nolog=True)
        return super(BankSyncConnection, quiet).create(vals_list).with_env(self.env)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _take(self, result):
        if isinstance(result, Completed) and self.failed_at:
            self.failed_at = False
        return super()._take(result)

    def _note_failure(self, error):
        self.failed_at = fields.Datetime.now()
        return super()._note_failure(error)

    def _transactions(self, account, since, cursor, limit):
        page = super()._transactions(account, since, cursor, limit)
        now, last = fields.Datetime.now(), self.synchronized_at
        # Why not each time: a run makes several requests.
        if not last or now - last >= NOTED_EVERY or (self.failed_at and self.failed_at > last):
            self.synchronized_at = now
        return page

    def _disconnect_by_support(self, reason):
        """Revoke the consent at the provider if possible, and end the connection in any case.

        :param str reason: shown to the database's users
        """
        for connection in self:
            _answer, error, record = self.env["bank.sync.error"]._attempt(
                connection._revoke, operation="support.disconnect", client=connection.client_id, connection=connection
            )
            connection._disconnect(reason)
            # Why an event: the database does not know of it yet.
            self.env["bank.sync.event"]._emit(connection.client_id, "connection.disconnected", connection)
            body = Markup("<b>%s</b><br/>%s") % (self.env._("Disconnected by support."), reason)
            if error:
                told = self.env._("The provider did not revoke the consent: %(reference)s", reference=record.reference)
                body += Markup("<br/>%s") % told
            connection.message_post(body=body)
