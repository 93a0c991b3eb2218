"""Quirks of Qonto; what all adapters do is in test_contract."""

import pytest

from bank_sync_proxy.providers.qonto import REFUSED_KEYS
from bank_sync_proxy.tests.pure.contract import NOW
from bank_sync_proxy.tests.pure.qonto_server import QontoScript
from bank_sync_proxy.tests.pure.scripted import Case

PAGE = Case("qonto", "empty").exchanges[0]


@pytest.fixture
def script():
    script = QontoScript()
    yield script
    script.server.close()
    script.server.check_all()


def test_amounts_are_made_of_cents(script):
    row = {**Case("qonto", "same_id_twice").exchanges[0]["answer"]["transactions"][0], "amount": 0.30000000000000004}
    row |= {"amount_cents": 30, "side": "debit"}
    script.server.expect([{**PAGE, "answer": {"transactions": [row], "meta": {"next_page": None}}}])
    assert str(script.pages()[0].transactions[0].amount) == "-0.30"


@pytest.mark.parametrize(
    "answers", [{"login": "x"}, {"login": "", "secret_key": "y"}, {"login": "x", "secret_key": "ü"}]
)
def test_half_a_key_is_not_sent(script, answers):
    assert script.walk(answers=answers).error == REFUSED_KEYS
    assert not script.server.asked


def test_label_on_an_old_transaction_is_not_a_change(script):
    script.play("paging")
    pages = script.pages(since=NOW.date().replace(day=10))
    assert "labelled" not in [transaction.id for page in pages for transaction in page.transactions]


def test_the_sandbox_wants_its_token(script):
    script.settings = {"staging_token": "s3cret-of-staging"}
    script.adapter = script.new_adapter()
    script.server.check = lambda request: seen.append(request.headers["X-Qonto-Staging-Token"])
    seen = []
    script.play("empty")
    script.pages()
    assert seen == ["s3cret-of-staging"]


def test_a_new_id_under_the_same_iban_is_the_same_account(script):
    script.play("renewal")
    completed = script.walk("renew")
    assert [entry["id"] for entry in completed.state["accounts"].values()] == ["new-2", "new-1"]
