import json
import logging
import re
import secrets
import traceback
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_common.tools.bounded_http import Deadline
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.translate import get_translation

from ..providers.errors import CODES, ProtocolError, ProviderError
from ..providers.masking import mask
from ..tools.json_logs import about
from .clean_up import clean_up

_logger = logging.getLogger(__name__)

#: Without 0 O 1 I L U, which are confused with each other when read aloud, or form words.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
KEEP_DAYS = 90
MAX_DETAIL = 20_000
#: Seconds within which all requests to a provider for one request of a database end: before its time-out (120).
REQUEST_SECONDS = 100
#: Records of one client within a day.
DAILY_OF_CLIENT = 1000
LENGTH = 8
#: Minutes before and after an error within which other errors of the same client may be related.
NEARBY_MINUTES = 60
NEARBY_LIMIT = 40
#: Family of a code → who must act.
ACTORS = {
    "TransientError": "nobody",
    "RateLimited": "nobody",
    "ConsentError": "user",
    "ConfigurationError": "administrator",
    "ProtocolError": "us",
}


class BankSyncError(models.Model):
    """The full record of a failure whose reference a user is shown."""

    _name = "bank.sync.error"
    _description = "Bank Synchronization Error"
    _order = "id desc"
    _rec_name = "reference"

    reference = fields.Char(required=True, readonly=True, default=lambda self: self._new_reference())
    create_date = fields.Datetime(string="When", readonly=True, index=True)
    client_id = fields.Many2one(comodel_name="bank.sync.client", ondelete="cascade", index="btree_not_null")
    connection_id = fields.Many2one(comodel_name="bank.sync.connection", ondelete="set null", index="btree_not_null")
    institution_id = fields.Many2one(
        comodel_name="bank.sync.institution", string="Bank", readonly=True, ondelete="set null", index="btree_not_null"
    )
    provider_code = fields.Char(string="Provider", readonly=True)
    operation = fields.Char(readonly=True)
    code = fields.Char(readonly=True)
    actor = fields.Selection(
        selection=[
            ("nobody", "Nobody"),
            ("user", "User"),
            ("administrator", "Administrator"),
            ("us", "Developers"),
        ],
        string="Who Must Act",
        help="Automatic: the next run tries again.",
        compute="_compute_actor",
        store=True,
    )
    message = fields.Text(readonly=True, help="The message shown to the user.")
    request = fields.Text(readonly=True, help="The request, with secrets masked.")
    detail = fields.Text(readonly=True, help="The answer or the error, with secrets masked.")
    database_uuid = fields.Char(related="client_id.database_uuid", string="Database UUID")
    nearby_ids = fields.Many2many(
        comodel_name="bank.sync.error", string="Around That Time", compute="_compute_nearby_ids"
    )

    _reference_unique = models.UniqueIndex("(reference)", "References are unique.")
    _client_day = models.Index("(client_id, create_date)")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("code")
    def _compute_actor(self):
        for record in self:
            record.actor = ACTORS[CODES[record.code].family] if record.code in CODES else False

    def _compute_nearby_ids(self):
        span = timedelta(minutes=NEARBY_MINUTES)
        for record in self:
            domain = [
                ("id", "!=", record.id),
                ("client_id", "=", record.client_id.id),
                ("create_date", ">=", record.create_date and record.create_date - span),
                ("create_date", "<=", record.create_date and record.create_date + span),
            ]
            is_known = record.client_id and record.create_date
            record.nearby_ids = self.search(domain, limit=NEARBY_LIMIT) if is_known else False

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _search_display_name(self, operator, value):
        if operator != "ilike" or not isinstance(value, str) or not value:
            return super()._search_display_name(operator, value)
        return Domain.OR(Domain("reference", "=ilike", pattern) for pattern in self._patterns(value))

    def export_data(self, fields_to_export):
        """Error records contain personal data: support may view them, only administrators may export them."""
        if not self.env.user.has_group("bank_sync_proxy.group_administrator"):
            raise AccessError(self.env._("Error records hold personal data: only administrators may export them."))
        _logger.info("%s exports %s error records", self.env.user.login, len(self))
        return super().export_data(fields_to_export)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _new_reference(self):
        """:return: such as ``E-7KQ2-M9XD``; random, so that others cannot be guessed"""
        letters = [secrets.choice(ALPHABET) for _index in range(LENGTH)]
        return f"E-{''.join(letters[:4])}-{''.join(letters[4:])}"

    @api.model
    def _attempt(self, call, **context):
        """Call something that may fail at a provider, in a savepoint; a failure is recorded instead of raised.

        Its changes are rolled back with the savepoint, unless the failure ``keeps`` them; the record stays if the
        caller commits.

        :param call: callable without parameters
        :param context: parameters of :meth:`_record`
        :return: (answer, None, None), or (None, error, its record)
        """
        client = context.get("client")
        with about(operation=context.get("operation"), client=client.id if client else None):
            try:
                with self.env.cr.savepoint(), Deadline(REQUEST_SECONDS):
                    try:
                        return call(), None, None
                    except ProviderError as failure:
                        if not failure.keeps:
                            raise
                        error = failure
            except ProviderError as failure:
                error = failure
            except psycopg2.OperationalError:
                # Serialization failures and lost connections: Odoo repeats the whole request.
                raise
            except Exception as exception:
                error = ProtocolError("unexpected_answer", type(exception).__name__)
                record = self._record(error, trace=traceback.format_exc(), **context)
                with about(reference=record.reference):
                    _logger.exception("Unexpected failure of %s, %s", context.get("operation"), record.reference)
                return None, error, record
            return None, error, self._record(error, **context)

    @api.model
    def _record(self, error, *, operation, client=None, connection=None, request=None, trace=None, **more):
        """Record everything about a failure that helps to understand it, without secrets.

        A client can repeat a failure any number of times, so beyond a daily limit the record is not stored: it still
        has the reference and the sentence of the answer, and the caller logs them.

        :param error: :class:`~..providers.errors.ProviderError`
        :param connection: record, or a function that finds it
        :param dict request: the request's payload
        :param str trace: traceback of an unexpected exception
        :param more: further values of the record
        :return: the record, which may not be stored
        """
        if callable(connection):
            connection = connection()
        # sudo: failures are recorded for every caller; texts are masked, and only support reads them
        records = as_server(self)
        values = {
            "reference": self._new_reference(),
            "client_id": client and client.id,
            "connection_id": connection and connection.id,
            "code": error.code,
            "message": self._sentence(error, bool(connection) and connection.state == "pending"),
        }
        if not records._has_room(client, more):
            return records.new(values)
        return records.create(
            {
                **values,
                "institution_id": self._institution_of(connection, request).id,
                "provider_code": error.provider or (connection and connection.provider_id.code),
                "operation": operation,
                "request": request and json.dumps(mask(request), indent=2, ensure_ascii=False)[:MAX_DETAIL],
                "detail": mask("\n\n".join(filter(None, (str(error), trace))))[-MAX_DETAIL:],
                **more,
            }
        )

    @api.model
    def _has_room(self, client, more):
        """Whether today's limit of records allows this one."""
        today, most = self._records_of_today(client, more)
        if not today:
            return True
        ((count,),) = self.env.execute_query(SQL("SELECT count(*) FROM (%s LIMIT %s) AS today", today, most))
        return count < most

    @api.model
    def _records_of_today(self, client, more):
        """
        :param dict more: as in :meth:`_record`
        :return: (query for the records that count against the same limit, the limit); None without a limit
        """
        if not client:
            # Caused by scheduled actions and administrators of this database; no outside caller can repeat these.
            return None, 0
        since = fields.Datetime.now() - timedelta(days=1)
        today = SQL(
            "SELECT 1 FROM bank_sync_error AS error JOIN bank_sync_client AS client ON client.id = error.client_id"
            " WHERE error.client_id = %s AND error.create_date >= %s",
            client.id,
            since,
        )
        return today, DAILY_OF_CLIENT

    @api.model
    def _institution_of(self, connection, request):
        """:return: the bank concerned. If a user has just chosen it, it is not yet stored on the connection."""
        # sudo: finds a bank by its public id
        institutions = self.env["bank.sync.institution"].sudo()
        identifier = request.get("institution_id") if isinstance(request, dict) else None
        if connection and connection.institution_id:
            return connection.institution_id
        if not isinstance(identifier, str) or "\x00" in identifier:
            return institutions
        return institutions.search([("identifier", "=", identifier)], limit=1)

    @api.model
    def _sentence(self, error, is_connecting=False):
        english = error.connecting if is_connecting else error.sentence
        sentence = get_translation("bank_sync_proxy", self.env.lang or "en_US", english, ())
        return f"{sentence}\n{error.note}" if error.note else sentence

    @api.model
    def _patterns(self, spoken):
        """Patterns for a reference that a user has read aloud, typed from a picture, or remembers in part.

        Case, dashes and spaces do not matter, nor does a missing E. A character that occurs in no reference (0 O 1 I L
        U) was misread, and matches any.

        :param str spoken: such as ``e 7kq2m9xd``, ``E-7KO2-M9XD`` or ``m9x``
        :return: list of patterns for SQL's LIKE
        """
        text = re.sub(r"[\W_]", "", spoken).upper()
        # An E at the beginning may be the prefix, or a part of the random characters.
        rests = {text, text.removeprefix("E")} if len(text) <= LENGTH else {text.removeprefix("E")}
        patterns = []
        for rest in sorted(rests):
            known = "".join(letter if letter in ALPHABET else "_" for letter in rest)
            if not known.strip("_"):
                # Every character was misread: it would find every record.
                continue
            for before in range(LENGTH - len(known) + 1):
                letters = "_" * before + known + "_" * (LENGTH - before - len(known))
                patterns.append(f"E-{letters[:4]}-{letters[4:]}")
        return patterns

    @api.autovacuum
    def _gc_errors(self):
        return clean_up(self, [("create_date", "<", fields.Datetime.now() - timedelta(days=KEEP_DAYS))])
