"""Odoo's own identity check, for values that are changed without a button."""

import time

from odoo.http import request

#: Seconds for which a confirmed password counts, as in Odoo's ``check_identity``.
FRESH = 10 * 60


def is_identity_confirmed():
    """Whether the user has just confirmed the password. True without a request: the server or its shell is at work.

    A request with an API key has a separate session, in which no password can be confirmed.
    """
    return not request or request.session.get("identity-check-last", 0) > time.time() - FRESH
