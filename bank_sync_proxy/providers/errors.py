"""What can go wrong between the proxy and a bank, divided by who must act.

ProviderError
├── TransientError        nobody: the next run tries again
├── RateLimited           nobody: the next run waits ``retry_after`` seconds
├── ConsentError          the user
├── ConfigurationError    the administrator
└── ProtocolError         us: a question or an answer that the documentation does not know

An adapter raises ``ConsentError("consent_expired", provider=self.code, …)``. What the user reads for each code
stands in the one table below, :data:`CODES`; docs/protocol.md repeats it and a test compares the two.
"""

from dataclasses import dataclass

from .masking import mask


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
    """

    def __init__(
        self, code, detail="", *, provider=None, status=None, provider_code=None, request_id=None, retry_after=None
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

    @property
    def action(self):
        return CODES[self.code].action

    @property
    def sentence(self):
        """What the user reads, in English."""
        return CODES[self.code].sentence

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
        return f"{text}: {self.detail}" if self.detail else text

    def to_protocol(self, reference=None, sentence=None):
        """:return: *error* of docs/protocol.md"""
        return {
            "code": self.code,
            "message": sentence or self.sentence,
            "reference": reference,
            "retry_after": self.retry_after,
            "action": self.action,
        }


class TransientError(ProviderError):
    """Nobody has to act; the same question may be answered later."""


class RateLimited(ProviderError):
    """Too many questions. Carries ``retry_after``."""

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
    :param str sentence: what happened, what it means, what to do
    """

    code: str
    action: str
    family: str
    sentence: str


CODES = {
    code.code: code
    for code in (
        Code(
            "institution_unavailable",
            "retry",
            "TransientError",
            _lt(
                "The bank does not answer at the moment. Nothing is lost: the next synchronization fetches what is "
                "missing. If this lasts for more than a day, see whether the bank's own website works."
            ),
        ),
        Code(
            "provider_unavailable",
            "retry",
            "TransientError",
            _lt(
                "The service that reaches the bank does not answer at the moment. Nothing is lost: the next "
                "synchronization fetches what is missing. You do not have to do anything."
            ),
        ),
        Code(
            "rate_limited",
            "retry",
            "RateLimited",
            _lt(
                "The bank allows no further request for now, because it was asked very often. Nothing is lost: the "
                "next synchronization waits long enough and fetches what is missing."
            ),
        ),
        Code(
            "challenge_required",
            "answer_challenge",
            "ConsentError",
            _lt(
                "The bank wants a code from you before it answers, so nothing was fetched. Use Synchronize Now and "
                "enter the code that the bank sends you."
            ),
        ),
        Code(
            "auto_sync_forbidden",
            "disable_auto_sync",
            "ConsentError",
            _lt(
                "This bank answers only while a user is present, so the automatic synchronization fetched nothing. "
                "Switch it off for this connection, and use Synchronize Now."
            ),
        ),
        Code(
            "consent_expired",
            "renew",
            "ConsentError",
            _lt(
                "Your consent at the bank has expired, so the bank no longer sends transactions. Use Reconnect to "
                "give it again; what was missed in the meantime is fetched then."
            ),
        ),
        Code(
            "consent_revoked",
            "renew",
            "ConsentError",
            _lt(
                "Your consent was withdrawn at the bank, so the bank no longer sends transactions. If that was not "
                "intended, use Reconnect to give it again; what was missed is fetched then."
            ),
        ),
        Code(
            "credentials_rejected",
            "renew",
            "ConsentError",
            _lt(
                "The bank did not accept the credentials, so nothing was fetched. Check on the bank's own website "
                "that you can sign in, then use Update Credentials."
            ),
        ),
        Code(
            "connection_disconnected",
            "reconnect",
            "ConsentError",
            _lt(
                "This connection was cut, by a user or by support, so nothing is fetched any more. Use Reconnect to "
                "connect the bank again; the transactions that you already have stay."
            ),
        ),
        Code(
            "connection_unfinished",
            "reconnect",
            "ConsentError",
            _lt(
                "The bank's pages were left before the end, so there is no consent yet and nothing can be fetched. "
                "Connect the bank again and follow its pages until you are back here."
            ),
        ),
        Code(
            "unknown_connection",
            "reconnect",
            "ConsentError",
            _lt(
                "The connection service does not know this connection, so nothing can be fetched. Use Reconnect to "
                "connect the bank again; the transactions that you already have stay."
            ),
        ),
        Code(
            "unknown_account",
            "renew",
            "ConsentError",
            _lt(
                "Your consent at the bank does not cover this account, so its transactions can't be fetched. "
                "Use Update Credentials and tick the account on the bank's page."
            ),
        ),
        Code(
            "unknown_institution",
            "contact_support",
            "ConfigurationError",
            _lt(
                "This bank is no longer in the list of supported banks, so it can't be connected. Choose another "
                "entry for your bank, or ask your administrator whether its provider is switched on."
            ),
        ),
        Code(
            "provider_not_configured",
            "contact_support",
            "ConfigurationError",
            _lt(
                "The service that reaches this bank is switched off, or its keys are missing or refused, so nothing "
                "was fetched. Ask the administrator of the connection service to check the provider's settings."
            ),
        ),
        Code(
            "secrets_unreadable",
            "reconnect",
            "ConsentError",
            _lt(
                "The secrets of this connection can't be read: this database is a copy or was renamed, or its key is "
                "gone. The original is not affected. To use this one, connect the bank again with Reconnect."
            ),
        ),
        Code(
            "client_blocked",
            "reactivate",
            "ConsentError",
            _lt(
                "The connection service has blocked this database to protect your bank data, so nothing was fetched. "
                "Confirm your phone number to unblock it."
            ),
        ),
        Code(
            "invalid_request",
            "contact_support",
            "ProtocolError",
            _lt(
                "The connection service could not understand this request, so nothing was done. This is a mistake in "
                "the software, not yours: please report it with the reference."
            ),
        ),
        Code(
            "unexpected_answer",
            "contact_support",
            "ProtocolError",
            _lt(
                "Something unexpected happened while the bank was asked, so nothing was fetched. Try again later; if "
                "it happens again, please report it with the reference."
            ),
        ),
    )
}
