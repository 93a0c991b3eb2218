"""What can go wrong between the proxy and a bank, divided by who must act.

ProviderError
├── TransientError        no one: the next run retries
├── RateLimited           no one: the next run waits ``retry_after`` seconds
├── ConsentError          the user
├── ConfigurationError    the administrator
└── ProtocolError         us: a request or an answer that is not documented

An adapter raises ``ConsentError("consent_expired", provider=self.code, …)``. What the user reads for each code
is in the one table below, :data:`CODES`; docs/protocol.md repeats it and a test compares the two.
"""

from dataclasses import dataclass

from .masking import mask, one_line


def _lt(text):
    """Marks a text for the export of translations; the boundary to Odoo translates it."""
    return text


class ProviderError(Exception):
    """A failed operation, with everything that support needs to find it again, and without secrets.

    :param str code: a code of :data:`CODES` that belongs to this class
    :param str detail: what exactly happened, for the error record; secrets are masked
    :param str provider: code of the provider
    :param int status: HTTP status of the provider's answer
    :param str provider_code: the provider's own code
    :param str request_id: the provider's own id of the request
    :param int retry_after: seconds
    :param str note: what a person of support wrote about it, for the user; follows the sentence
    :param bool keeps: what the request has written until then is kept, such as the count of wrong codes
    """

    def __init__(
        self,
        code,
        detail="",
        *,
        provider=None,
        status=None,
        provider_code=None,
        request_id=None,
        retry_after=None,
        note=None,
        keeps=False,
    ):
        if CODES[code].family != type(self).__name__:
            raise ValueError(f"{code} is a {CODES[code].family}, not a {type(self).__name__}")
        super().__init__(code)
        self.code = code
        self.detail = mask(detail or "")
        self.provider = provider
        self.status = status
        self.provider_code = provider_code
        self.request_id = request_id
        self.retry_after = retry_after
        self.note = note
        self.keeps = keeps
        #: Of a refused period: the first days that the refusal names. ``history_days`` is how far back the next request
        #: goes.
        self.named_days = ()
        #: What the provider answered, for its adapter; it goes nowhere else.
        self.answer = None
        self.history_days = None

    @property
    def action(self):
        return CODES[self.code].action

    @property
    def http_status(self):
        """Of the answer that carries this failure to a database."""
        return CODES[self.code].status

    @property
    def sentence(self):
        """What the user reads, in English."""
        return CODES[self.code].sentence

    @property
    def connecting(self):
        """What the user reads while connecting a bank, in English."""
        return CODES[self.code].connecting or self.sentence

    def __str__(self):
        origin = [
            self.provider,
            self.status and f"HTTP {self.status}",
            self.provider_code,
            self.request_id and f"request {self.request_id}",
        ]
        text = self.code
        if any(origin):
            text += f" ({', '.join(str(part) for part in origin if part)})"
        return one_line(f"{text}: {self.detail}" if self.detail else text)

    def to_protocol(self, reference=None, sentence=None):
        """:return: *error* of docs/protocol.md"""
        limit = {} if self.history_days is None else {"history_days": self.history_days}
        return limit | {
            "code": self.code,
            "message": sentence or self.sentence,
            "reference": reference,
            "retry_after": self.retry_after,
            "action": self.action,
        }

    @property
    def is_outage(self):
        """Whether the bank or its provider is to blame, so that other users of the bank are likely to meet it, too."""
        return self.code in OUTAGES


class TransientError(ProviderError):
    """No action is needed; the same request may succeed later."""


class RateLimited(ProviderError):
    """Too many requests. Carries ``retry_after``."""

    def __init__(self, code="rate_limited", detail="", *, retry_after=3600, **context):
        super().__init__(code, detail, retry_after=retry_after, **context)


class ConsentError(ProviderError):
    """The user has to do something: at the bank's pages, or on the connection."""


class ConfigurationError(ProviderError):
    """An administrator has to do something."""


class ProtocolError(ProviderError):
    """One of the programs is wrong: ours, the database's or the provider's."""


@dataclass(frozen=True)
class Code:
    """One line of the table.

    :param str code: machine-readable, never renamed
    :param str action: what the database offers next
    :param str family: name of the class above, so: who must act
    :param int status: of the HTTP answer
    :param str sentence: what happened, what it means, what to do
    :param str connecting: the same while a bank is being connected: *Renew* does not exist yet, and nothing was missed;
        empty: ``sentence`` fits there, too
    """

    code: str
    action: str
    family: str
    status: int
    sentence: str
    connecting: str = ""


