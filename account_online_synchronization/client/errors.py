"""What can go wrong between this database and the proxy.

ProxyError                  the proxy, the provider or the bank refused; contains the advised action
└── ServiceUnavailable      no answer: there is no connection service, or it can't be reached
BadTransaction              one transaction can't be imported; it is parked, the others are imported
"""

from odoo.addons.bank_sync_common.tools.words import _lt

from .texts import readable, storable

#: The next action of user or scheduler, decided by the proxy, see "Failures" in docs/protocol.md.
ACTIONS = (
    "retry",
    "renew",
    "reconnect",
    "answer_challenge",
    "disable_auto_sync",
    "contact_support",
    "reactivate",
    "leave_out",
    "check_permission",
)


#: The service refuses every request of this database, until its support or the owner of the phone number acts.
SERVICE_REFUSALS = ("phone_required", "client_blocked", "client_suspended", "client_disconnected")

#: The service does not recognize this database. Either it is registered again, or the service recognizes it later, when
#: a key is restored or its support has accepted a database that was restored or moved.
STRANGERS = ("not_registered", "registration_unreadable", "database_copied", "signature_rejected")

#: The service has lost the encryption key of a connection. Once the key is restored, the connection works again.
KEY_IS_MISSING = "secrets_unreadable"

#: Maximum length of a code; longer ones are invalid.
MAX_CODE = 100

#: Maximum waiting time: seven days.
MAX_RETRY_AFTER = 7 * 24 * 3600


class ProxyError(Exception):
    """A failed operation, as the proxy describes it.

    :param str code: machine-readable, see docs/protocol.md
    :param str message: a sentence for the user that says what to do
    :param str reference: identifies the full record at the proxy
    :param int retry_after: seconds to wait, or None
    :param str action: one of :data:`ACTIONS`
    :param history_days: limit of the bank's history, if the request was shortened before it failed, unchecked
    :param health: *health* of docs/protocol.md of the connection's bank, unchecked
    """

    def __init__(
        self,
        code,
        message,
        reference=None,
        retry_after=None,
        action="contact_support",
        history_days=None,
        health=None,
    ):
        super().__init__(message)
        self.code = code
        self.message = message
        self.reference = reference
        self.retry_after = retry_after and min(retry_after, MAX_RETRY_AFTER)
        # Why not refused: an unknown action must not hide its message.
        self.action = action if action in ACTIONS else "contact_support"
        self.history_days = history_days
        self.health = health

    @classmethod
    def from_answer(cls, error):
        """:param error: value of an answer's key ``error``"""
        error = error if isinstance(error, dict) else {"message": error}
        # Why cleaned: characters that change the reading order could change their meaning for users.
        texts = {key: _words(error.get(key)) for key in ("code", "message", "reference", "action")}
        code = texts["code"][:MAX_CODE] or "unexpected_answer"
        message = texts["message"] or _lt(
            "The connection service reported the problem “%(code)s” without a description.", code=code
        )
        wait = error.get("retry_after")
        is_number = isinstance(wait, int | float) and not isinstance(wait, bool) and 0 < wait < float("inf")
        seconds = int(wait) if is_number else None
        more = {name: error.get(name) for name in ("history_days", "health")}
        return cls(code, message, texts.get("reference") or None, seconds or None, texts.get("action"), **more)


def _words(value):
    # Why also of objects: any value in place of the message is better than none.
    return readable(str(storable(value)) if isinstance(value, dict | list) else value)


class ServiceUnavailable(ProxyError):
    """No proxy answered. Always worth a retry."""

    def __init__(self, message, code="service_unavailable", retry_after=None):
        super().__init__(code, message, retry_after=retry_after, action="retry")


class BadTransaction(ValueError):
    """One transaction that can't become a statement line.

    :param sentence: the reason, for the user; a text, or a :class:`~.words.Sentence`
    """

    def __init__(self, sentence):
        super().__init__(sentence)
        self.sentence = sentence
