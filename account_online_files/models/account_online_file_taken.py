from odoo import fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server


class AccountOnlineFileTaken(models.Model):
    """One file of a folder: the marker that it was imported. Nothing is changed in the folder itself."""

    _name = "account.online.file.taken"
    _description = "File of a Folder"
    _inherit = ["account.online.server.fields"]
    _order = "seen_at desc, id desc"

    source_id = fields.Many2one(
        comodel_name="account.online.file.source", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="source_id.company_id", store=True)
    name = fields.Char(required=True, readonly=True)
    version = fields.Char(readonly=True, help="Size in bytes and time in seconds, by the clock of the folder's server.")
    digest = fields.Char(readonly=True, help="SHA-256 of its content.")
    seen_at = fields.Datetime(string="Seen", readonly=True, help="Since when it has not changed.")
    state = fields.Selection(
        selection=[("waiting", "Waiting until it is complete"), ("done", "Done"), ("failed", "Not imported")],
        default="waiting",
        required=True,
        readonly=True,
    )
    note = fields.Text(string="Result", readonly=True)

    _name_unique = models.UniqueIndex("(source_id, name)")

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_retry(self):
        """*Try Again*: read it again, for instance after a user has answered questions about the columns."""
        self.ensure_one()
        self.check_access("read")
        self.source_id.check_access("write")
        # sudo: write access to the folder, which only system administrators of the company have, was checked above
        as_server(self).write({"state": "waiting", "digest": False})
        return self.source_id.action_collect()
