from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from account_online_synchronization.client.errors import ACTIONS, ProxyError
from account_online_synchronization.sync.status import BUTTON_OF_ACTION, LinkFacts, Status, describe, is_rate_limited
from account_online_synchronization.tests.pure.failures import FAILURES

NOW = datetime(2026, 5, 20, 10)
LATER = NOW + timedelta(hours=1)
CONNECTED = LinkFacts(now=NOW)
DISCONNECTED = LinkFacts(now=NOW, state="disconnected", has_connection=False)


def failed(code="institution_unavailable", **facts):
    """The facts of a link after a failure, as ``_register_error`` leaves them."""
    action = FAILURES[code][0]
    state = "disconnected" if action == "reconnect" else "error"
    values = {"error_code": code, "error_action": action, "error_message": f"Sentence of {code}."}
    return LinkFacts(now=NOW, **{"state": state, **values, **facts})


@pytest.mark.parametrize("code", FAILURES)
def test_a_failure_shows_its_sentence_and_the_button_that_helps(code):
    _action, kind, button = FAILURES[code]
    shown = describe(failed(code))
    assert (shown.kind, shown.sentence, shown.button) == (kind, f"Sentence of {code}.", button)


def test_each_action_of_the_protocol_has_a_button():
    assert set(BUTTON_OF_ACTION) == set(ACTIONS)


def test_an_action_of_a_newer_service_still_has_a_button():
    error = ProxyError("brand_new", "Something new.", action="dance")
    shown = describe(replace(failed(), error_code=error.code, error_action=error.action, error_message=error.message))
    assert (shown.sentence, shown.button) == ("Something new.", "copy")


def test_a_failure_without_an_action_asks_for_nothing():
    shown = describe(replace(failed(), state="disconnected", error_code="replaced", error_action=""))
    assert (shown.kind, shown.button) == ("info", "")


def test_a_link_that_works_says_nothing():
    assert describe(CONNECTED) == Status("", "", "", "synchronize")


def test_a_consent_that_has_ended_by_its_date_asks_for_a_new_one():
    assert describe(replace(CONNECTED, has_consent_ended=True)) == Status("", "", "", "renew")


@pytest.mark.parametrize("code", ["institution_unavailable", "consent_expired", "challenge_required"])
def test_without_a_connection_only_reconnect_helps(code):
    assert describe(failed(code, has_connection=False)).button == "reconnect"


def test_a_bank_that_is_not_connected_says_so():
    shown = describe(DISCONNECTED)
    assert "not connected" in shown.sentence
    assert (shown.kind, shown.button) == ("info", "reconnect")


def test_a_connection_of_an_earlier_module_says_what_it_is():
    shown = describe(replace(DISCONNECTED, is_legacy=True))
    assert "earlier module" in shown.sentence
    assert shown.button == "reconnect"


@pytest.mark.parametrize(("is_embedded", "button"), [(True, "reconnect"), (False, "")])
def test_a_neutralized_copy_offers_only_a_button_that_works(is_embedded, button):
    copy = replace(DISCONNECTED, is_neutralized=True, is_embedded=is_embedded, error_message="Sentence.")
    shown = describe(copy)
    assert "copy for tests" in shown.sentence
    assert (shown.kind, shown.button) == ("info", button)


@pytest.mark.parametrize(("by_support", "button"), [(False, "reactivate"), (True, "copy")])
def test_a_database_that_support_has_blocked_is_not_offered_reactivate(by_support, button):
    shown = describe(failed("client_blocked", is_blocked_by_support=by_support, service_reason="Many wrong codes."))
    assert (shown.hint, shown.button) == ("Message from the connection service: Many wrong codes.", button)


def test_a_rate_limit_says_when_it_ends_and_offers_no_button_that_would_fail():
    shown = describe(failed("rate_limited", retry_at=LATER))
    assert (shown.hint, shown.button) == ("Available again from 2026-05-20 11:00:00.", "")
    assert shown.hint.parameters == {"moment": LATER}


def test_a_rate_limit_keeps_a_button_that_does_not_ask_the_bank():
    assert describe(failed("no_service", retry_at=LATER)).button == "settings"


def test_the_button_is_back_once_a_rate_limit_has_ended():
    assert describe(failed("rate_limited", retry_at=NOW)).button == "synchronize"
    assert is_rate_limited("retry", LATER, NOW)
    assert not is_rate_limited("retry", NOW, NOW)
    assert not is_rate_limited("renew", LATER, NOW)


def test_a_bank_that_is_down_names_the_next_attempt():
    assert "Next attempt at 2026-05-20 11:00:00" in describe(failed(next_refresh=LATER)).hint
    assert "in a moment" in describe(failed(next_refresh=NOW)).hint


@pytest.mark.parametrize("facts", [{"auto_sync": False}, {"state": "disconnected"}, {"next_refresh": None}])
def test_no_attempt_is_promised_where_none_follows(facts):
    assert describe(failed(**{"next_refresh": LATER, **facts})).hint == ""


def test_refused_accounts_are_named_with_the_button_of_the_first():
    refusals = (("account_refused", "Savings: closed."), ("period_refused", "Card: no history."))
    expected = Status("danger", "Savings: closed.\nCard: no history.", "", "leave_out")
    assert describe(replace(CONNECTED, refusals=refusals, service_notes="Old data.")) == expected


@pytest.mark.parametrize(("code", "button"), [("unknown_account", "credentials"), ("period_refused", "copy")])
def test_each_refusal_of_an_account_has_its_button(code, button):
    assert describe(replace(CONNECTED, refusals=((code, "Sentence."),))).button == button


def test_notes_of_the_service_are_a_warning_and_leave_the_button():
    assert describe(replace(CONNECTED, service_notes="Old data.")) == Status("warning", "Old data.", "", "synchronize")
