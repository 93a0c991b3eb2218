"""What may be said about a bank's health, and which failures count."""

from datetime import datetime

import pytest

from odoo.addons.bank_sync_proxy.providers.errors import CODES, OUTAGES, ConsentError, TransientError
from odoo.addons.bank_sync_proxy.tools.health import FEWEST_CLIENTS, FEWEST_CONNECTIONS, Outcomes, describe

NOON = datetime(2026, 5, 20, 12, 34, 56)


def outcomes(connections, failed, clients=None, has_others=True):
    return Outcomes(connections, failed, clients or connections, has_others, NOON, "institution_unavailable")


def test_outage_is_a_failure_that_needs_no_action():
    assert {CODES[code].family for code in OUTAGES} == {"TransientError"}
    # Our own load, and our own text messages.
    assert not OUTAGES & {"provider_busy", "sms_unavailable"}


def test_a_failure_knows_whether_it_is_an_outage():
    assert TransientError("provider_unavailable", provider="plaid").is_outage
    assert not ConsentError("credentials_rejected", provider="plaid").is_outage


@pytest.mark.parametrize(
    ("connections", "failed", "of_ten"), [(10, 3, 3), (5, 2, 4), (7, 1, 1), (200, 9, 0), (200, 10, 1), (200, 191, 10)]
)
def test_numbers_are_rounded_to_tenths(connections, failed, of_ten):
    assert describe(outcomes(connections, failed))["failed_of_ten"] == of_ten


def test_nothing_is_said_of_too_few_connections_or_clients():
    assert describe(outcomes(FEWEST_CONNECTIONS - 1, 1)) is None
    assert describe(outcomes(100, 50, FEWEST_CLIENTS - 1)) is None
    assert describe(outcomes(100, 50, FEWEST_CLIENTS))
    assert describe(outcomes(FEWEST_CONNECTIONS, 1, 1, has_others=False))


def test_code_does_not_reveal_a_single_failure_among_hundreds():
    assert describe(outcomes(200, 1))["trouble"] is None


def test_moments_are_rounded_to_the_hour():
    assert describe(outcomes(10, 1))["answered_at"] == datetime(2026, 5, 20, 12)
