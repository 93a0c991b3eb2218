from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL, config

from ..client.errors import ProxyError

#: A scheduled action that is this late counts as stopped.
LATE = timedelta(hours=1)
#: The clocks of Odoo and of PostgreSQL may differ by this much.
CLOCK_SECONDS = 30
#: After a restore from a dump, or a move.
ACCEPT = (
    " If this is the original after a restore or a move, ask the service's support for “Accept New Database” instead: "
    "this database then continues within a day, or at once with Test Connection in the settings."
)
#: Longest list of names in a sentence.
NAMED = 5


class AccountOnlineDoctor(models.AbstractModel):
    """What support would ask about an installation: ``odoo bank_sync doctor``, ``scripts/doctor``.

    Sentences are for administrators at a command line and stay English. Nothing is changed and no bank is asked.
    """

    _name = "account.online.doctor"
    _description = "Examination of Bank Feeds"

    def _examine(self):
        """:return: list of (``ok``, ``advice`` or ``problem``; subject; sentence that says what to do)"""
        examined = {
            "clock": self._examine_clock,
            "master key": self._examine_secrets,
            "address": self._examine_address,
            "connection service": self._examine_service,
            "scheduled actions": self._examine_actions,
            "connections": self._examine_links,
        }
        return [(kind, subject, text) for subject, examine in examined.items() for kind, text in examine()]

    def _examine_clock(self):
        ((now,),) = self.env.execute_query(SQL("SELECT clock_timestamp() AT TIME ZONE 'UTC'"))
        seconds = abs((fields.Datetime.now() - now).total_seconds())
        if seconds > CLOCK_SECONDS:
            yield (
                "problem",
                f"The clocks of Odoo and PostgreSQL differ by {seconds:.0f} seconds: signed requests are refused. "
                "Switch on time synchronization (timedatectl set-ntp true) on both machines.",
            )
        else:
            yield "ok", "Odoo and PostgreSQL agree on the time."

    def _examine_secrets(self):
        service = self.env["account.online.service"]._get()
        try:
            service._vault()
            if service._is_registered():
                service._read_secrets()
        except ProxyError as error:
            yield "problem", str(error.message)
        else:
            yield "ok", "The secrets of this database can be read."
        if config.get("bank_sync_second_key"):
            yield "advice", "bank_sync_second_key is still configured. Run odoo bank_sync reencrypt, then remove it."

    def _examine_address(self):
        service = self.env["account.online.service"]._get()
        url = service._base_url()
        if service.url and not url.startswith("https://"):
            yield (
                "advice",
                f"web.base.url is {url or 'empty'}: with another server as connection service, users' browsers should "
                "return over https.",
            )
        elif service.url and service.registered_url and service.registered_url != url:
            yield (
                "problem",
                f"The connection service knows this database as {service.registered_url}, but web.base.url is {url}. "
                "Correct web.base.url, or use Reconnect.",
            )
        else:
            yield "ok", url
        if url.startswith("https://") and not config["proxy_mode"]:
            yield (
                "advice",
                "web.base.url is https, but proxy_mode is off: Odoo sees the reverse proxy as the source of every "
                "request. Set proxy_mode = True in odoo.conf.",
            )

    def _examine_service(self):
        service = self.env["account.online.service"]._get()
        where = service.url or "this database"
        if not service._is_known():
            yield "ok", f"{where}; no bank has been connected yet."
            return
        try:
            answer = service._get_client().get_status()
        except ProxyError as error:
            advice = ACCEPT if error.code == "database_copied" else ""
            yield "problem", f"{where}: {error.message}{advice}"
            return
        state = answer.get("state")
        if state == "active":
            yield "ok", f"{where} answers."
        else:
            yield "problem", f"{where} reports this database as “{state}”. Use Reconnect."

    def _examine_actions(self):
        if not config["max_cron_threads"]:
            yield "advice", "max_cron_threads is 0 here: make sure that another Odoo server runs them."
        late = fields.Datetime.now() - LATE
        for action in self._scheduled_actions():
            if not action.active:
                yield "problem", f"“{action.name}” is switched off. Switch it on."
            elif action.nextcall < late:
                yield (
                    "problem",
                    f"“{action.name}” should have run at {action.nextcall} UTC. Check that no other action is "
                    "stuck, and that Odoo runs with max_cron_threads above 0.",
                )
            elif action.failure_count:
                yield "problem", f"“{action.name}” has failed {action.failure_count} times in a row; see the log."
            else:
                yield "ok", f"“{action.name}” runs next at {action.nextcall} UTC."

    def _scheduled_actions(self):
        data = self.env["ir.model.data"].search(
            [("module", "=", "account_online_synchronization"), ("model", "=", "ir.cron")]
        )
        return self.env["ir.cron"].browse(data.mapped("res_id")).exists()

    def _examine_links(self):
        links = self.env["account.online.link"].search([("state", "in", ("connected", "error"))])
        failing = links.filtered("error_code")
        late = links._search_due([("next_refresh", "<", fields.Datetime.now() - LATE)])
        if failing:
            yield "advice", f"{len(failing)} of {len(links)} show an error: {self._name_some(failing)}."
        if late:
            yield (
                "problem",
                f"{len(late)} of {len(links)} are more than an hour late: {self._name_some(late)}. "
                "See “scheduled actions”.",
            )
        if not failing and not late:
            yield "ok", f"{len(links)}, none with an error."

    @staticmethod
    def _name_some(links):
        names = [f"{link.name} ({link.error_code})" if link.error_code else link.name for link in links[:NAMED]]
        return ", ".join([*names, *(["…"] if len(links) > NAMED else [])])
