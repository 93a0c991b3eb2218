import base64
import gzip
from datetime import timedelta

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.tools.misc import format_datetime

from ..sync.status import BUTTON_OF_CODE

#: Settings, in days, with their defaults. Raw answers of banks are large and personal, so they are deleted sooner.
KEEP_RUNS = ("account_online_synchronization.keep_runs_days", 365)
KEEP_ANSWERS = ("account_online_synchronization.keep_answers_days", 14)

#: States of an open run, and what they mean for the accounts of the link.
FETCHING = {"planned": "waiting", "running": "processing"}

#: A run without progress for this long has died with its worker.
DEAD_AFTER = timedelta(hours=1)

#: Maximum number of parked transactions that a run lists.
MAX_DETAILS = 100

#: Maximum number of characters of the raw answers in the form; the file holds all.
SHOWN_ANSWER = 100_000
#: Runs deleted per transaction; Odoo calls the autovacuum again while there are more.
BATCH = 10_000

#: Method of the link by the action that the proxy advises; for administrators only.
REMEDIES = {
    "renew": "action_renew",
    "reconnect": "action_reconnect",
    "reactivate": "action_reactivate",
    "credentials": "action_update_credentials",
}


def remedy_of(code, action):
    """:return: key of :data:`REMEDIES`, or another action of the proxy; the code may say more, as on the card"""
    button = BUTTON_OF_CODE.get(code)
    return button if button in REMEDIES else action


