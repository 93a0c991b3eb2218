from odoo import api, fields, models


class AccountOnlineRun(models.Model):
    """One synchronization of one link: what was asked, what came of it. Written by the synchronization only."""

    _name = "account.online.run"
    _description = "Synchronization Run"
    _order = "started_at desc, id desc"
    _rec_name = "started_at"

    account_online_link_id = fields.Many2one(
        comodel_name="account.online.link", string="Connection", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="account_online_link_id.company_id", store=True)
    trigger = fields.Selection(
        selection=[("user", "A user"), ("schedule", "The schedule")], required=True, default="user"
    )
    user_id = fields.Many2one(comodel_name="res.users", default=lambda self: self.env.user)
    started_at = fields.Datetime(default=fields.Datetime.now, required=True)
    ended_at = fields.Datetime()
    state = fields.Selection(
        selection=[
            ("running", "Running"),
            ("done", "Done"),
            ("waiting", "Waiting for the user"),
            ("failed", "Failed"),
        ],
        default="running",
        required=True,
    )
    fetched = fields.Integer(help="Transactions that the bank gave, known ones included.")
    imported = fields.Integer(help="New statement lines.")
    known = fields.Integer(help="Booked transactions that had been imported before.")
    pending = fields.Integer(help="Announced by the bank, not booked yet.")
    skipped_before_start = fields.Integer(string="Before Start Date", help="Dated before the account's start date.")
    skipped_locked = fields.Integer(string="In Locked Period", help="Dated on or before the journal's lock date.")
    parked = fields.Integer(help="Could not be imported; the reasons stand below.")
    parked_details = fields.Json(help="List of {account, identifier, reason}.")
    parked_text = fields.Text(string="Parked Transactions", compute="_compute_parked_text")
    error_code = fields.Char()
    error_message = fields.Text()
    error_reference = fields.Char()

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("parked_details")
    def _compute_parked_text(self):
        for run in self:
            run.parked_text = "\n".join(
                f"{item['account']} · {item['identifier'] or '?'} · {item['reason']}"
                for item in run.parked_details or []
            )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _count(self, counter, number):
        """:param str counter: name of one of the integer fields"""
        self[counter] += number

    def _park(self, account, identifier, reason):
        """Remember a transaction that could not be imported, and why."""
        details = list(self.parked_details or [])
        details.append({"account": account.display_name, "identifier": identifier or None, "reason": reason})
        self.parked_details = details
        self.parked += 1

    def _summary(self):
        """What happened, in a sentence for the user who pressed the button."""
        self.ensure_one()
        parts = [
            self.env._("New transactions: %s.", self.imported)
            if self.imported
            else self.env._("There are no new transactions.")
        ]
        if self.pending:
            parts.append(self.env._("Pending at the bank, imported once booked: %s.", self.pending))
        if self.skipped_locked:
            parts.append(self.env._("In a locked period, left out: %s.", self.skipped_locked))
        if self.parked:
            parts.append(self.env._("Could not be imported, see the history: %s.", self.parked))
        return " ".join(parts)
