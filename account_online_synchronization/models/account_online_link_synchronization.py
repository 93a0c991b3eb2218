import logging
import zlib
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.addons.base.models.ir_cron import _intervalTypes
from odoo.http import request

from ..client.conversation import Answered
from ..client.errors import ProxyError
from ..client.messages import parse_moment
from ..client.recording import Recording
from .ir_websocket import accountants_of

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
    """Somebody else has the link: another worker, or a user."""


class AccountOnlineLink(models.Model):
    """How a link is synchronized, and when."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - ONE RUN
    # -------------------------------------------------------------------------

    def _synchronize(self, *, user_present, refresh=True, may_defer=False, run=None, answers=None, checkpoint=None):
        """Fetch and store the news of all linked accounts.

        :param bool user_present: a user waits for it, so the bank may ask for a code
        :param bool refresh: ask the bank for news first; not needed straight after the user was at the bank's pages,
            unless those brought none
        :param bool may_defer: leave long work to the scheduled action, so that the user can go on
        :param run: ``account.online.run`` that was planned earlier, or that has begun where there are answers
        :param dict answers: what the proxy has answered already, see :mod:`..client.conversation`; since before that
            the link is held, and nobody else has synchronized it
        :param checkpoint: called when a part is stored; it may commit, see :meth:`_checkpoint`
        :return: action that tells the user what happened, or leads to the page where the bank asks for a code
        """
        self.ensure_one()
        self = self.with_company(self.company_id)
        # Why: one link, one worker. The lock goes with the transaction, also when the worker dies.
        is_ours = self.try_lock_for_update(allow_referencing=True)
        if checkpoint and not is_ours:
            raise TakenOver
        if not is_ours or (not checkpoint and not self._try_hold()):
            return self._notify(self.env._("%s is being synchronized right now.", self.name), "info")
        recording = Recording()
        if answers is None:
            if checkpoint and not self._is_still_due(run):
                return self._notify(self.env._("%s has just been synchronized.", self.name), "info")
            run = self._begin_runs("user" if user_present else "schedule", run)[self.id]
        try:
            if checkpoint and answers is None:
                # Why: others see that it is running, and should the server die, that it was.
                checkpoint()
            client = self._get_client().recorded_by(recording.add)
            if user_present and request:
                client = client.for_user(request.httprequest.remote_addr, request.httprequest.user_agent.string)
            if answers is not None:
                client = client.over(lambda transport: Answered(transport, answers))
            answer = self._ask_for_news(client, user_present, refresh)
            self._take_notes(answer)
            if answer.get("state") == "challenge":
                run.write({"state": "waiting", "ended_at": fields.Datetime.now()})
                self._send_status("done")
                return answer["visit"]
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

    def _begin_runs(self, trigger, planned=None):
        """Whatever ran or was planned before is over or done by these runs: the links are held.

        :param str trigger: of new runs
        :param planned: run that was planned for this one link
        :return: run by link id
        """
        Run = self.env["account.online.run"]
        open_runs = Run.search([("account_online_link_id", "in", self.ids), ("state", "in", ("planned", "running"))])
        runs = {}
        for run in planned or open_runs.filtered("is_deferred"):
            runs.setdefault(run.account_online_link_id.id, run)
        continued = Run.union(*runs.values())
        (open_runs - continued)._interrupt(self.env._("It stopped before the end. Nothing is lost by that."))
        continued._restart()
        new = Run.create(
            [
                {"account_online_link_id": link.id, "company_id": link.company_id.id, "trigger": trigger}
                for link in self
                if link.id not in runs
            ]
        )
        self._send_status("running")
        return runs | {run.account_online_link_id.id: run for run in new}

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
        # Why not those that the bank refuses: they are asked for one short answer.
        accounts = self._linked_accounts().filtered(lambda account: not account.refusal_code)
        return any(not account.last_sync or account.last_sync < limit for account in accounts)

    def _defer(self, run):
        run.write({"state": "planned", "is_deferred": True})
        # sudo: wakes up one scheduled action, which decides itself what there is to do
        self.env.ref("account_online_synchronization.ir_cron_fetch_planned").sudo()._trigger()
        self._send_status("planned")
        return self._notify(
            self.env._("The transactions are being fetched. They appear by themselves; you can go on working."), "info"
        )

    def _linked_accounts(self):
        return self.account_online_account_ids.filtered("journal_ids")

    def _refresh_at_bank(self, client, user_present):
        """:return: answer of ``connections.refresh``; with a challenge also ``visit``, the action that leads there"""
        authorization = self.env["account.online.authorization"]
        nonce = authorization._new_nonce() if user_present else None
        answer = client.refresh_connection(
            self._get_connection_identifier(),
            user_present,
            return_url=nonce and authorization._return_url(nonce),
            language=self._language(),
        )
        if answer["state"] == "challenge":
            if not user_present or not isinstance(answer.get("page_url"), str):
                raise ProxyError(
                    "challenge_required",
                    self.env._("The bank asks for a code. Use Synchronize Now and answer it."),
                    action="answer_challenge",
                )
            answer = {
                **answer,
                "visit": authorization._remember("refresh", nonce, answer, self)._show(answer["page_url"]),
            }
        return answer

    @api.model
    def _language(self):
        """:return: language of whoever reads, such as ``fr_BE``, without reading the user again in each transaction"""
        return self.env.context.get("lang") or self.env["res.users"].context_get().get("lang")

    def _in_its_language(self):
        """The link as scheduled actions take it: what is written on it is for its responsible user to read."""
        return self.with_context(lang=self.responsible_user_id.lang or self._language())

    def _update_balances(self, client):
        """Why not more: new accounts of the consent are offered by Fetch Accounts, they don't appear by themselves."""
        self.account_online_account_ids._take_over(client.list_accounts(self._get_connection_identifier()))

    def _import_accounts(self, client, run, refreshed_at, checkpoint):
        """:return: the first :class:`ProxyError` that kept an account from being stored, or None"""
        errors = []
        asked = self._accounts_worth_asking(run.trigger == "user")
        for number, account in enumerate(asked):
            if number and checkpoint:
                checkpoint()
            errors.append(self._import_account(client, account, run, refreshed_at, checkpoint))
        return next(filter(None, errors), None)

    def _accounts_worth_asking(self, user_present):
        return self._linked_accounts().filtered(lambda account: account._is_worth_asking(user_present))

    def _import_account(self, client, account, run, refreshed_at, checkpoint=None):
        """:param datetime refreshed_at: moment of the bank's news, None where it does not tell
        :return: the :class:`ProxyError` that kept this account from being stored, or None
        """
        try:
            account._check_journal()
            # Why: fetched outside the savepoints, so that the proxy's record of an error outlives the failure.
            with self._watched_load(client, account, run, checkpoint) as (client, checkpoint):
                window = account._fetch_window(client, run)
                account._store_window(window, run, refreshed_at, checkpoint)
                account._forget_refusal()
        except ProxyError as error:
            # Why no failure of the run: the other accounts are up to date, and the link names the one that is refused.
            return None if account._note_refusal(error) else error
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
        self._update_status_activity()
        self._plan_next(self._interval() * (1 - SPREAD * self._share()), last_refresh=now, failure_count=0)
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
        return zlib.crc32(f"{uuid}:{self.id}".encode()) % 1000 / 1000

    def _back_off(self, retry_after=None):
        """:param int retry_after: seconds that the bank or the proxy asks to wait"""
        if retry_after:
            return timedelta(seconds=retry_after)
        return min(FIRST_BACK_OFF * 2 ** min(self.failure_count - 1, 20), self._interval())

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
