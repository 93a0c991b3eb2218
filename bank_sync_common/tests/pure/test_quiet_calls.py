"""What users type into secret fields is not logged at any level."""

import logging

from odoo.addons.bank_sync_common.tools.quiet_calls import QuietCalls


class Records:
    def __init__(self, name):
        self._name = name

    def __str__(self):
        return f"{self._name}(1,)"


def logged(*arguments):
    """Log a call as odoo.service.model does."""
    record = logging.LogRecord("odoo.service.model", logging.DEBUG, "", 1, "call %s.%s(%s)", arguments, None)
    assert QuietCalls("account.online.phone").filter(record)
    return record.getMessage()


def test_arguments_of_a_secret_model_are_masked():
    message = logged(Records("account.online.phone"), "write", {"phone": "+32470123456"})
    assert message == "call account.online.phone(1,).write(•••)"


def test_arguments_of_other_models_are_logged_as_before():
    assert "kept" in logged(Records("res.partner"), "write", {"name": "kept"})
    assert "kept" in logged("text", "b", "kept")
