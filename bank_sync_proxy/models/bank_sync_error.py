import json
import logging
import secrets
import traceback
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.translate import get_translation

from ..providers.errors import CODES, ProtocolError, ProviderError
from ..providers.masking import mask
from ..tools.bounded_http import Deadline
from .clean_up import clean_up
from .server_fields import as_server

_logger = logging.getLogger(__name__)

#: Without 0 O 1 I L U: read over the telephone, they are one another, or words.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
KEEP_DAYS = 90
MAX_DETAIL = 20_000
#: All requests that one question makes to a provider end within so many seconds: before the database gives up (120).
QUESTION_SECONDS = 100
#: Records per minute of requests that were refused at the gate.
REFUSED_OF_ADDRESS = 20
REFUSED_IN_ALL = 300
#: Records per day of one client, and of all who have proven nothing yet: strangers, and clients without a phone number.
DAILY_OF_CLIENT = 1000
DAILY_OF_STRANGERS = 2000
#: Family of a code → who must act.
ACTORS = {
    "TransientError": "nobody",
    "RateLimited": "nobody",
    "ConsentError": "user",
    "ConfigurationError": "administrator",
    "ProtocolError": "us",
}


class BankSyncError(models.Model):
    """The full record behind the reference that a user is shown."""

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
        help="Nobody: the next run tries again.",
        compute="_compute_actor",
        store=True,
    )
    message = fields.Text(readonly=True, help="What the user was told.")
    request = fields.Text(readonly=True, help="What was asked, secrets masked.")
    detail = fields.Text(readonly=True, help="What was answered or raised, secrets masked.")
    address = fields.Char(readonly=True, help="Where a request came from that was refused before it was answered.")

    _reference_unique = models.UniqueIndex("(reference)", "References are unique.")
    _refused = models.Index("(create_date) WHERE address IS NOT NULL")
    _client_day = models.Index("(client_id, create_date)")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("code")
    def _compute_actor(self):
        for record in self:
            record.actor = ACTORS[CODES[record.code].family] if record.code in CODES else False

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _new_reference(self):
        """:return: such as ``E-7KQ2-M9XD``; random, so that nobody can guess another one's"""
        letters = [secrets.choice(ALPHABET) for _index in range(8)]
        return f"E-{''.join(letters[:4])}-{''.join(letters[4:])}"

    @api.model
    def _attempt(self, question, **context):
        """Do something that may fail at a provider, in a savepoint; a failure is recorded instead of raised.

        What the question changed is rolled back with the savepoint, unless the failure ``keeps`` it; the record stays
        if the caller commits.

        :param question: callable without parameters
        :param context: parameters of :meth:`_record`
        :return: (answer, None, None), or (None, error, its record)
        """
        try:
            with self.env.cr.savepoint():
                answer, error = self._answer_or_kept(question)
            return answer, error, error and self._record(error, **context)
        except ProviderError as error:
            return None, error, self._record(error, **context)
        except psycopg2.OperationalError:
            # Serialization failures and lost connections: Odoo repeats the whole request.
            raise
        except Exception as exception:
            _logger.exception("Unexpected failure of %s", context.get("operation"))
            error = ProtocolError("unexpected_answer", type(exception).__name__)
            return None, error, self._record(error, trace=traceback.format_exc(), **context)

    @api.model
    def _answer_or_kept(self, question):
        try:
            with Deadline(QUESTION_SECONDS):
                return question(), None
        except ProviderError as error:
            if not error.keeps:
                raise
            return None, error

    @api.model
    def _record(self, error, *, operation, client=None, connection=None, request=None, trace=None, address=None):
        """Keep everything about a failure that helps to understand it, without secrets.

        A caller can repeat a failure as often as it likes, so beyond a daily limit the record is not stored: it still
        has the reference and the sentence of the answer, and the caller logs them.

        :param error: :class:`~..providers.errors.ProviderError`
        :param connection: record, or a function that finds it
        :param dict request: what was asked
        :param str trace: traceback of an unexpected exception
        :param str address: of a stranger, of :func:`~..tools.addresses.network_of`
        :return: the record, perhaps one that is not stored
        """
        if callable(connection):
            connection = connection()
        # sudo: failures are recorded whoever caused them; texts are masked, and only support reads them
        records = as_server(self)
        values = {
            "reference": self._new_reference(),
            "client_id": client and client.id,
            "connection_id": connection and connection.id,
            "code": error.code,
            "message": self._sentence(error),
        }
        if not records._has_room(client, address):
            return records.new(values)
        return records.create(
            {
                **values,
                "institution_id": self._institution_of(connection, request).id,
                "provider_code": error.provider or (connection and connection.provider_id.code),
                "operation": operation,
                "address": address,
                "request": request and json.dumps(mask(request), indent=2, ensure_ascii=False)[:MAX_DETAIL],
                "detail": mask("\n\n".join(filter(None, (str(error), trace))))[-MAX_DETAIL:],
            }
        )

    def _has_room(self, client, address):
        """Whether today's records still have room for one of this client, or of a stranger at this address.

        What strangers cause never uses up what a client may leave, although it may name that client.
        """
        since = fields.Datetime.now() - timedelta(days=1)
        if address or (client and client.awaits_phone_since):
            most = DAILY_OF_STRANGERS
            self.env["bank.sync.client"].flush_model(["awaits_phone_since"])
            # A client that confirms its number takes its records out of the strangers', and has room of its own.
            today = SQL(
                "SELECT 1 FROM bank_sync_error AS error LEFT JOIN bank_sync_client AS client ON client.id = client_id"
                " WHERE error.create_date >= %s AND (address IS NOT NULL OR awaits_phone_since IS NOT NULL) LIMIT %s",
                since,
                most,
            )
        elif client:
            most = DAILY_OF_CLIENT
            today = SQL(
                "SELECT 1 FROM bank_sync_error WHERE client_id = %s AND address IS NULL AND create_date >= %s LIMIT %s",
                client.id,
                since,
                most,
            )
        else:
            # Scheduled actions and administrators of this database: nobody from outside can repeat these.
            return True
        ((count,),) = self.env.execute_query(SQL("SELECT count(*) FROM (%s) AS today", today))
        return count < most

    @api.model
    def _institution_of(self, connection, request):
        """:return: the bank in question. Where a user has just chosen it the connection does not know it yet."""
        # sudo: finds a bank by its public id
        institutions = self.env["bank.sync.institution"].sudo()
        identifier = request.get("institution_id") if isinstance(request, dict) else None
        if connection and connection.institution_id:
            return connection.institution_id
        if not isinstance(identifier, str) or "\x00" in identifier:
            return institutions
        return institutions.search([("identifier", "=", identifier)], limit=1)

    @api.model
    def _record_refused(self, error, *, operation, client, address, connection=None):
        """Keep who was refused at the gate, but let nobody fill the table: beyond a few the server's log must do.

        :param str address: of :func:`~..tools.addresses.network_of`
        :return: reference, which the caller logs
        """
        since = fields.Datetime.now() - timedelta(minutes=1)
        self.env.cr.execute(
            "SELECT count(*) FILTER (WHERE address = %s), count(*) FROM bank_sync_error"
            " WHERE address IS NOT NULL AND create_date >= %s",
            [address, since],
        )
        of_address, in_all = self.env.cr.fetchone()
        if of_address >= REFUSED_OF_ADDRESS or in_all >= REFUSED_IN_ALL:
            return self._new_reference()
        return self._record(error, operation=operation, client=client, connection=connection, address=address).reference

    @api.model
    def _sentence(self, error):
        sentence = get_translation("bank_sync_proxy", self.env.lang or "en_US", error.sentence, ())
        return f"{sentence}\n{error.note}" if error.note else sentence

    @api.autovacuum
    def _gc_errors(self):
        return clean_up(self, [("create_date", "<", fields.Datetime.now() - timedelta(days=KEEP_DAYS))])
