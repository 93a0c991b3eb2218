from markupsafe import Markup

from odoo import api, fields, models


class BankSyncConnection(models.Model):
    """What support sees of a connection, and does to it."""

    _name = "bank.sync.connection"
    _inherit = ["bank.sync.connection", "mail.thread"]
    _rec_names_search = ["identifier", "institution_id"]
    # Support writes notes and changes nothing.
    _mail_post_access = "read"

    error_count = fields.Integer(compute="_compute_error_count")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("error_ids")
    def _compute_error_count(self):
        counts = dict(
            self.env["bank.sync.error"]._read_group(
                [("connection_id", "in", self.ids)], groupby=["connection_id"], aggregates=["__count"]
            )
        )
        for connection in self:
            connection.error_count = counts.get(connection, 0)

    @api.depends("institution_id", "identifier")
    def _compute_display_name(self):
        for connection in self:
            connection.display_name = f"{connection.institution_id.name or '–'} ({connection.identifier[:8]}…)"

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
            connection._disconnect(reason, by_support=True)
            body = Markup("<b>%s</b><br/>%s") % (self.env._("Disconnected by support."), reason)
            if error:
                told = self.env._(
                    "The provider did not take the consent back: %(reference)s", reference=record.reference
                )
                body += Markup("<br/>%s") % told
            connection.message_post(body=body)
