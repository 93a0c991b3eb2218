from markupsafe import Markup

from odoo import api, models


class BankSyncConnection(models.Model):
    """What support sees of a connection, and does to it."""

    _name = "bank.sync.connection"
    _inherit = ["bank.sync.connection", "mail.thread"]
    # Support writes notes and changes nothing.
    _mail_post_access = "read"

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # The chatter is support's: the user who connects a bank neither follows it nor begins it.
        quiet = self.with_context(mail_create_nosubscribe=True, mail_create_nolog=True)
        return super(BankSyncConnection, quiet).create(vals_list).with_env(self.env)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _disconnect_by_support(self, reason):
        """Give the consent back where the provider takes it, and end the connection in any case.

        :param str reason: the users of the database read it
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
