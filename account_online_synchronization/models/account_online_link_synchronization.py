import functools
import logging
import math
import time
import zlib
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.addons.base.models.ir_cron import _intervalTypes
from odoo.tools import config

from ..proxy.errors import ProxyError
from ..proxy.messages import parse_moment
from ..proxy.recording import Recording

_logger = logging.getLogger(__name__)

#: A user does not wait for more than this many days of transactions: the server fetches them meanwhile.
LONG_DAYS = 30

#: After a failure the next attempt is due after this time, then after the double of it, up to the regular interval.
FIRST_BACK_OFF = timedelta(minutes=5)

#: Links don't ask at one moment: each is due up to this part of the interval earlier, always the same for one link.
SPREAD = 0.1


class Interrupted(Exception):
    """The scheduled action has no time left. What is stored stays; the rest follows at once."""


class TakenOver(Interrupted):
    """Another worker was faster between two pieces. It goes on with the link."""


class AccountOnlineLink(models.Model):
    """How a link is synchronized, and when."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - SCHEDULED ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def _cron_synchronize(self):
        """Fetch for every link that is due. Each is stored by itself; no failure stops another."""
        links = self.search(
            [
                ("auto_sync", "=", True),
                ("state", "in", ("connected", "error")),
                ("journal_ids", "!=", False),
                "|",
                ("next_refresh", "=", False),
                ("next_refresh", "<=", fields.Datetime.now()),
            ],
            # Why: whoever waited longest comes first, should the time not suffice for all.
            order="last_refresh nulls first, id",
        )
        links._synchronize_each()

    @api.model
    def _cron_fetch_planned(self):
        """Do what users have asked for and is too long to wait for. A dead worker's run is taken up again."""
        runs = self.env["account.online.run"].search(
            [("is_deferred", "=", True), ("state", "in", ("planned", "running"))], order="id"
        )
        planned = {run.account_online_link_id.id: run for run in runs}
        self.browse(planned)._synchronize_each(planned)

    def _synchronize_each(self, planned=None):
        """One link after the other, as long as the scheduled action has time; what is left goes on at once.

        :param dict planned: runs by link id, None to ask the banks for news
        """
        cron, left, deadline = self.env["ir.cron"], len(self), self._deadline()
        cron._commit_progress(remaining=left)
        for link in self:
            if time.monotonic() > deadline:
                break
            try:
                link._synchronize(
                    user_present=False,
                    refresh=planned is None,
                    run=planned and planned[link.id],
                    checkpoint=functools.partial(link._checkpoint, left, deadline),
                )
                # Why here: what can't be written is this link's failure, not that of the whole pass.
                self.env.flush_all()
            except TakenOver:
                self.env.cr.rollback()
                # Why: usually the other worker does it all. Should it fail, or have held the link for another reason …
                link._wake_schedule(fields.Datetime.now() + FIRST_BACK_OFF)
            except Interrupted:
                _logger.info("Online link %s: the synchronization goes on at once", link.id)
                break
            except psycopg2.errors.SerializationFailure:
                # Somebody has changed the same rows meanwhile. The link stays due, and the action is executed again.
                self.env.cr.rollback()
                continue
            except Exception as error:
                self.env.cr.rollback()
                _logger.exception("Online link %s: the synchronization was interrupted and will be repeated", link.id)
                link._note_interruption(error)
            left -= 1
            if not cron._commit_progress(1, remaining=left):
                break

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
                self._plan_next(self._back_off())
                self._send_status("failed")
        except psycopg2.Error:
            _logger.warning("Online link %s: the interruption could not be noted", self.id, exc_info=True)

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
        self = self.with_company(self.company_id)
        # Why: one link, one worker. The lock goes with the transaction, also when the worker dies.
        if not self.try_lock_for_update(allow_referencing=True):
            if checkpoint:
                raise TakenOver
            return self._notify(self.env._("%s is being synchronized right now.", self.name), "info")
        if checkpoint and not self._is_still_due(run):
            return self._notify(self.env._("%s has just been synchronized.", self.name), "info")
        run, recording = self._begin_run(run, user_present), Recording()
        try:
            if checkpoint:
                # Why: others see that it is running, and should the server die, that it was.
                checkpoint()
            client = self._get_client().recorded_by(recording.add)
            answer = self._ask_for_news(client, user_present, refresh)
            if answer.get("state") == "challenge":
                run.write({"state": "waiting", "ended_at": fields.Datetime.now()})
                self._send_status("done")
                return self._go_to(answer["page_url"])
            self._update_balances(client)
            if may_defer and not run.is_deferred and self._is_long():
                return self._defer(run)
            error = self._import_accounts(client, run, parse_moment(answer.get("refreshed_at")), checkpoint)
        except ProxyError as failure:
            error = failure
        except TakenOver:
            raise
        except Interrupted:
            run._keep_answers(recording)
            run._pause()
            self._send_status("planned")
            raise
        run._keep_answers(recording)
        return self._fail(run, error, user_present) if error else self._succeed(run)

    def _is_still_due(self, run):
        """Why asked once more: another worker may have done it between the search and the lock."""
        self.invalidate_recordset(["next_refresh"])
        if run:
            run.invalidate_recordset(["state"])
            return run.state in ("planned", "running")
        return not self.next_refresh or self.next_refresh <= fields.Datetime.now()

    def _begin_run(self, run, user_present):
        """Whatever ran or was planned before is over or done by this run: the link is locked."""
        open_runs = self.run_ids.filtered(lambda one: one.state in ("planned", "running"))
        planned = run or open_runs.filtered("is_deferred")[:1]
        (open_runs - planned)._interrupt(
            self.env._("It stopped before the end, or another worker took over. Nothing is lost by that.")
        )
        if not planned:
            planned = planned.create(
                {"account_online_link_id": self.id, "trigger": "user" if user_present else "schedule"}
            )
        planned._restart()
        self._send_status("running")
        return planned

    def _ask_for_news(self, client, user_present, refresh):
        """:return: answer of ``connections.refresh``, or what is known of the bank's last news where none are wanted"""
        connection_id = self._get_connection_identifier()
        if not refresh:
            refreshed_at = client.get_connection(connection_id).get("refreshed_at")
            if refreshed_at:
                return {"state": "done", "refreshed_at": refreshed_at}
        return self._refresh_at_bank(client, user_present)

    def _is_long(self):
        limit = fields.Date.subtract(fields.Date.today(), days=LONG_DAYS)
        return any(not account.last_sync or account.last_sync < limit for account in self._linked_accounts())

    def _defer(self, run):
        run.write({"state": "planned", "is_deferred": True})
        self.env.ref("account_online_synchronization.ir_cron_fetch_planned").sudo()._trigger()
        self._send_status("planned")
        return self._notify(
            self.env._("The transactions are being fetched. They appear by themselves; you can go on working."), "info"
        )

    def _linked_accounts(self):
        return self.account_online_account_ids.filtered("journal_ids")

    def _refresh_at_bank(self, client, user_present):
        """:return: answer of ``connections.refresh``; the way back from the page of a challenge is prepared"""
        authorization = self.env["account.online.authorization"]
        nonce = authorization._new_nonce() if user_present else None
        answer = client.refresh_connection(
            self._get_connection_identifier(),
            user_present,
            return_url=nonce and authorization._return_url(nonce),
            language=self.env.user.lang,
        )
        if answer["state"] == "challenge":
            if not user_present or not isinstance(answer.get("page_url"), str):
                raise ProxyError(
                    "challenge_required",
                    self.env._("The bank asks for a code. Use Synchronize Now and answer it."),
                    action="answer_challenge",
                )
            authorization._remember("refresh", nonce, link=self)
        return answer

    def _update_balances(self, client):
        """Why not more: new accounts of the consent are offered by Fetch Accounts, they don't appear by themselves."""
        self.account_online_account_ids._take_over(client.list_accounts(self._get_connection_identifier()))

    def _import_accounts(self, client, run, refreshed_at, checkpoint):
        """:return: the first :class:`ProxyError` that kept an account from being stored, or None"""
        errors = []
        for number, account in enumerate(self._linked_accounts()):
            if number and checkpoint:
                checkpoint()
            errors.append(self._import_account(client, account, run, refreshed_at, checkpoint))
        return next(filter(None, errors), None)

    def _import_account(self, client, account, run, refreshed_at, checkpoint=None):
        """:param datetime refreshed_at: moment of the bank's news, None where it does not tell
        :return: the :class:`ProxyError` that kept this account from being stored, or None
        """
        try:
            # Why: fetched outside the savepoints, so that the proxy's record of an error outlives the failure.
            window = account._fetch_window(client, run)
            account._store_window(window, run, refreshed_at, checkpoint)
        except ProxyError as error:
            return error
        except (Interrupted, psycopg2.OperationalError):
            # Serialization failures and lost connections: the whole request is repeated or rolled back by Odoo.
            raise
        except Exception as error:
            _logger.exception("Online account %s: the import failed", account.id)
            return ProxyError(
                "import_failed",
                self.env._(
                    "The transactions of %(account)s could not be stored: %(reason)s. Nothing is lost: "
                    "the next synchronization goes on where this one ended.",
                    account=account.display_name,
                    reason=error,
                ),
                reference=f"RUN-{run.id}",
                action="retry",
            )
        return None

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - THE END OF A RUN
    # -------------------------------------------------------------------------

    def _succeed(self, run):
        now = fields.Datetime.now()
        run.write({"state": "done", "ended_at": now})
        self._clear_error()
        self.write({"last_refresh": now, "failure_count": 0})
        self._plan_next(self._interval() * (1 - SPREAD * self._share()))
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
        # Why: a person has to act, so asking sooner would only cost requests.
        self._plan_next(self._back_off(error.retry_after) if error.action == "retry" else self._interval())
        self._send_status("failed")
        return self._notify(error.message, "warning" if user_present and error.action == "renew" else "danger")

    def _send_status(self, status):
        """Tell the dashboards of accountants, so that the cards refresh themselves.

        :param str status: ``planned``, ``running``, ``done`` or ``failed``
        """
        self.env.ref("account.group_account_basic").sudo()._bus_send(
            "account_online_synchronization/status", {"journal_ids": self.journal_ids.ids, "status": status}
        )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - WHEN
    # -------------------------------------------------------------------------

    @api.model
    def _scheduled_action(self):
        return self.env.ref("account_online_synchronization.ir_cron_synchronize").sudo()

    def _interval(self):
        """:return: timedelta between two automatic synchronizations, as the scheduled action says"""
        cron = self._scheduled_action()
        now = fields.Datetime.now()
        return now + _intervalTypes[cron.interval_type](cron.interval_number) - now

    def _share(self):
        """:return: a number from 0 to 1 that is always the same for a link, and another one for another link"""
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return zlib.crc32(f"{uuid}:{self.id}".encode()) % 1000 / 1000

    def _back_off(self, retry_after=None):
        """:param int retry_after: seconds that the bank or the proxy asks to wait"""
        if retry_after:
            return timedelta(seconds=retry_after)
        return min(FIRST_BACK_OFF * 2 ** min(self.failure_count - 1, 20), self._interval())

    def _plan_next(self, delay):
        self.next_refresh = fields.Datetime.now() + delay
        if self.auto_sync:
            self._wake_schedule(self.next_refresh)

    def _wake_schedule(self, moment):
        """Why besides the interval: each link has a time of its own."""
        self._scheduled_action()._trigger(at=moment or None)
