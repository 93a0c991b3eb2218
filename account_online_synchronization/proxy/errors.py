"""What can go wrong between this database and the proxy.

ProxyError                  the proxy, the provider or the bank said no; carries what to do about it
└── ServiceUnavailable      nobody answered: no connection service, or it can't be reached
BadTransaction              one transaction can't be used; it is parked, the others go in
"""

#: What a person or the scheduler does next. The proxy decides, see "Failures" in docs/protocol.md.
ACTIONS = ("retry", "renew", "reconnect", "answer_challenge", "disable_auto_sync", "contact_support", "reactivate")


class ProxyError(Exception):
    """A failed operation, as the proxy describes it.

    :param str code: machine-readable, see docs/protocol.md
    :param str message: a sentence for a person; says what to do
    :param str reference: finds the full record at the proxy
    :param int retry_after: seconds to wait, or None
    :param str action: one of :data:`ACTIONS`
    """

    def __init__(self, code, message, reference=None, retry_after=None, action="contact_support"):
        super().__init__(message)
        self.code = code
        self.message = message
        self.reference = reference
        self.retry_after = retry_after
        # An action this version does not know must not hide the message that comes with it.
        self.action = action if action in ACTIONS else "contact_support"

    @classmethod
    def from_answer(cls, error):
        """:param dict error: the object under the key ``error`` of an answer"""
        code = error.get("code") or "unexpected_answer"
        message = error.get("message") or f"The connection service reported the problem “{code}” without a description."
        return cls(code, message, error.get("reference"), error.get("retry_after"), error.get("action"))


class ServiceUnavailable(ProxyError):
    """No proxy answered. Always worth another try."""

    def __init__(self, message, code="service_unavailable"):
        super().__init__(code, message, action="retry")


class BadTransaction(ValueError):
    """One transaction that can't become a statement line; the text says why, for a person."""
