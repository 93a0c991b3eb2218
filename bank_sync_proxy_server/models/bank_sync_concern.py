from odoo import fields, models
from odoo.tools import SQL

#: Hours; older events are not shown as current problems.
HOURS = 24
#: A visit that began more recently may still succeed.
VISIT_MINUTES = 30


class BankSyncConcern(models.Model):
    """What support should look at first: a PostgreSQL view of what other models store; it stores nothing itself."""

    _name = "bank.sync.concern"
    _description = "Open Issues"
    _auto = False
    _order = "kind, occurrences desc, last_at desc, id"

    kind = fields.Selection(
        selection=[
            ("1_institution", "Failing Banks"),
            ("2_proxy", "Failing Providers and Requests"),
            ("3_client", "Blocked and Disconnected Clients"),
            ("4_suspicion", "Suspicious Activity"),
            ("5_unfinished", "Unfinished Connections"),
            ("6_event", "Undelivered Events"),
        ],
        readonly=True,
    )
    name = fields.Char(string="What", readonly=True)
    institution_id = fields.Many2one(comodel_name="bank.sync.institution", string="Bank", readonly=True)
    client_id = fields.Many2one(comodel_name="bank.sync.client", readonly=True)
    provider_code = fields.Char(string="Provider", readonly=True)
    occurrences = fields.Integer(string="Times", readonly=True)
    client_count = fields.Integer(string="Clients", readonly=True, aggregator=None)
    last_at = fields.Datetime(string="Last", readonly=True)

    @property
    def _table_query(self):
        # Why times eight: ids of different tables must not collide, and a row must keep its id while a page is open.
        since = SQL("(now() AT TIME ZONE 'UTC' - make_interval(hours => %s))", HOURS)
        left_since = SQL("(now() AT TIME ZONE 'UTC' - make_interval(mins => %s))", VISIT_MINUTES)
        return SQL(
            """
            SELECT min(id) * 8 AS id, '1_institution' AS kind, string_agg(DISTINCT code, ', ') AS name,
                   institution_id, NULL::int AS client_id,
                   max(provider_code) AS provider_code, count(*)::int AS occurrences,
                   count(DISTINCT client_id)::int AS client_count, max(create_date) AS last_at
              FROM bank_sync_error
             WHERE create_date >= %(since)s AND actor <> 'user' AND institution_id IS NOT NULL
             GROUP BY institution_id
            UNION ALL
            SELECT min(id) * 8 + 1, '2_proxy', string_agg(DISTINCT code, ', '), NULL, NULL,
                   provider_code, count(*), count(DISTINCT client_id), max(create_date)
              FROM bank_sync_error
             WHERE create_date >= %(since)s AND actor <> 'user' AND institution_id IS NULL
               AND (client_id IS NOT NULL OR address IS NULL)
             GROUP BY provider_code
            UNION ALL
            SELECT id * 8 + 2, '3_client', coalesce(reason, state), NULL, id, NULL, 1, 1, write_date
              FROM bank_sync_client
             WHERE state IN ('blocked', 'disconnected')
            UNION ALL
            SELECT min(id) * 8 + 3, '4_suspicion', string_agg(DISTINCT kind, ', '), NULL, client_id, NULL,
                   count(*), 1, max(create_date)
              FROM bank_sync_suspicion
             WHERE create_date >= %(since)s
             GROUP BY client_id
            UNION ALL
            SELECT min(id) * 8 + 4, '5_unfinished', 'left before the end', institution_id, NULL,
                   NULL, count(*), count(DISTINCT client_id), max(create_date)
              FROM bank_sync_connection
             WHERE state = 'pending' AND create_date >= %(since)s AND create_date < %(left_since)s
             GROUP BY institution_id
            UNION ALL
            SELECT min(id) * 8 + 5, '6_event', string_agg(DISTINCT last_error, ', '), NULL, client_id, NULL,
                   count(*), 1, max(create_date)
              FROM bank_sync_event
             WHERE create_date >= %(since)s AND attempts > 0 AND state <> 'delivered'
             GROUP BY client_id
            """,
            since=since,
            left_since=left_since,
        )

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_open(self):
        """Show the records behind a row."""
        self.ensure_one()
        since = fields.Datetime.subtract(fields.Datetime.now(), hours=HOURS)
        if self.kind == "3_client":
            return {
                "type": "ir.actions.act_window",
                "res_model": "bank.sync.client",
                "res_id": self.client_id.id,
                "views": [(False, "form")],
            }
        failing = [("institution_id", "=", self.institution_id.id), ("actor", "!=", "user")]
        # Refused attempts of unauthenticated callers are not a concern.
        known = ["|", ("client_id", "!=", False), ("address", "=", False)]
        model, domain = {
            "1_institution": ("bank.sync.error", failing),
            "2_proxy": ("bank.sync.error", [*failing, *known, ("provider_code", "=", self.provider_code)]),
            "4_suspicion": ("bank.sync.suspicion", [("client_id", "=", self.client_id.id)]),
            "6_event": (
                "bank.sync.event",
                [("client_id", "=", self.client_id.id), ("attempts", ">", 0), ("state", "!=", "delivered")],
            ),
            "5_unfinished": ("bank.sync.connection", [*failing[:1], ("state", "=", "pending")]),
        }[self.kind]
        return {
            "type": "ir.actions.act_window",
            "name": dict(self._fields["kind"]._description_selection(self.env))[self.kind],
            "res_model": model,
            "domain": [*domain, ("create_date", ">=", since)],
            "views": [(False, "list"), (False, "form")],
        }
