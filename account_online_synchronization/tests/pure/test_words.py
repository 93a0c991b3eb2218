import ast
from pathlib import Path

import pytest

from odoo.addons.bank_sync_common.tools.words import Sentence, _lt

from account_online_synchronization.client.client import ProxyClient
from account_online_synchronization.client.errors import ProxyError, ServiceUnavailable
from account_online_synchronization.client.transport import EmbeddedTransport

ADDON = Path(__file__).parents[2]
PURE = [path for folder in ("client", "sync") for path in sorted((ADDON / folder).glob("*.py"))]


def in_french(sentence):
    known = {"Nobody listens at %(address)s.": "Personne n’écoute à %(address)s."}
    return known[sentence.source] % sentence.parameters if isinstance(sentence, Sentence) else sentence


def client(dispatch, **settings):
    return ProxyClient(EmbeddedTransport(dispatch), translate=in_french, **settings)


def test_a_sentence_can_be_said_in_another_language_with_what_was_filled_in():
    sentence = _lt("Nobody listens at %(address)s.", address="https://b.example")
    assert sentence == "Nobody listens at https://b.example."
    assert in_french(sentence) == "Personne n’écoute à https://b.example."


def test_percent_signs_of_what_is_filled_in_stay_as_they_are():
    assert _lt("At %(address)s.", address="https://b.example/%20s") == "At https://b.example/%20s."


def test_a_connection_failure_is_reported_in_the_readers_language():
    def nobody(_operation, _payload):
        raise ServiceUnavailable(_lt("Nobody listens at %(address)s.", address="b.example"))

    with pytest.raises(ServiceUnavailable) as caught:
        client(nobody).get_status()
    assert caught.value.message == "Personne n’écoute à b.example."


def test_what_the_proxy_says_itself_is_not_translated_again():
    with pytest.raises(ProxyError) as caught:
        client(lambda *_request: {"error": {"code": "x", "message": "Déjà en français."}}).get_status()
    assert caught.value.message == "Déjà en français."


def test_each_request_says_the_readers_language():
    heard = []

    def dispatch(operation, payload):
        heard.append((operation, payload.get("language")))
        return {"state": "active", "accounts": []}

    asking = client(dispatch, language="fr_BE").recorded_by(None).without_transaction()
    asking.get_status()
    asking.list_accounts("c")
    asking.verify_phone(phone="+3212", language="nl_BE")
    assert heard == [("clients.status", "fr_BE"), ("accounts.list", "fr_BE"), ("clients.verify_phone", "nl_BE")]


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_sentence_of_a_failure_is_out_of_translators_sight(path):
    """Raised sentences are ``_lt("…")``, without f-strings, which no translator would ever be asked about."""
    failures = ("BadAddress", "BadTransaction", "ServiceUnavailable", "ProxyError")
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    for call in calls:
        name = call.func.id if isinstance(call.func, ast.Name) else None
        texts = [a for a in call.args if isinstance(a, ast.JoinedStr)] if name in (*failures, "_lt") else []
        plain = (
            [a for a in call.args if isinstance(a, ast.Constant) and " " in str(a.value)] if name in failures else []
        )
        assert not texts + plain, f"{path.name}:{call.lineno}"
