"""What the status of a failed answer means without any code in it: one table for all adapters.

401 says that the other side does not accept who we are, 403 that it does, but not what was asked for: the sentence of
the first must not ask for new credentials after the second, nor the other way round.
"""

from datetime import timedelta

import pytest

from bank_sync_proxy.providers import history
from bank_sync_proxy.providers.errors import CODES as SENTENCES
from bank_sync_proxy.providers.errors import ConsentError
from bank_sync_proxy.providers.http import Answer
from bank_sync_proxy.tests.pure.contract import CODES, NOW, scripted
from bank_sync_proxy.tests.pure.scripted import Case

#: (of 401, of 403) by adapter. The keys belong to the proxy's administrator,
THE_PROXYS = ("provider_not_configured", "provider_not_configured")
#: or to the user.
THE_USERS = ("credentials_rejected", "permission_missing")
AUTHENTICATION = {
    **dict.fromkeys(("enable_banking", "fints", "gocardless", "plaid", "salt_edge", "yodlee"), THE_PROXYS),
    **dict.fromkeys(("bunq", "mollie", "paypal", "qonto", "stripe"), THE_USERS),
    # A token is refused when its consent has ended.
    "revolut_business": ("consent_revoked", "permission_missing"),
    # 403: the account was taken out of the integration. https://documentation.ibanity.com/ponto-connect/api
    "ponto": ("credentials_rejected", "consent_revoked"),
    # 403: the access was disabled. https://www.simplefin.org/protocol.html
    "simplefin": ("provider_not_configured", "consent_revoked"),
    # 403: the certificate, which is the proxy's, is missing.
    "teller": ("consent_revoked", "provider_not_configured"),
}
#: Those that name the bank as the reason.
OF_THE_BANK = {("gocardless", 500), ("gocardless", 503)}
IN_VAIN = ("Renew", "Update Credentials", "credentials")


@pytest.fixture
def script(code):
    with scripted(code) as script:
        yield script


def code_of(script, status, body=b"{}"):
    return script.adapter.parse_error(Answer(status, {"Content-Type": "application/json"}, body)).code


@pytest.mark.parametrize("code", CODES)
def test_a_status_has_one_meaning_for_each_adapter(script):
    assert (code_of(script, 401), code_of(script, 403)) == AUTHENTICATION[script.code]
    assert code_of(script, 429) == "rate_limited"
    for status in (500, 502, 503, 504):
        ours = "institution_unavailable" if (script.code, status) in OF_THE_BANK else "provider_unavailable"
        assert code_of(script, status) == ours


def test_all_adapters_are_in_the_table():
    assert set(AUTHENTICATION) == set(CODES)


@pytest.mark.parametrize(
    "name", ["permission_missing", "provider_not_configured", "rate_limited", "provider_unavailable"]
)
def test_a_sentence_asks_for_no_credentials_where_they_are_not_to_blame(name):
    sentence = SENTENCES[name]
    assert sentence.action not in ("renew", "reconnect")
    assert not any(word in sentence.connecting for word in IN_VAIN)
    assert not any(word in sentence.sentence.partition("Renew only if")[0] for word in IN_VAIN)


@pytest.mark.parametrize("code", ["revolut_business", "qonto"])
def test_a_plan_that_reads_only_the_last_days_is_asked_for_those(script, code):
    """Such as Revolut's Freelancer plan, 5 minutes after the consent."""
    asked = answer_by_day(script, lambda since: since >= NOW.date() - timedelta(days=89))
    page = script.adapter.transactions(script.state, script.account, since=NOW.date() - timedelta(days=400))
    assert page.history_days == max(history.RUNGS)
    assert len(asked) == 2


@pytest.mark.parametrize("code", ["revolut_business", "qonto"])
def test_a_permission_that_is_missing_altogether_says_nothing_about_the_history(script, code):
    answer_by_day(script, lambda since: False)
    with pytest.raises(ConsentError) as caught:
        script.adapter.transactions(script.state, script.account, since=NOW.date() - timedelta(days=400))
    assert (caught.value.code, caught.value.history_days) == ("permission_missing", None)


def answer_by_day(script, is_allowed):
    """Answer requests for transactions with 403 unless their period is allowed.

    :return: list of requested first days, which grows
    """
    asked, exchanges = [], Case(script.code, "empty").exchanges
    listed = exchanges[-1]["ask"].split(" ")[1].split("?")[0]
    read_page = script.adapter.read_page

    def note(*arguments, since=None, **named):
        asked.append(since)
        return read_page(*arguments, since=since, **named)

    def find(request):
        if request.path != f"{script.server.prefix}{listed}":
            return exchanges[0]
        if asked[-1] and is_allowed(asked[-1]):
            return exchanges[-1]
        return {"ask": "", "status": 403, "answer": {}}

    script.adapter.read_page = note
    script.server._next, script.server._compare = find, lambda exchange, request: None
    return asked
