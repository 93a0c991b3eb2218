from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..providers.errors import ProviderError

#: A scheduled action that is this late counts as stopped.
LATE = timedelta(hours=1)
#: The list of banks is updated each day.
DIRECTORY_DAYS = 3
#: Events are delivered within seconds; one that a database does not accept is retried for days.
EVENT_MINUTES = 30
#: Number of secrets of each kind that are tested.
TRIED = 1_000


class BankSyncDoctor(models.AbstractModel):
    """The proxy's part of ``odoo bank_sync doctor``, and the checks of ``/bank_sync/health/ready``.

    Sentences are for administrators at a command line and not translated. It changes nothing, and sends no requests to
    banks.
    """

    _name = "bank.sync.doctor"
    _description = "Examination of the Proxy"

    @api.model
    def _examine(self):
        """:return: list of (``ok``, ``advice`` or ``problem``; subject; sentence that says what to do)"""
        examined = (
            *(self._examine_secrets, self._examine_providers, self._examine_actions, self._examine_events),
            *(self._examine_errors, self._examine_database),
        )
        return [finding for examine in examined for finding in examine()]

    # -------------------------------------------------------------------------
    # PARTS
    # -------------------------------------------------------------------------

    @api.model
    def _examine_secrets(self):
        vault = self.env["bank.sync.vault"]
        if problem := self._key_problem():
            yield "problem", "proxy's master key", problem
            return
        for model, name in vault._secret_fields():
            records = self.env[model].with_context(active_test=False).search([(name, "!=", False)], limit=TRIED)
            unreadable = sum(not self._is_readable(record, name) for record in records)
            if unreadable:
                yield (
                    "problem",
                    "proxy's secrets",
                    f"{self.env[model]._description}: {unreadable} of {len(records)} can't be read. They were written "
                    "with another master key, or under another name of the database. Configure that key as "
                    "bank_sync_second_key and run odoo bank_sync reencrypt, or let the users connect again.",
                )
            else:
                yield "ok", "proxy's secrets", f"{self.env[model]._description}: {len(records)} tried, all can be read."

    @api.model
    def _key_problem(self):
        """:return: sentence, empty where the master key can be read"""
        try:
            self.env["bank.sync.vault"]._vault()
        except ProviderError as error:
            return str(error)
        return ""

    @api.model
    def _is_readable(self, record, name):
        try:
            self.env["bank.sync.vault"]._decrypt(record, name)
        except ProviderError:
            return False
        return True

    @api.model
    def _examine_providers(self):
        providers = self.env["bank.sync.provider"].search([("active", "=", True)])
        if not providers:
            yield "problem", "providers", "No provider is switched on, so no bank can be connected."
        oldest = fields.Datetime.now() - timedelta(days=DIRECTORY_DAYS)
        for provider in providers:
            if provider.keys_state == "refused":
                yield "problem", "providers", f"{provider.name}: its keys do not work. {provider.keys_message or ''}"
            elif provider.directory_error_id:
                yield "problem", "providers", f"{provider.name}: {provider.directory_error_message}"
            elif provider.directory_updated_at and provider.directory_updated_at < oldest:
                yield (
                    "problem",
                    "providers",
                    f"{provider.name}: its list of banks was last updated at {provider.directory_updated_at} UTC. See "
                    "“scheduled actions”.",
                )
            else:
                yield "ok", "providers", f"{provider.name}: {provider.institution_count} banks."

    @api.model
    def _examine_actions(self):
        late = self._late_actions()
        for action in late:
            yield (
                "problem",
                "scheduled actions",
                f"“{action.name}” should have run at {action.nextcall} UTC. Check that no other action is stuck, "
                "and that an Odoo of this database runs with max_cron_threads above 0.",
            )
        if not late:
            yield "ok", "scheduled actions", "Those of the proxy are on time."

    @api.model
    def _late_actions(self):
        modules = list(self.env["bank.sync.server.fields"]._server_addons())
        # sudo: reads when actions of the proxy run; callers are a command and a check without parameters
        data = self.env["ir.model.data"].sudo().search([("module", "in", modules), ("model", "=", "ir.cron")])
        late = [("id", "in", data.mapped("res_id")), ("nextcall", "<", fields.Datetime.now() - LATE)]
        # sudo: see before; only times of the proxy's own actions are compared
        return self.env["ir.cron"].sudo().search(late)

    @api.model
    def _examine_events(self):
        age = self._oldest_event()
        if age and age > timedelta(minutes=EVENT_MINUTES):
            yield (
                "problem",
                "events",
                f"The oldest event has been waiting for {age.total_seconds() / 60:.0f} minutes. "
                "See “scheduled actions”.",
            )
        else:
            yield "ok", "events", "None is overdue."

    @api.model
    def _oldest_event(self):
        """:return: age of the oldest event without a delivery attempt; None where there is none"""
        # sudo: counts rows; callers are a command and a check without parameters
        event = (
            self.env["bank.sync.event"]
            .sudo()
            .search([("state", "=", "pending"), ("attempts", "=", 0)], order="id", limit=1)
        )
        return fields.Datetime.now() - event.create_date if event else None

    @api.model
    def _examine_errors(self):
        since = fields.Datetime.now() - timedelta(hours=1)
        domain = [("create_date", ">=", since), ("actor", "in", ("administrator", "us"))]
        groups = self.env["bank.sync.error"]._read_group(
            domain, groupby=["provider_code", "code"], aggregates=["__count"]
        )
        for provider, code, count in groups:
            yield (
                "advice",
                "errors",
                f"{count} × {code} at {provider or 'the proxy'} within the last hour. See “Open Issues”.",
            )
        if not groups:
            yield "ok", "errors", "None within the last hour that an administrator could resolve."

    @api.model
    def _examine_database(self):
        used, most = self._database_connections()
        level = "problem" if used > 0.9 * most else "ok"
        yield level, "PostgreSQL", f"{used} of {most} connections are used (max_connections)."

    @api.model
    def _database_connections(self):
        query = "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
        ((used, most),) = self.env.execute_query(SQL(query))
        return used, most

    # -------------------------------------------------------------------------
    # HEALTH
    # -------------------------------------------------------------------------

    @api.model
    def _health(self):
        """What a load balancer may know without a password.

        :return: dict: name of the check → whether it passed
        """
        used, most = self._database_connections()
        age = self._oldest_event()
        return {
            "master_key": not self._key_problem(),
            "scheduled_actions": not self._late_actions(),
            "events": not age or age <= timedelta(minutes=EVENT_MINUTES),
            "database_connections": used <= 0.9 * most,
        }
