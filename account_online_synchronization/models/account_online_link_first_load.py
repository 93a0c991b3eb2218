import contextlib

from odoo import fields, models
from odoo.tools.misc import format_datetime

from ..client.watching import Watched
from .account_online_progress import Reporter
from .account_online_run import FETCHING
from .server_fields import as_server

#: The reconciliation view of account_reconcile_oca, used where that is installed.
RECONCILE_ACTION = "account_reconcile_oca.action_bank_statement_line_reconcile"

#: What helps against an error, by the action that the proxy advises: a method, and whether only administrators have it.
REMEDIES = {
    "renew": ("action_renew", True),
    "reconnect": ("action_reconnect", True),
    "reactivate": ("action_reactivate", True),
}


class AccountOnlineLink(models.Model):
    """The first load of a link, as a person follows it: how far it is, what the bank wants, what came of it."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    history_days = fields.Integer(
        readonly=True, copy=False, help="How many days back the bank gives transactions; 0 where it does not tell."
    )

    def _update_from_proxy(self, connection, accounts):
        capabilities = (connection.get("institution") or {}).get("capabilities")
        days = capabilities.get("history_days") if isinstance(capabilities, dict) else None
        # Why a limit: it is only told to people, and a date has to be made of it.
        if isinstance(days, int) and 0 < days < 36_500 and days != self.history_days:
            self.history_days = days
        return super()._update_from_proxy(connection, accounts)

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_open_first_load(self, challenge=None):
        """The screen that follows the load and shows its summary.

        :param dict challenge: action that leads to the page where the bank asks for a code, if it does
        """
        self.ensure_one()
        return {
            "type": "ir.actions.client",
            "tag": "account_online_synchronization.first_load",
            "name": self.env._("First Load"),
            "params": {"link_id": self.id, "challenge": challenge or False},
            # Why "main": the choice is made, there is nothing to go back to.
            "target": "main",
        }

    def action_open_reconciliation(self, journal_id):
        """On to the reconciliation: OCA's view where it is installed, else the list of the journal's transactions."""
        self.ensure_one()
        self._check_may_synchronize()
        journal = self.journal_ids.filtered(lambda journal: journal.id == journal_id)
        if not self.env.ref(RECONCILE_ACTION, raise_if_not_found=False):
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "account_online_synchronization.account_bank_statement_line_action"
            )
            return {**action, "domain": [("journal_id", "=", journal.id)], "display_name": journal.display_name}
        action = self.env["ir.actions.act_window"]._for_xml_id(RECONCILE_ACTION)
        return {
            **action,
            "domain": [("journal_id", "=", journal.id)],
            "context": {
                "active_id": journal.id,
                "active_ids": journal.ids,
                "active_model": "account.journal",
                "default_journal_id": journal.id,
                "search_default_not_reconciled": True,
            },
        }

    # -------------------------------------------------------------------------
    # WHAT THE SCREEN SHOWS
    # -------------------------------------------------------------------------

    def get_first_load(self):
        """What the screen of the first load shows; asked again whenever something may have changed.

        :return: dict; ``state`` is ``waiting``, ``running``, ``challenge``, ``failed``, ``done`` or ``none``
        """
        self.ensure_one()
        self._check_may_synchronize()
        # sudo: _check_may_synchronize above has checked the group and read access to the link; nothing is written
        link = as_server(self)
        run = link._followed_run()
        state = {"waiting": "challenge", "failed": "failed", "done": "done"}.get(run.state, "none")
        if run.state in FETCHING:
            state = (
                "running"
                if self.env["account.online.run"]._get_fetching_status(link).get(link.id) == "processing"
                else "waiting"
            )
        # sudo: reads the loads of a run of this link, which was checked above
        loads = self.env["account.online.load"].sudo().search([("run_id", "=", run.id)])
        by_account = loads.grouped("account_online_account_id")
        return {
            "id": link.id,
            "name": link.name,
            "state": state,
            "accounts": [
                link._describe_account(account, run, by_account.get(account, loads.browse()), state)
                for account in link._linked_accounts()
            ],
            "next": link._tell_next(),
            "result": run._summary() if state == "done" else "",
            "error": link._describe_error(run) if state == "failed" else False,
            "may_connect": self.env.user.has_group("account.group_account_manager"),
            "is_reconciled_here": bool(self.env.ref(RECONCILE_ACTION, raise_if_not_found=False)),
        }

    def _followed_run(self):
        """The last run, unless that was a short one and the last load is to be looked at."""
        Run = self.env["account.online.run"]
        last = Run.search([("account_online_link_id", "=", self.id)], order="id desc", limit=1)
        if last.state in ("planned", "running", "waiting", "failed"):
            return last
        load = self.env["account.online.load"].search(
            [("run_id.account_online_link_id", "=", self.id), ("run_id.state", "=", "done")], limit=1
        )
        return load.run_id or last

    def _describe_account(self, account, run, load, state):
        journal = account.journal_ids
        progress = self.env["account.online.progress"].search(
            [("run_id", "=", run.id), ("account_online_account_id", "=", account.id)]
        )
        return {
            "id": account.id,
            "name": account.name,
            "number": account.account_number or "",
            "journal_id": journal.id,
            "journal": journal.display_name,
            "progress": account._describe_progress(progress) if state in ("waiting", "running") else False,
            "summary": load._summary() if load and state == "done" else False,
        }

    def _describe_error(self, run):
        method, is_for_managers = REMEDIES.get(self.error_action, ("action_fetch_transactions", False))
        labels = {
            "renew": self.env._("Renew"),
            "reconnect": self.env._("Reconnect"),
            "reactivate": self.env._("Reactivate"),
            "answer_challenge": self.env._("Answer the Bank"),
        }
        may = not is_for_managers or self.env.user.has_group("account.group_account_manager")
        return {
            "message": run.error_message or self.error_message or "",
            "reference": run.error_reference or "",
            "method": method if may else False,
            "label": labels.get(self.error_action, self.env._("Try Again")),
            "help": "" if may else self.env._("Please ask an accounting administrator to do it."),
        }

    def _tell_next(self):
        if not self.auto_sync:
            return self.env._("Automatic synchronization is off: use Synchronize Now to fetch what is new.")
        if not self.next_refresh:
            return ""
        return self.env._(
            "Next automatic synchronization: %s.", format_datetime(self.env, self.next_refresh, dt_format="short")
        )

    # -------------------------------------------------------------------------
    # WHILE IT RUNS
    # -------------------------------------------------------------------------

    @contextlib.contextmanager
    def _watched_load(self, client, account, run, checkpoint):
        """Follow the load of one account: what it counts, and for those who wait how far it is.

        :return: the client and the checkpoint to load it with
        """
        # sudo: part of a synchronization, whose caller has checked the link
        load = as_server(self.env["account.online.load"])._begin(account, run)
        base = load and load._base()
        # Why only then: whoever loads without pieces has nobody wait for it, and its run may be committed by nobody.
        reporter = Reporter(account, run) if load and checkpoint else None
        if reporter:
            client = client.over(lambda transport: Watched(transport, reporter.heard))

        def watched_checkpoint():
            load._count(base)
            checkpoint()
            # Why after it: what is told to others is stored for good.
            reporter.stored(load.imported)

        yield client, watched_checkpoint if reporter else checkpoint
        load._count(base)
        if reporter:
            reporter.done(load.imported)

    def _send_progress(self):
        """Those who look at the load hear that there is more to see; what it is, they ask."""
        self._send_to_accountants("account_online_synchronization/progress", {"link_id": self.id})