class AccountOnlineRun(models.Model):
    """One synchronization of one link with its result. Written by the synchronization only."""

    _name = "account.online.run"
    _description = "Synchronization Run"
    _inherit = ["account.online.counters", "account.online.server.fields"]
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
        precompute=True,
        aggregator="avg",
        help="From start to end, including the time in which a deferred run was waiting for the scheduled action.",
    )
    is_deferred = fields.Boolean(help="Requested by a user, too long to wait for: a scheduled action fetches it.")
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
        compute="_compute_failures",
        store=True,
        precompute=True,
        help="1 if the run failed, so that failed runs can be counted.",
    )
    load_ids = fields.One2many(comodel_name="account.online.load", inverse_name="run_id", readonly=True)
    current_load_id = fields.Many2one(
        comodel_name="account.online.load",
        readonly=True,
        ondelete="set null",
        help="The load of the account that is being fetched, where it is long: it counts what the run counts.",
    )
    # List of {account, identifier, reason}.
    parked_details = fields.Json()
    parked_text = fields.Text(string="Parked Transactions", compute="_compute_parked_text")
    one_by_one_reason = fields.Char(
        string="Created One by One",
        help="Why Odoo created the lines one by one, which is slower. The result is the same.",
    )
    error_code = fields.Char()
    error_message = fields.Text()
    error_reference = fields.Char()
    raw_answers = fields.Binary(
        attachment=True, groups="base.group_system", help="What the connection service answered, compressed, masked."
    )
    raw_answers_name = fields.Char(compute="_compute_raw_answers_text", groups="base.group_system")
    raw_answers_text = fields.Text(compute="_compute_raw_answers_text", groups="base.group_system")

    # Why: each run and each card searches open runs among those of a year.
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
        """Delete the history after the time in the settings; open runs are kept."""
        answers = self.search([*self._domain_older_than(KEEP_ANSWERS), ("raw_answers", "!=", False)], limit=BATCH)
        answers.raw_answers = False
        runs = self.search(self._domain_older_than(KEEP_RUNS), limit=BATCH)
        runs.unlink()
        most = max(len(answers), len(runs))
        return most, most == BATCH

    def _domain_older_than(self, setting):
        name, default = setting
        # sudo: reads one system parameter that is not secret; the code fixes its name
        days = self.env["ir.config_parameter"].sudo().get_param(name)
        days = int(days) if days and days.isdigit() else default
        limit = fields.Datetime.now() - timedelta(days=days)
        return [("started_at", "<", limit), ("state", "not in", ("planned", "running"))]

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
        # sudo: reads only whether links that the caller may read are being fetched
        open_runs = self.sudo().search_fetch(
            [("account_online_link_id", "in", links.ids), ("state", "in", [*FETCHING])],
            ["account_online_link_id", "state", "write_date"],
        )
        # Why: a worker that died leaves its run open; the scheduled action or the user continues it.
        dead = self.env.cr.now() - DEAD_AFTER
        return {
            run.account_online_link_id.id: "waiting" if run.write_date < dead else FETCHING[run.state]
            for run in open_runs
        }

    def _restart(self):
        """Restart after an interruption: what was stored stays counted, the rest is counted again."""
        self.load_ids._reset_counters()
        self._reset_counters()
        self.write({"state": "running", "parked_details": False, "ended_at": False, "current_load_id": False})

    def _pause(self, message=None):
        """Pause the run; the scheduled action continues it in its next call, immediately afterwards.

        :param str message: the reason, if it is not the time limit
        """
        if self.is_deferred:
            self.state = "planned"
        else:
            self._interrupt(
                message or self.env._("The scheduled action ran out of time. The next run continues at once.")
            )

    def _interrupt(self, message):
        """End the run unfinished; the next one does its work."""
        self.write({"state": "interrupted", "ended_at": fields.Datetime.now(), "error_message": message})

    def _count(self, counter, number=1):
        self.current_load_id._count(counter, number)
        return super()._count(counter, number)

    def _park(self, account, identifier, reason):
        """List a transaction that could not be imported, with the reason."""
        self._count("parked")
        details = self.parked_details or []
        # Why a limit: account.online.transaction has all of them; this list is for reading.
        if len(details) < MAX_DETAILS:
            detail = {"account": account.display_name, "identifier": identifier or None, "reason": reason}
            self.parked_details = [*details, detail]

    def _keep_answers(self, recording):
        """:param recording: :class:`~..client.recording.Recording`"""
        content = recording.compressed()
        if not self.is_deferred:
            # Why: only interrupted runs have answers already, and Odoo would search for attachments.
            self._fields["raw_answers"]._insert_cache(self, [None])
        # sudo: part of a synchronization, whose caller has checked the link; only the system reads it
        as_server(self).raw_answers = content and base64.b64encode(content)

    def _after_import(self, journals):
        """Extension point: called after the new lines of this run are stored.

        It runs in a savepoint; an exception is logged and does not affect the import. Users wait for the run, so long
        work belongs in a scheduled action.

        :param journals: ``account.journal`` that may have got new lines
        """

    def _summary(self):
        """What happened, in a sentence for the user who pressed the button."""
        parts = [
            self.env._("New transactions: %s.", self.imported)
            if self.imported
            else self.env._("There are no new transactions.")
        ]
        if self.adopted:
            parts.append(self.env._("Recognized in the journal: %s.", self.adopted))
        if self.possible_duplicates:
            parts.append(self.env._("Possible duplicates, please review: %s.", self.possible_duplicates))
        if self.changed or self.removed:
            parts.append(
                self.env._(
                    "Changed by the bank: %(changed)s; withdrawn: %(removed)s.",
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
        # Why with first loads only: later runs request only days within the bank's history.
        parts += filter(None, self.load_ids.account_online_account_id.mapped("history_text"))
        return " ".join(parts)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - FIRST LOAD
    # -------------------------------------------------------------------------

    @api.model
    def _describe_first_load(self, link):
        """What the screen of the first load shows.

        :return: dict; ``state`` is ``waiting``, ``running``, ``challenge``, ``failed``, ``done`` or ``none``
        """
        run = self._find_first_load(link)
        state = {"waiting": "challenge", "failed": "failed", "done": "done"}.get(run.state, "none")
        if run.state in FETCHING:
            is_running = self._get_fetching_status(link).get(link.id) == "processing"
            state = "running" if is_running else "waiting"
        accounts = link._linked_accounts()
        return {
            "id": link.id,
            "name": link.name,
            "state": state,
            "accounts": [run._describe_account(account, state) for account in accounts],
            "next": self._describe_next_refresh(link),
            "result": run._summary() if state == "done" else "",
            "error": run._describe_error() if state == "failed" else False,
            "may_connect": self.env.user.has_group("account.group_account_manager"),
            "is_reconciled_here": any(journal._get_reconciliation_action() for journal in accounts.journal_ids),
        }

    @api.model
    def _find_first_load(self, link):
        """The last run; or the last long one, if that is done and only short ones followed."""
        last = self.search([("account_online_link_id", "=", link.id)], order="id desc", limit=1)
        if last.state in ("planned", "running", "waiting", "failed"):
            return last
        load = self.env["account.online.load"].search(
            [("run_id.account_online_link_id", "=", link.id), ("run_id.state", "=", "done")], limit=1
        )
        return load.run_id or last

    def _describe_account(self, account, state):
        journal = account.journal_ids
        load = self.load_ids.filtered(lambda load: load.account_online_account_id == account)
        progress = self.env["account.online.progress"].search(
            [("run_id", "=", self.id), ("account_online_account_id", "=", account.id)]
        )
        return {
            "id": account.id,
            "name": account.name,
            "number": account.account_number or "",
            "journal_id": journal.id,
            "journal": journal.display_name,
            "progress": progress._describe(account) if state in ("waiting", "running") else False,
            "summary": load._summary() if load and state == "done" else False,
        }

    def _describe_error(self):
        link = self.account_online_link_id
        action = remedy_of(link.error_code, link.error_action)
        method = REMEDIES.get(action)
        labels = {
            "renew": self.env._("Renew"),
            "reconnect": self.env._("Reconnect"),
            "reactivate": self.env._("Reactivate"),
            "credentials": self.env._("Update Credentials"),
            "answer_challenge": self.env._("Answer the Bank"),
        }
        may = not method or self.env.user.has_group("account.group_account_manager")
        return {
            "message": self.error_message or link.error_message or "",
            "reference": self.error_reference or "",
            "method": may and (method or "action_fetch_transactions"),
            "label": labels.get(action, self.env._("Try Again")),
            "help": "" if may else self.env._("Please ask an accounting administrator to do it."),
        }

    @api.model
    def _describe_next_refresh(self, link):
        if not link.auto_sync:
            return self.env._("Automatic synchronization is off: use Synchronize Now to fetch what is new.")
        if not link.next_refresh:
            return ""
        return self.env._(
            "Next automatic synchronization: %s.", format_datetime(self.env, link.next_refresh, dt_format="short")
        )
