import hashlib
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools.translate import get_translation

from ..providers.errors import ConsentError, ProtocolError
from ..providers.types import Challenge, Completed, Refreshed, moment_text
from ..tools.urls import with_query
from .bank_sync_connection import aware

MINUTES = 30
MAX_ATTEMPTS = 5
MAX_VALUE_LENGTH = 500
KEEP_DAYS = 7


class BankSyncVisit(models.Model):
    """A user's way through the hosted pages: one address that serves one visit.

    All that happens is kept here, encrypted, and nothing in the browser: a page shows where the visit stands. The step
    counts what was done, so that a form of an older page (browser back, double click) changes nothing.
    """

    _name = "bank.sync.visit"
    _description = "Visit of the Bank's Pages"
    _order = "id desc"

    connection_id = fields.Many2one(
        comodel_name="bank.sync.connection", required=True, index=True, ondelete="cascade", readonly=True
    )
    kind = fields.Selection(
        selection=[("connect", "New Consent"), ("renew", "Renewal"), ("refresh", "Refresh")],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        selection=[("open", "Open"), ("done", "Finished"), ("cancelled", "Cancelled"), ("failed", "Failed")],
        required=True,
        readonly=True,
        default="open",
    )
    token_digest = fields.Char(required=True, readonly=True, copy=False, groups="base.group_system")
    step = fields.Integer(readonly=True)
    attempts = fields.Integer(readonly=True, help="Answers that were not accepted.")
    expires_at = fields.Datetime(required=True, readonly=True)
    return_url = fields.Char(readonly=True, groups="base.group_system")
    language = fields.Char(readonly=True)
    country_code = fields.Char(size=2, readonly=True, help="Which banks are proposed first.")
    may_choose = fields.Boolean(readonly=True, help="The user chooses the bank on our page.")
    # The challenge and what the adapter wants to keep until it is answered, encrypted.
    secret_data = fields.Text(readonly=True, copy=False, groups="base.group_system")
    error_id = fields.Many2one(comodel_name="bank.sync.error", readonly=True, ondelete="set null")

    _token_digest_unique = models.UniqueIndex("(token_digest)", "An address serves one visit.")

    # -------------------------------------------------------------------------
    # OPENING AND CLOSING
    # -------------------------------------------------------------------------

    @api.model
    def _open(self, connection, kind, result=None, **values):
        """Begin a visit; an older one of the same connection ends.

        :param result: the first challenge; None: the user chooses the bank first
        :param values: ``return_url``, ``language``, ``country_code``, ``may_choose``
        :return: ``connection_id``, ``page_url`` and ``expires_at`` of docs/protocol.md
        """
        connection.visit_ids._close("cancelled")
        token = secrets.token_urlsafe(32)
        visit = self.create(
            {
                "may_choose": result is None,
                **values,
                "connection_id": connection.id,
                "kind": kind,
                "token_digest": self._digest(token),
                "expires_at": fields.Datetime.now() + timedelta(minutes=MINUTES),
            }
        )
        if result is not None:
            visit._take(result)
        return {
            "connection_id": connection.identifier,
            "page_url": f"/bank_sync/connect/{token}",
            "expires_at": moment_text(aware(visit.expires_at)),
        }

    @api.model
    def _digest(self, token):
        return hashlib.sha256(token.encode()).hexdigest()

    @api.model
    def _find(self, token):
        """:return: the visit of an address, whatever became of it, or an empty recordset"""
        return self.sudo().search([("token_digest", "=", self._digest(token))], limit=1)

    def _is_expired(self):
        return self.state == "open" and self.expires_at <= fields.Datetime.now()

    def _close(self, state):
        self.filtered(lambda visit: visit.state == "open").write({"state": state, "secret_data": False})

    def _way_back(self, **parameters):
        """:return: where the browser goes when it leaves, or None"""
        if not self.return_url:
            return None
        return with_query(self.return_url, connection_id=self.connection_id.identifier, **parameters)

    # -------------------------------------------------------------------------
    # STEPS
    # -------------------------------------------------------------------------

    def _choose_institution(self, identifier):
        """The user has chosen a bank."""
        if not self.may_choose:
            return

        def question():
            self.connection_id.institution_id = self.env["bank.sync.institution"]._find(identifier)
            self._take(self.connection_id._begin("connect", self.language))

        self._ask("visit.choose", question, {"institution_id": identifier})

    def _choose_again(self):
        """The user wants another bank."""
        if self.may_choose:
            self.connection_id.institution_id = False
            self._go_on({})

    def _answer(self, values):
        """The user has answered the challenge.

        :param dict values: by name of the field, texts or tuples
        """

        def question():
            challenge = self._challenge()
            if challenge:
                adapter = self.connection_id.provider_id._adapter()
                flow = self.connection_id._flow(self.kind, self.language, challenge.data)
                self._take(adapter.answer(flow, self._accepted(challenge, values)))

        self._ask("visit.answer", question)

    def _accepted(self, challenge, values):
        """Only what was asked for, in sane lengths, and of a choice only its options."""
        accepted = {}
        for field in challenge.fields:
            options = {option.value for option in field.options}
            if field.type == "multichoice":
                accepted[field.name] = tuple(value for value in values.get(field.name, ()) if value in options)
            elif field.type != "info":
                value = "".join(values.get(field.name, ()))[:MAX_VALUE_LENGTH].replace("\x00", "")
                accepted[field.name] = value if field.type != "choice" or value in options else ""
        return accepted

    def _ask(self, operation, question, request=None):
        """Ask the adapter; a failure ends the visit, or is shown on the page where another try makes sense."""
        _answer, error, record = self.env["bank.sync.error"]._attempt(
            question,
            operation=operation,
            client=self.connection_id.client_id,
            connection=self.connection_id,
            request=request,
        )
        if error and error.action == "retry":
            self.write({"error_id": record.id, "step": self.step + 1})
        elif error:
            self._fail(error, record)

    def _fail(self, error, record):
        if self.kind != "connect":
            self.connection_id._note_failure(error)
        self._close("failed")
        self.error_id = record

    def _take(self, result):
        """Go where an adapter's answer leads."""
        if isinstance(result, Completed | Refreshed):
            if isinstance(result, Refreshed) and self.kind != "refresh":
                raise ProtocolError("unexpected_answer", "a consent ended without a consent")
            self.connection_id._take(result)
            self._close("done")
        elif isinstance(result, Challenge):
            # Forgetting to tick an account is no attempt at guessing.
            failed = bool(result.error) and result.kind in ("credentials", "code")
            attempts = self.attempts + failed
            if attempts >= MAX_ATTEMPTS:
                raise ConsentError("credentials_rejected", f"{attempts} answers were not accepted")
            self._go_on({"challenge": result.to_json()}, attempts=attempts)
        else:
            raise ProtocolError("unexpected_answer", f"an adapter gave {type(result).__name__}")

    def _go_on(self, stored, **values):
        secret = self.env["bank.sync.vault"]._encrypt(stored)
        self.write({**values, "secret_data": secret, "step": self.step + 1, "error_id": False})

    # -------------------------------------------------------------------------
    # WHAT THE PAGES SHOW
    # -------------------------------------------------------------------------

    def _challenge(self):
        """:return: the current :class:`~..providers.types.Challenge`, or None
        :raise ConsentError: ``secrets_unreadable``
        """
        stored = self.env["bank.sync.vault"]._decrypt(self.secret_data).get("challenge")
        return Challenge.from_json(stored) if stored else None

    def _translate(self, text):
        """Texts of adapters are English; they are exported for translation with the addon's own."""
        return get_translation("bank_sync_proxy", self.env.lang or "en_US", text, ()) if text else ""

    @api.autovacuum
    def _gc_visits(self):
        limit = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        self.search([("create_date", "<", limit)], limit=10_000).unlink()
