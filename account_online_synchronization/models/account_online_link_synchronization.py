import logging
import math
import time

import psycopg2

from odoo import api, fields, models
from odoo.addons.base.models.ir_cron import _intervalTypes
from odoo.tools import config

from ..books import batch
from ..books.run import Interrupted, Synchronization, TakenOver
from ..client.errors import ProxyError
from ..sync import schedule
from .ir_websocket import accountants_of

_logger = logging.getLogger(__name__)


class AccountOnlineLink(models.Model):
    """When a link is synchronized, and what it shows of the result. How it is done: ``books/run.py``."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ONE RUN
    # -------------------------------------------------------------------------

    def _synchronize(self, *, user_present, refresh=True, may_defer=False, run=None, checkpoint=None):
        """Fetch and store the news of all linked accounts.

        :param bool user_present: a user waits for it, so the bank may ask for a code
        :param bool refresh: ask the bank for news first; not needed straight after the user was at the bank's pages,
            unless those brought none
        :param bool may_defer: leave long work to the scheduled action, so that the user can go on
        :param run: ``account.online.run`` that was planned earlier
        :param checkpoint: called when a part is stored; it may commit, see :meth:`_checkpoint`
        :return: action that tells the user what happened, or leads to the page where the bank asks for a code
        """
        self.ensure_one()
        return Synchronization(
            self, user_present=user_present, refresh=refresh, may_defer=may_defer, run=run, checkpoint=checkpoint
        ).go()

    def _is_long(self):
        # Why not those that the bank refuses: they are asked for one short answer.
        accounts = self._linked_accounts().filtered(lambda account: not account.refusal_code)
        return schedule.is_long(accounts.mapped("last_sync"), fields.Date.today())

    def _linked_accounts(self):
        return self.account_online_account_ids.filtered("journal_ids")

    @api.model
    def _language(self):
        """:return: language of whoever reads, such as ``fr_BE``, without reading the user again in each transaction"""
        return self.env.context.get("lang") or self.env["res.users"].context_get().get("lang")

    def _in_its_language(self):
        """The link as scheduled actions take it: what is written on it is for its responsible user to read."""
        return self.with_context(lang=self.responsible_user_id.lang or self._language())

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - THE END OF A RUN
    # -------------------------------------------------------------------------

    def _succeed(self, run):
        now = fields.Datetime.now()
        run.write({"state": "done", "ended_at": now})
        self._clear_error()
        self._update_status_activity()
        delay = schedule.after_success(self._interval(), self._share())
        self._plan_next(delay, last_refresh=now, failure_count=0)
        self._send_status("done")
        return self._notify(run._summary(), "success" if run.imported or run.adopted else "info")

    def _fail(self, run, error, user_present):
        run.write(
            {
                "state": "failed",
                "ended_at": fields.Datetime.now(),
                "error_code": error.code,
                "error_message": error.message,
                "error_reference": error.reference,
            }
        )
        self._register_error(error)
        self.failure_count += 1
        self._plan_next(schedule.after_failure(error.action, self.failure_count, self._interval(), error.retry_after))
        self._send_status("failed")
        return self._notify(error.message, "warning" if user_present and error.action == "renew" else "danger")

    def _send_status(self, status):
        """Tell the dashboards of accountants, so that the cards refresh themselves.

        :param str status: ``planned``, ``running``, ``done`` or ``failed``
        """
        if self.env.context.get("online_status_is_told_later"):
            return
        for links in self.grouped("company_id").values():
            links._send_to_accountants(
                "account_online_synchronization/status", {"journal_ids": links.journal_ids.ids, "status": status}
            )

    def _send_to_accountants(self, kind, message):
        """:param str kind: of the message, for the accountants of the one company to which these links belong"""
        self.env["bus.bus"]._sendone(accountants_of(self.company_id), kind, message)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - WHEN
    # -------------------------------------------------------------------------

    @api.model
    def _scheduled_action(self):
        """What ``ref`` gives, with superuser rights, and without asking the database again in each transaction."""
        cron_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "account_online_synchronization.ir_cron_synchronize", raise_if_not_found=True
        )
        # sudo: the scheduled action of ours; nothing comes from a client
        return self.env["ir.cron"].sudo().browse(cron_id)

    def _interval(self):
        """:return: timedelta between two automatic synchronizations, as the scheduled action says"""
        cron = self._scheduled_action()
        now = fields.Datetime.now()
        return now + _intervalTypes[cron.interval_type](cron.interval_number) - now

    def _share(self):
        """:return: a number from 0 to 1 that is always the same for a link, and another one for another link"""
        # sudo: reads the uuid of this database, which no caller can choose
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return schedule.share(uuid, self.id)

    def _plan_next(self, delay, **values):
        """
        :param timedelta delay: from now on
        :param values: further fields to write
        """
        self.write({"next_refresh": fields.Datetime.now() + delay, **values})
        if self.auto_sync:
            self._wake_schedule(self.next_refresh)

    def _wake_schedule(self, moment):
        """Why besides the interval: each link has a time of its own."""
        self._scheduled_action()._trigger(at=moment or None)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SCHEDULED ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def _cron_synchronize(self):
        """Fetch for every link that is due. Each is stored by itself; no failure stops another."""
        self._search_due()._synchronize_each()

    @api.model
    def _search_due(self, domain=()):
        return self.search(
            [
                ("auto_sync", "=", True),
                ("state", "in", ("connected", "error")),
                ("journal_ids", "!=", False),
                "|",
                ("next_refresh", "=", False),
                ("next_refresh", "<=", fields.Datetime.now()),
                *domain,
            ],
            # Why: whoever waited longest comes first, should the time not suffice for all.
            order="last_refresh nulls first, id",
        )

    @api.model
    def _cron_fetch_planned(self):
        """Do what users have asked for and is too long to wait for. A dead worker's run is taken up again."""
        runs = self.env["account.online.run"].search(
            [("is_deferred", "=", True), ("state", "in", ("planned", "running"))], order="id"
        )
        planned = {run.account_online_link_id.id: run for run in runs}
        self.browse(planned)._synchronize_each(planned)

    def _synchronize_each(self, planned=None):
        """:param dict planned: runs by link id, None to ask the banks for news"""
        batch.synchronize_each(self, planned)

    @api.model
    def _get_transport_for_threads(self):
        """:return: transport of :mod:`..client.transport`, None where links have to ask one after the other"""
        try:
            return self._get_client().for_threads()
        except ProxyError:
            # Why no matter here: each link hears of it again and shows it.
            return None

    def _deadline(self):
        """:return: moment (monotonic seconds) at which a long load stops; endless outside of a scheduled action

        Why not Odoo's own 10 seconds: every stop asks the bank again, and requests are few. Half of the time after
        which Odoo ends a worker is left to the others.
        """
        end = self.env.context.get("cron_end_time", math.inf)
        limit = config["limit_time_real_cron"]
        limit = config["limit_time_real"] if limit < 0 else limit
        return end + (limit / 2 or math.inf)

    def _checkpoint(self, left, deadline):
        """Make what is stored so far last, and hold the link again.

        :param int left: links that the scheduled action has not finished
        :raise Interrupted: when there is no time left, or another worker has the link now
        """
        self.env["ir.cron"]._commit_progress(1, remaining=left)
        if not self.try_lock_for_update(allow_referencing=True):
            raise TakenOver
        if time.monotonic() > deadline:
            raise Interrupted

    def _note_interruption(self, error):
        """In a transaction of its own, after whatever went wrong has been taken back."""
        try:
            with self.env.cr.savepoint():
                run = self.run_ids.filtered(lambda run: run.state == "running")
                run._interrupt(str(error))
                message = self.env._(
                    "The synchronization was interrupted: %s. Nothing is lost, and it is tried again by itself.", error
                )
                reference = run and f"RUN-{run[0].id}"
                self._register_error(ProxyError("interrupted", message, reference or None, action="retry"))
                self.failure_count += 1
                self._plan_next(schedule.back_off(self.failure_count, self._interval()))
                self._send_status("failed")
        except psycopg2.Error:
            _logger.warning("Online link %s: the interruption could not be noted", self.id, exc_info=True)
