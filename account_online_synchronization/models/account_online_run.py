import base64
import gzip
from datetime import timedelta

from odoo import api, fields, models

from .server_fields import as_server

#: Settings, in days, with their defaults. Answers of banks are large and hold personal data: they go sooner.
KEEP_RUNS = ("account_online_synchronization.keep_runs_days", 365)
KEEP_ANSWERS = ("account_online_synchronization.keep_answers_days", 14)

#: States of a run that is not over, and what they mean for the accounts of the link.
FETCHING = {"planned": "waiting", "running": "processing"}

#: A run that has not stored anything for so long is not running any more.
DEAD_AFTER = timedelta(hours=1)

#: Parked transactions that a run names.
MAX_DETAILS = 100

#: Characters of the raw answers that the form shows; the file holds all of them.
SHOWN_ANSWER = 100_000
#: Runs that are deleted in one transaction; Odoo goes on while there are more.
BATCH = 10_000


class AccountOnlineRun(models.Model):
    """One synchronization of one link: what was asked, what came of it. Written by the synchronization only."""

    _name = "account.online.run"
    _description = "Synchronization Run"
    _inherit = ["account.online.server.fields"]
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
    duration = fields.Float(
        string="Duration (Seconds)",
        compute="_compute_duration",
        store=True,
        aggregator="avg",
        help="From the beginning to the end; where a user asked for something long, the wait for the server included.",
    )
    is_deferred = fields.Boolean(help="A user asked for it; it is long, so the server fetches while the user goes on.")
    state = fields.Selection(
        selection=[
            ("planned", "Planned"),
            ("running", "Running"),
            ("done", "Done"),
            ("waiting", "Waiting for the user"),
            ("interrupted", "Interrupted"),
            ("failed", "Failed"),
        ],
        default="running",
        required=True,
    )
    failures = fields.Integer(
        compute="_compute_failures", store=True, help="1 for a run that failed, so that they can be counted."
    )
    fetched = fields.Integer(help="Transactions that the bank gave, known ones included.")
    imported = fields.Integer(help="New statement lines.")
    possible_duplicates = fields.Integer(help="New lines that may have been in the journal already.")
    adopted = fields.Integer(
        string="Matched", help="Lines typed by hand or imported from a file, recognised as the bank's transactions."
    )
    known = fields.Integer(help="Booked transactions that had been imported before, and repeats.")
    changed = fields.Integer(help="Lines that the bank has changed.")
    removed = fields.Integer(string="Withdrawn", help="Lines that the bank has withdrawn.")
    pending = fields.Integer(help="Announced by the bank, not booked yet.")
    skipped_before_start = fields.Integer(string="Before Start Date", help="Dated before the account's start date.")
    skipped_locked = fields.Integer(string="In Locked Period", help="Dated on or before the journal's lock date.")
    skipped_deleted = fields.Integer(string="Deleted Before", help="A user has deleted their lines.")
    parked = fields.Integer(help="Could not be imported; the reasons stand below.")
    parked_details = fields.Json(help="List of {account, identifier, reason}.")
    parked_text = fields.Text(string="Parked Transactions", compute="_compute_parked_text")
    one_by_one_reason = fields.Char(
        string="Created One by One",
        help="Why Odoo had to create the lines one after the other, which takes longer. The lines are the same.",
    )
    error_code = fields.Char()
    error_message = fields.Text()
    error_reference = fields.Char()
    raw_answers = fields.Binary(
        attachment=True, groups="base.group_system", help="What the connection service answered, compressed, masked."
    )
    raw_answers_name = fields.Char(compute="_compute_raw_answers_text", groups="base.group_system")
    raw_answers_text = fields.Text(compute="_compute_raw_answers_text", groups="base.group_system")

    # Why: they are looked for with each run and each card, among the runs of a year.
    _open_idx = models.Index("(account_online_link_id) WHERE state IN ('planned', 'running')")

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("started_at", "ended_at")
    def _compute_duration(self):
        for run in self:
            run.duration = (run.ended_at - run.started_at).total_seconds() if run.ended_at and run.started_at else 0.0

    @api.depends("state")
    def _compute_failures(self):
        for run in self:
            run.failures = int(run.state == "failed")

    @api.depends("parked_details")
    def _compute_parked_text(self):
        for run in self:
            run.parked_text = "\n".join(
                f"{item['account']} · {item['identifier'] or '?'} · {item['reason']}"
                for item in run.parked_details or []
            )

    @api.depends("raw_answers")
    def _compute_raw_answers_text(self):
        for run in self:
            content = run.with_context(bin_size=False).raw_answers
            text = gzip.decompress(base64.b64decode(content)).decode() if content else ""
            run.raw_answers_text = text[:SHOWN_ANSWER] + (" …" if len(text) > SHOWN_ANSWER else "")
            run.raw_answers_name = f"synchronization-{run.id}.jsonl.gz"

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.autovacuum
    def _gc_runs(self):
        """Keep the history for the time that the settings say; what runs or waits is no history."""
        most = 0
        for (name, default), keep in ((KEEP_ANSWERS, False), (KEEP_RUNS, True)):
            # sudo: reads one system parameter that is no secret, under a name of our own
            days = self.env["ir.config_parameter"].sudo().get_param(name)
            limit = fields.Datetime.subtract(
                fields.Datetime.now(), days=int(days) if days and days.isdigit() else default
            )
            domain = [("started_at", "<", limit), ("state", "not in", ("planned", "running"))]
            if keep:
                found = self.search(domain, limit=BATCH)
                found.unlink()
            else:
                found = self.search([*domain, ("raw_answers", "!=", False)], limit=BATCH)
                found.raw_answers = False
            most = max(most, len(found))
        return most, most == BATCH

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_fetch(self):
        """*Fetch Again*: another run of the same connection."""
        self.ensure_one()
        return self.account_online_link_id.action_fetch_transactions()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _get_fetching_status(self, links):
        """:return: dict from the ids of those links that are being fetched to ``waiting`` or ``processing``"""
        # sudo: reads whether links that the caller was given are being fetched, nothing else
        open_runs = self.sudo().search_fetch(
            [("account_online_link_id", "in", links.ids), ("state", "in", [*FETCHING])],
            ["account_online_link_id", "state", "write_date"],
        )
        # Why: a server that died leaves its run behind. It is taken up again, and the user may do so, too.
        dead = self.env.cr.now() - DEAD_AFTER
        return {
            run.account_online_link_id.id: "waiting" if run.write_date < dead else FETCHING[run.state]
            for run in open_runs
        }

    def _restart(self):
        """Begin again after an interruption: what was stored then stays counted, the rest is seen again."""
        seen = ("fetched", "known", "pending", "skipped_before_start", "skipped_locked", "skipped_deleted", "parked")
        if self:
            self.write({**dict.fromkeys(seen, 0), "state": "running", "parked_details": False, "ended_at": False})

    def _pause(self, message=None):
        """The scheduled action leaves the run and goes on at once, in its next round.

        :param str message: why, if not because it has no time left
        """
        if self.is_deferred:
            self.state = "planned"
        else:
            self._interrupt(
                message or self.env._("The time of the scheduled action ran out. The next run goes on at once.")
            )

    def _interrupt(self, message):
        """The run came to no end; the next one does its work."""
        if self:
            self.write({"state": "interrupted", "ended_at": fields.Datetime.now(), "error_message": message})

    def _count(self, counter, number=1):
        """:param str counter: name of one of the integer fields"""
        # Why: every change of a run is a statement of its own.
        if number:
            self[counter] += number

    def _park(self, account, identifier, reason):
        """Remember a transaction that could not be imported, and why."""
        self.parked += 1
        details = self.parked_details or []
        # Why a limit: all of them stand beside the books; here they are to be read.
        if len(details) < MAX_DETAILS:
            detail = {"account": account.display_name, "identifier": identifier or None, "reason": reason}
            self.parked_details = [*details, detail]

    def _keep_answers(self, recording):
        """:param recording: :class:`~..client.recording.Recording`"""
        content = recording.compressed()
        # sudo: part of a synchronization, whose caller has checked the link; only the system reads it
        as_server(self).raw_answers = content and base64.b64encode(content)

    def _summary(self):
        """What happened, in a sentence for the user who pressed the button."""
        self.ensure_one()
        parts = [
            self.env._("New transactions: %s.", self.imported)
            if self.imported
            else self.env._("There are no new transactions.")
        ]
        if self.adopted:
            parts.append(self.env._("Recognised in the journal: %s.", self.adopted))
        if self.possible_duplicates:
            parts.append(self.env._("Possible duplicates, please look at them: %s.", self.possible_duplicates))
        if self.changed or self.removed:
            parts.append(
                self.env._(
                    "Changed by the bank: %(changed)s, withdrawn: %(removed)s.",
                    changed=self.changed,
                    removed=self.removed,
                )
            )
        if self.pending:
            parts.append(self.env._("Pending at the bank, imported once booked: %s.", self.pending))
        if self.skipped_locked:
            parts.append(self.env._("In a locked period, left out: %s.", self.skipped_locked))
        if self.parked:
            parts.append(self.env._("Could not be imported, see the history: %s.", self.parked))
        accounts = self.account_online_link_id.account_online_account_ids
        if refused := accounts._refused_ones():
            names = ", ".join(refused.mapped("display_name"))
            parts.append(self.env._("Refused by the bank, see the connection: %s.", names))
        # Why with first loads only: later runs ask for no more than the bank gives.
        loads = self.env["account.online.load"].search([("run_id", "=", self.id)])
        parts += filter(None, loads.account_online_account_id.mapped("history_text"))
        return " ".join(parts)
