from odoo import fields, models

from .server_fields import as_server


class BankSyncProvider(models.Model):
    """What a provider has to do with the directory of banks: its list, and the place that it has in the order."""

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
        """Take over a list although it has lost most of its banks."""
        return self._update_directory(may_shrink=True)

    def _update_directory(self, **options):
        """:return: action that says what became of it"""
        self.ensure_one()
        self.check_access("write")
        # Why sudo: nobody may write banks but this.
        # sudo: write access to the provider was checked above; nobody may write banks but this
        self = as_server(self)
        self.env["bank.sync.institution"]._update_directory(self, **options)
        error = self.directory_error_id
        self.invalidate_recordset(["institution_count"])
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if error else "success",
                "sticky": bool(error),
                "message": f"{error.message} ({error.reference})"
                if error
                else self.env._(
                    "%(provider)s lists %(count)s banks.", provider=self.name, count=self.institution_count
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
