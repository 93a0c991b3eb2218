from odoo import api, fields, models
from odoo.addons.bank_sync_proxy.providers.errors import CODES
from odoo.tools import SQL
from odoo.tools.translate import get_translation

#: Days before their end when consents need attention.
ENDING_DAYS = 14
#: A database without requests for this time does not synchronize automatically.
SILENT_DAYS = 3
#: A success ends a failure only if it comes this much later: in one run, some accounts fail and others succeed.
RUN_MINUTES = 5


class BankSyncFirmConsent(models.Model):
    """What an accounting firm sees of a client's consent: a view of PostgreSQL, with these columns and no others.

    Why a separate model: a rule on ``bank.sync.connection`` restricts rows only; each column, and each related record,
    would have to be protected one by one. This view has no relation to the connection or the client.
    """

    _name = "bank.sync.firm.consent"
    _description = "Bank Consent of a Client"
    _auto = False
    _order = "status, days_left, id"
    _rec_name = "bank_name"
    _depends = {
        "bank.sync.connection": [
            "client_id",
            "institution_id",
            "institution_name",
            "state",
            "reason",
            "secret_state",
            "consent_expires_at",
            "asked_at",
            "answered_at",
            "synchronized_at",
            "failed_at",
        ],
        "bank.sync.error": ["connection_id", "code", "reference"],
        "bank.sync.firm": ["active"],
        "bank.sync.firm.agreement": [
            "firm_id",
            "client_id",
            "client_name",
            "contact_name",
            "contact_email",
            "ended_at",
        ],
        "bank.sync.institution": ["name"],
    }

    firm_id = fields.Many2one(comodel_name="bank.sync.firm", string="Accounting Firm", readonly=True)
    agreement_id = fields.Many2one(comodel_name="bank.sync.firm.agreement", string="Client", readonly=True)
    contact_name = fields.Char(string="Contact", readonly=True)
    contact_email = fields.Char(string="E-Mail", readonly=True)
    bank_name = fields.Char(string="Bank", readonly=True)
    status = fields.Selection(
        selection=[
            ("1_expired", "Expired"),
            ("2_disconnected", "Disconnected"),
            ("3_failing", "Failing"),
            ("4_ending", "Ends Soon"),
            ("5_never", "Never Synchronized"),
            ("6_fine", "Up to Date"),
        ],
        string="State",
        readonly=True,
    )
    is_urgent = fields.Boolean(string="Needs Attention", readonly=True)
    is_silent = fields.Boolean(string="Not Seen for 3 Days", readonly=True)
    consent_expires_on = fields.Date(string="Consent Until", readonly=True)
    days_left = fields.Integer(readonly=True, aggregator="min")
    has_end = fields.Boolean(readonly=True)
    last_success_at = fields.Datetime(string="Last Success", readonly=True)
    last_seen_at = fields.Datetime(
        string="Last Seen", readonly=True, help="When the database last asked for this bank, whatever the answer."
    )
    error_code = fields.Char(readonly=True)
    error_at = fields.Datetime(string="Failed On", readonly=True)
    error_reference = fields.Char(string="Reference", readonly=True)
    error_message = fields.Text(string="Last Error", compute="_compute_error_message")

    @property
    def _table_query(self):
        now = SQL("(now() AT TIME ZONE 'UTC')")
        return SQL(
            """
            SELECT shown.*,
                   coalesce(last_seen_at, created_at) < %(now)s - make_interval(days => %(silent)s) AS is_silent,
                   status IN ('1_expired', '2_disconnected', '3_failing', '4_ending') AS is_urgent
              FROM (
            SELECT connection.id,
                   agreement.firm_id,
                   agreement.id AS agreement_id,
                   agreement.contact_name,
                   agreement.contact_email,
                   coalesce(connection.institution_name, institution.name) AS bank_name,
                   CASE
                       WHEN connection.state = 'disconnected' THEN '2_disconnected'
                       WHEN connection.state = 'expired' OR connection.consent_expires_at <= %(now)s THEN '1_expired'
                       WHEN connection.failed_at > connection.synchronized_at - make_interval(mins => %(run)s)
                            OR (connection.failed_at IS NOT NULL AND connection.synchronized_at IS NULL)
                       THEN '3_failing'
                       WHEN connection.consent_expires_at::date <= %(now)s::date + %(ending)s THEN '4_ending'
                       WHEN connection.synchronized_at IS NULL THEN '5_never'
                       ELSE '6_fine'
                   END AS status,
                   connection.create_date AS created_at,
                   connection.consent_expires_at::date AS consent_expires_on,
                   connection.consent_expires_at IS NOT NULL AS has_end,
                   greatest(connection.consent_expires_at::date - %(now)s::date, 0) AS days_left,
                   connection.synchronized_at AS last_success_at,
                   greatest(connection.asked_at, connection.answered_at, connection.synchronized_at,
                            connection.failed_at) AS last_seen_at,
                   error.code AS error_code,
                   error.create_date AS error_at,
                   error.reference AS error_reference
              FROM bank_sync_firm_agreement AS agreement
              JOIN bank_sync_firm AS firm ON firm.id = agreement.firm_id AND firm.active
              JOIN bank_sync_connection AS connection ON connection.client_id = agreement.client_id
              LEFT JOIN bank_sync_institution AS institution ON institution.id = connection.institution_id
              LEFT JOIN LATERAL (
                       SELECT code, create_date, reference
                         FROM bank_sync_error
                        WHERE connection_id = connection.id
                        ORDER BY id DESC
                        LIMIT 1
                   ) AS error ON TRUE
             WHERE agreement.ended_at IS NULL
               AND connection.state <> 'pending'
               -- A user who deletes a connection leaves neither a reason nor a secret: that consent is over. What
               -- support or the provider has cut off is shown until the bank is connected again.
               AND (connection.state <> 'disconnected'
                    OR ((connection.reason IS NOT NULL OR connection.secret_state IS NOT NULL)
                        AND NOT EXISTS (
                                SELECT 1
                                  FROM bank_sync_connection AS later
                                 WHERE later.client_id = connection.client_id
                                   AND later.institution_id = connection.institution_id
                                   AND later.id > connection.id
                                   AND later.state <> 'pending'
                            )))
                   ) AS shown
            """,
            now=now,
            run=RUN_MINUTES,
            ending=ENDING_DAYS,
            silent=SILENT_DAYS,
        )

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("error_code")
    @api.depends_context("lang")
    def _compute_error_message(self):
        """Why not the stored sentence: it is in the client's language, and a note of support may follow it."""
        language = self.env.lang or "en_US"
        for consent in self:
            code = CODES.get(consent.error_code)
            consent.error_message = code and get_translation("bank_sync_proxy", language, code.sentence, ())

    @api.depends("agreement_id", "bank_name")
    def _compute_display_name(self):
        for consent in self:
            consent.display_name = f"{consent.agreement_id.client_name} – {consent.bank_name or '–'}"

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_write(self):
        """*Write to Contacts* of the selected consents."""
        self.check_access("read")
        self.env["bank.sync.firm.letter"].check_access("create")
        return self.env["bank.sync.firm.letter"]._open(self.agreement_id)
