"""What card and form show for each failure that this database can meet.

A new code anywhere fails a test until it stands here, so until somebody has thought of what people see and do.
"""

#: By code: the action that comes with it, the look of its sentence, the one button that helps.
FAILURES = {
    # From the bank, or on the way to it.
    "institution_unavailable": ("retry", "warning", "synchronize"),
    "provider_unavailable": ("retry", "warning", "synchronize"),
    "provider_busy": ("retry", "warning", "synchronize"),
    "rate_limited": ("retry", "warning", "synchronize"),
    "challenge_required": ("answer_challenge", "danger", "code"),
    "auto_sync_forbidden": ("disable_auto_sync", "danger", "disable_auto_sync"),
    "consent_expired": ("renew", "danger", "renew"),
    "consent_revoked": ("renew", "danger", "renew"),
    "credentials_rejected": ("renew", "danger", "credentials"),
    "unknown_account": ("renew", "danger", "credentials"),
    "unknown_institution": ("contact_support", "danger", "copy"),
    "provider_not_configured": ("contact_support", "danger", "copy"),
    # Of the connection, at the proxy.
    "connection_disconnected": ("reconnect", "danger", "reconnect"),
    "connection_unfinished": ("reconnect", "danger", "reconnect"),
    "unknown_connection": ("reconnect", "danger", "reconnect"),
    "secrets_unreadable": ("reconnect", "danger", "reconnect"),
    # Of this database, at the proxy.
    "client_blocked": ("reactivate", "danger", "reactivate"),
    "client_suspended": ("contact_support", "danger", "copy"),
    "client_disconnected": ("reconnect", "danger", "reconnect"),
    "phone_required": ("reactivate", "danger", "reactivate"),
    "phone_invalid": ("reactivate", "danger", "reactivate"),
    "code_rejected": ("reactivate", "danger", "reactivate"),
    "code_expired": ("reactivate", "danger", "reactivate"),
    "sms_unavailable": ("retry", "warning", "synchronize"),
    "database_copied": ("reconnect", "danger", "reconnect"),
    "signature_rejected": ("reconnect", "danger", "reconnect"),
    "clock_skew": ("contact_support", "danger", "copy"),
    "request_replayed": ("retry", "warning", "synchronize"),
    "too_many_requests": ("retry", "warning", "synchronize"),
    "url_refused": ("contact_support", "danger", "copy"),
    "request_too_large": ("contact_support", "danger", "copy"),
    "unsupported_version": ("contact_support", "danger", "copy"),
    "invalid_request": ("contact_support", "danger", "copy"),
    "unexpected_answer": ("contact_support", "danger", "copy"),
    # Nobody answers, or somebody else.
    "no_service": ("retry", "warning", "settings"),
    "service_unavailable": ("retry", "warning", "synchronize"),
    "service_address": ("retry", "warning", "settings"),
    "service_answer": ("retry", "warning", "synchronize"),
    "service_broken": ("retry", "warning", "synchronize"),
    "service_busy": ("retry", "warning", "synchronize"),
    "service_certificate": ("retry", "warning", "synchronize"),
    "service_firewall": ("retry", "warning", "synchronize"),
    "service_refused": ("retry", "warning", "synchronize"),
    "service_slow": ("retry", "warning", "synchronize"),
    # In this database.
    "import_failed": ("retry", "warning", "synchronize"),
    "interrupted": ("retry", "warning", "synchronize"),
    "journal_not_ready": ("retry", "warning", "synchronize"),
    "neutralized": ("reconnect", "danger", "reconnect"),
    "no_connection": ("reconnect", "danger", "reconnect"),
    "not_registered": ("reconnect", "danger", "reconnect"),
    "registered_anew": ("reconnect", "danger", "reconnect"),
    "registration_runs": ("retry", "warning", "synchronize"),
    "registration_unreadable": ("reconnect", "danger", "reconnect"),
    "weak_key": ("contact_support", "danger", "copy"),
}