#: Failures of a bank or its provider: no action is needed, and none of them follows from credentials, a consent,
#: settings, a rate limit, our own load, or an answer that we do not understand.
OUTAGES = frozenset({"institution_unavailable", "provider_unavailable"})

CODES = {
    code.code: code
    for code in (
        Code(
            "institution_unavailable",
            "retry",
            "TransientError",
            503,
            _lt(
                "The bank does not answer at the moment, so nothing was fetched. Please try again later. If this lasts "
                "for more than a day, see whether the bank's own website works."
            ),
            _lt(
                "The bank does not answer at the moment, so it was not connected. Please try again later. If this "
                "lasts for more than a day, see whether the bank's own website works."
            ),
        ),
        Code(
            "provider_unavailable",
            "retry",
            "TransientError",
            503,
            _lt(
                "The service that reaches the bank does not answer at the moment, so nothing was fetched. Usually "
                "this is over within an hour: please try again later."
            ),
            _lt(
                "The service that reaches the bank does not answer at the moment, so the bank was not connected. "
                "Usually this is over within an hour: please try again later."
            ),
        ),
        Code(
            "rate_limited",
            "retry",
            "RateLimited",
            429,
            _lt(
                "The bank currently allows no further requests, because too many were sent. Please wait "
                "before you try again; the missing transactions are fetched then."
            ),
            _lt(
                "The bank currently allows no further requests, because too many were sent, so it was not "
                "connected. Please wait before you try again."
            ),
        ),
        Code(
            "challenge_required",
            "answer_challenge",
            "ConsentError",
            409,
            _lt(
                "The bank requires a code before it answers, so nothing was fetched. Use Synchronize Now and enter "
                "the code that the bank sends you."
            ),
        ),
        Code(
            "auto_sync_forbidden",
            "disable_auto_sync",
            "ConsentError",
            409,
            _lt(
                "This bank answers only while a user is present, so the automatic synchronization fetched nothing. "
                "Switch it off for this connection, and use Synchronize Now."
            ),
        ),
        Code(
            "consent_expired",
            "renew",
            "ConsentError",
            403,
            _lt(
                "Your consent at the bank has expired, so the bank no longer sends transactions. Use Renew to "
                "grant it again; what was missed in the meantime is fetched then."
            ),
            _lt(
                "The bank, or the service that reaches it, says that this access has expired, so the bank was not "
                "connected. Check it there, then start again."
            ),
        ),
        Code(
            "consent_revoked",
            "renew",
            "ConsentError",
            403,
            _lt(
                "Your consent was withdrawn at the bank, so the bank no longer sends transactions. If that was not "
                "intended, use Renew to grant it again; what was missed is fetched then."
            ),
            _lt(
                "The bank, or the service that reaches it, says that this access was withdrawn, so the bank was not "
                "connected. Check it there, then start again."
            ),
        ),
        Code(
            "credentials_rejected",
            "renew",
            "ConsentError",
            403,
            _lt(
                "The bank did not accept the credentials, so nothing was fetched. Check on the bank's own website "
                "that you can sign in, then use Update Credentials."
            ),
            _lt(
                "The bank did not accept the credentials, so it was not connected. Check on the bank's own website "
                "that you can sign in, then start again."
            ),
        ),
        Code(
            "permission_missing",
            "check_permission",
            "ConsentError",
            403,
            _lt(
                "The bank accepts this access but does not allow it to read what was asked for, so nothing was "
                "fetched: a permission is missing, or the plan of the account does not include it. Check both on the "
                "bank's own pages, then use Synchronize Now. Renew only if the bank gives you a new key for it."
            ),
            _lt(
                "The bank accepts this access but does not allow it to read the accounts, so the bank was not "
                "connected: a permission is missing, or the plan of the account does not include it. Check both on the "
                "bank's own pages, then start again."
            ),
        ),
        Code(
            "connection_disconnected",
            "reconnect",
            "ConsentError",
            410,
            _lt(
                "This connection was disconnected by a user or by support, so nothing is fetched any more. Use "
                "Reconnect to connect the bank again; the transactions that you already have stay."
            ),
        ),
        Code(
            "connection_unfinished",
            "reconnect",
            "ConsentError",
            409,
            _lt(
                "The bank's pages were left before the end, so there is no consent yet and nothing can be fetched. "
                "Connect the bank again and follow its pages until you are back here."
            ),
        ),
        Code(
            "unknown_connection",
            "reconnect",
            "ConsentError",
            404,
            _lt(
                "The connection service does not know this connection, so nothing can be fetched. Use Reconnect to "
                "connect the bank again; the transactions that you already have stay."
            ),
        ),
        Code(
            "unknown_account",
            "renew",
            "ConsentError",
            404,
            _lt(
                "Your consent at the bank does not cover this account, so its transactions can't be fetched. "
                "Use Update Credentials and tick the account on the bank's page."
            ),
            _lt(
                "The access that was given at the bank covers no account that can be read, so the bank was not "
                "connected. Start again and select an account on the bank's page."
            ),
        ),
        Code(
            "account_refused",
            "leave_out",
            "ConsentError",
            409,
            _lt(
                "The bank provides no transactions for this account, because it is closed or blocked there. Renewing "
                "the consent does not change that. If you no longer need the account, use Leave Out; otherwise ask "
                "your bank, then use Synchronize Now."
            ),
        ),
        Code(
            "period_refused",
            "contact_support",
            "ProtocolError",
            502,
            _lt(
                "The bank refused every period that was requested, so no transactions of this account were fetched. "
                "Your other accounts are not affected. Please report it with the reference."
            ),
        ),
        Code(
            "answer_too_large",
            "contact_support",
            "ProtocolError",
            502,
            _lt(
                "The bank answered with more data at once than can be read, even for a single day or for the smallest "
                "list that it offers, so nothing of this was fetched. What the bank answers to other requests is not "
                "affected. Please report it with the reference."
            ),
        ),
        Code(
            "bookmark_refused",
            "retry",
            "ProtocolError",
            409,
            _lt(
                "The bank can't continue its list of transactions where it was left, so nothing was fetched. "
                "Synchronize again: the list is then read by date, starting some days before your last "
                "transactions."
            ),
        ),
        Code(
            "unknown_institution",
            "contact_support",
            "ConfigurationError",
            404,
            _lt(
                "This bank is no longer in the list of supported banks, so it can't be connected. Choose another "
                "entry for your bank, or ask your administrator whether its provider is switched on."
            ),
        ),
        Code(
            "provider_not_configured",
            "contact_support",
            "ConfigurationError",
            503,
            _lt(
                "The service that reaches this bank is switched off, or its keys are missing, refused or not allowed "
                "to do this, so nothing was fetched. Ask the administrator of the connection service to check the "
                "provider's settings."
            ),
            _lt(
                "The service that reaches this bank is switched off, or its keys are missing, refused or not allowed "
                "to do this, so the bank was not connected. Ask the administrator of the connection service to check "
                "the provider's settings."
            ),
        ),
        Code(
            "secrets_unreadable",
            "reconnect",
            "ConsentError",
            409,
            _lt(
                "The secrets of this connection can't be read: this database is a copy or was renamed, or its key "
                "is missing. The original is not affected. To use this one, connect the bank again with Reconnect."
            ),
        ),
        Code(
            "client_blocked",
            "reactivate",
            "ConsentError",
            403,
            _lt(
                "The connection service has blocked this database to protect your bank data, so nothing was fetched. "
                "Confirm your phone number to unblock it."
            ),
        ),
        Code(
            "client_suspended",
            "contact_support",
            "ConsentError",
            403,
            _lt(
                "The support of the connection service has blocked this database, so nothing was fetched. "
                "Please contact support with your client ID."
            ),
        ),
        Code(
            "client_disconnected",
            "reconnect",
            "ConsentError",
            403,
            _lt(
                "This database was disconnected from the connection service, so nothing was fetched. Use Reconnect "
                "to register it again; the transactions that you already have stay."
            ),
        ),
        Code(
            "phone_required",
            "reactivate",
            "ConsentError",
            403,
            _lt(
                "No phone number has been confirmed for this database yet, so no bank can be connected. Confirm "
                "your phone number; it protects your bank data."
            ),
        ),
        Code(
            "phone_invalid",
            "reactivate",
            "ConsentError",
            422,
            _lt(
                "Text messages can't be sent to this number, so no code was sent. Enter it in the international "
                "form, such as +32 470 12 34 56."
            ),
        ),
        Code(
            "code_rejected",
            "reactivate",
            "ConsentError",
            422,
            _lt("Wrong code. Check the text message, or request a new code."),
        ),
        Code(
            "code_expired",
            "reactivate",
            "ConsentError",
            422,
            _lt("This code is no longer valid. Request a new code and enter it within ten minutes."),
        ),
        Code(
            "sms_unavailable",
            "retry",
            "TransientError",
            503,
            _lt(
                "The text message with the code could not be sent. Check the phone number and try again in a few "
                "minutes; if that does not help, contact the support of the connection service."
            ),
        ),
        Code(
            "firm_unknown",
            "retry",
            "ConsentError",
            422,
            _lt(
                "No accounting firm has this code, so nothing is shown to anybody. Ask your accounting firm for its "
                "code, and enter it as it is written."
            ),
        ),
        Code(
            "database_copied",
            "reconnect",
            "ConsentError",
            403,
            _lt(
                "This database is a copy of another one, or was restored or moved to another server, and can't act for "
                "the original, which goes on working. If this is the original, ask the support of your connection "
                "service to accept it; nothing has to be connected again. To use banks in a copy, use Reconnect: it "
                "is then registered as a new client."
            ),
        ),
        Code(
            "signature_rejected",
            "reconnect",
            "ConsentError",
            401,
            _lt(
                "The connection service does not accept the credentials of this database, so nothing was fetched. "
                "Use Reconnect to register it again; the transactions that you already have stay."
            ),
        ),
        Code(
            "clock_skew",
            "contact_support",
            "ConfigurationError",
            401,
            _lt(
                "The clock of this server and that of the connection service differ by more than five minutes, so "
                "nothing was fetched. Ask the server's administrator to set the clock, best by NTP."
            ),
        ),
        Code(
            "request_replayed",
            "retry",
            "ProtocolError",
            401,
            _lt(
                "The connection service received the same request twice and answered it once. No data was lost. "
                "Please try again."
            ),
        ),
        Code(
            "too_many_requests",
            "retry",
            "RateLimited",
            429,
            _lt(
                "This database sends too many requests to the connection service, so this one was not answered. "
                "Please wait a few minutes before you try again."
            ),
        ),
        Code(
            "provider_busy",
            "retry",
            "TransientError",
            503,
            _lt(
                "The service that reaches the bank is busy at the moment, or has not yet received everything from the "
                "bank, so nothing was fetched. Please try again in some minutes."
            ),
            _lt(
                "The service that reaches the bank is busy at the moment, so the bank was not connected. Please try "
                "again in some minutes."
            ),
        ),
        Code(
            "url_refused",
            "contact_support",
            "ConfigurationError",
            422,
            _lt(
                "The connection service can't be used from this address of your database. It needs a public address "
                "that begins with https://. Ask your administrator to check the web.base.url of this database."
            ),
        ),
        Code(
            "request_too_large",
            "contact_support",
            "ProtocolError",
            413,
            _lt(
                "The request to the connection service was larger than allowed, so nothing was done. This is a "
                "mistake in the software, not yours: please report it with the reference."
            ),
        ),
        Code(
            "unsupported_version",
            "contact_support",
            "ConfigurationError",
            404,
            _lt(
                "The connection service does not speak this version of the protocol, so nothing was done. Ask your "
                "administrator to update the addons, or the connection service."
            ),
        ),
        Code(
            "invalid_request",
            "contact_support",
            "ProtocolError",
            400,
            _lt(
                "The connection service could not understand this request, so nothing was done. This is a mistake in "
                "the software, not yours: please report it with the reference."
            ),
        ),
        Code(
            "unexpected_answer",
            "contact_support",
            "ProtocolError",
            502,
            _lt(
                "Something unexpected happened while contacting the bank, so nothing was fetched. Try again later; "
                "if it happens again, please report it with the reference."
            ),
            _lt(
                "Something unexpected happened while contacting the bank, so it was not connected. Try again later; if "
                "it happens again, please report it with the reference."
            ),
        ),
    )
}
