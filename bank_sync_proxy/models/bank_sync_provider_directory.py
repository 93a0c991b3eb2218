from odoo import fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server


class BankSyncProvider(models.Model):
    """A provider's part in the directory of banks: its list, and its place in the order."""

    _inherit = "bank.sync.provider"

    directory_error_id = fields.Many2one(
        comodel_name="bank.sync.error",
        string="Last Update Failed",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    directory_error_message = fields.Text(related="directory_error_id.message", string="Why")
    may_accept_shorter = fields.Boolean(readonly=True, copy=False, help="The list has lost most of its banks.")

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    def write(self, vals):
        result = super().write(vals)
        if {"active", "sequence"} & vals.keys():
            self.env["bank.sync.institution"]._propose()
        return result

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_update_directory(self):
        return self._update_directory()

    def action_accept_shorter_directory(self):
        """Accept a list although it has lost most of its banks."""
        return self._update_directory(may_shrink=True)

    def _update_directory(self, following=None, **options):
        """
        :param dict following: action after a success, instead of the form
        :return: action that shows the result; a failure is shown in the form until the next attempt
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: write access to the provider was checked above; only this update may write banks
        provider = as_server(self)
        provider.env["bank.sync.institution"]._update_directory(provider, **options)
        provider.invalidate_recordset(["institution_count", "institution_country_count", "reach"])
        reload = {"type": "ir.actions.client", "tag": "soft_reload"}
        if provider.directory_error_id:
            return reload
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "title": provider.name,
                "message": provider.reach,
                "next": following or reload,
            },
        }
