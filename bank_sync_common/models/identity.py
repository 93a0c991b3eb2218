"""Odoo's own identity check, for what is changed without a button of its own."""

import time

from odoo.http import request

#: Seconds for which a confirmed password counts, as in Odoo's ``check_identity``.
FRESH = 10 * 60


def is_identity_confirmed():
    """Whether the user has just confirmed the password, or there is none: the server itself, or its shell, is at work.

    A request with an API key has a session of its own in which nobody confirms anything.
    """
    return not request or request.session.get("identity-check-last", 0) > time.time() - FRESH
