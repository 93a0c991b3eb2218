"""Codes to phones: real messages to a gateway over HTTP, and many requests at the same time."""

import pytest

from .sms_gateway import SmsGateway

PHONE = "+32470123456"

#: ``ask`` does what a worker does with a request: a separate transaction, which Odoo retries after a conflict.
BEGIN = """
import threading
from odoo import SUPERUSER_ID, api
from odoo.service.model import retrying

def ask(client, operation, _began=None, **payload):
    with env.registry.cursor() as cr:
        own = api.Environment(cr, SUPERUSER_ID, {{}})
        record = own["bank.sync.client"].search([("identifier", "=", client)])
        if _began:
            _began()
        answer = retrying(lambda: own["bank.sync.api"]._dispatch(record, operation, payload), own)
    return answer.get("error", {{}}).get("code") or answer

def ask_together(requests):
    # Nobody goes on before all have begun their transactions, so none of them sees what another one does.
    answers, barrier = [], threading.Barrier(len(requests), timeout=60)
    def worker(client, operation, payload):
        answers.append(ask(client, operation, _began=barrier.wait, **payload))
    threads = [threading.Thread(target=worker, args=request) for request in requests]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return answers

def register(number=0):
    about = {{"name": f"Books {{number}}", "url": "https://books.example.com"}}
    about["database_uuid"] = f"books-0000-{{number}}"
    client = env["bank.sync.client"]._register_database(about)["client_id"]
    env.cr.commit()  # workers have to see it
    return client

env["ir.config_parameter"].set_param("sms.endpoint", {gateway!r})
env["ir.config_parameter"].set_param("bank_sync_proxy.suspicion_code", "0/60")
env["iap.account"].get("sms")
env["bank.sync.phone.code"].search([]).unlink()
env.cr.commit()
"""

VERIFY = """
client = register()
result = [client, ask(client, "clients.verify_phone", phone={phone!r})]
"""

CONFIRM = "result = ask({client!r}, 'clients.verify_phone', code={code!r})"

GUESS = """
guesses = [code for code in (f"{{number:06}}" for number in range(20)) if code != {code!r}][:8]
answers = ask_together([({client!r}, "clients.verify_phone", {{"code": code}}) for code in guesses])
env.cr.rollback()
result = [answers, env["bank.sync.phone.code"].search([]).attempts]
"""

SEND_TOGETHER = """
clients = [register(number) for number in range({clients})]
askers = [clients[number % {clients}] for number in range(6)]
result = ask_together([(client, "clients.verify_phone", {{"phone": {phone!r}}}) for client in askers])
"""

SEND_AFTER_ANOTHER = """
first, second = register(1), register(2)
result = []
began = lambda: result.append(ask(first, "clients.verify_phone", phone={phone!r})["sent"])
result.append(ask(second, "clients.verify_phone", _began=began, phone={phone!r}))
"""


@pytest.fixture
def gateway():
    with SmsGateway(latency=0.2) as gateway:
        yield gateway


@pytest.fixture
def run(company, gateway, tmp_path):
    """:return: function that runs a script at the proxy, and gives its result and all that the proxy printed"""

    def run(script, **values):
        begin = BEGIN.format(gateway=gateway.url)
        return company.shells([begin + script.format(phone=PHONE, **values)], tmp_path)[0]

    return run


def test_a_code_travels_through_the_gateway_and_confirms_the_number(run, gateway, company):
    (client, answer), printed = run(VERIFY)
    assert answer == {"state": "phone_required", "sent": True, "phone_hint": "•••• 56", "retry_after": 60}
    (text,) = gateway.sent_to(PHONE)
    assert "Odoo database Books 0" in text
    assert company.sql("SELECT count(*) FROM sms_sms") == [["0"]]
    code = gateway.code_for(PHONE)
    assert PHONE[3:] not in printed
    assert code not in printed
    script = "env['bank.sync.api']._dispatch(env['bank.sync.client'].search([('identifier', '=', '{}')]), '{}', {})"
    client_asks = script.format(client, "clients.verify_phone", {"code": code})
    assert company.shell(f"result = {client_asks}") == {"state": "active"}


@pytest.mark.parametrize("state", ["insufficient_credit", "unregistered", "wrong_number_format", "server_error"])
def test_a_gateway_that_refuses_is_a_clear_answer_and_leaves_no_message(run, gateway, company, state):
    gateway.state = state
    (_client, answer), _printed = run(VERIFY)
    assert answer == "sms_unavailable"
    assert company.sql("SELECT count(*) FROM sms_sms") == [["0"]]


def test_guesses_at_the_same_time_get_no_more_attempts(company, gateway, tmp_path, run):
    (client, _answer), _printed = run(VERIFY)
    begin = BEGIN.format(gateway=gateway.url).replace('env["bank.sync.phone.code"].search([]).unlink()\n', "")
    guess = begin + GUESS.format(client=client, code=gateway.code_for(PHONE))
    ((answers, attempts), printed) = company.shells([guess], tmp_path)[0]
    assert "could not serialize access" in printed, "they were not at the same time"
    assert answers.count("code_rejected") == attempts == 5
    assert set(answers) == {"code_rejected", "code_expired"}
    confirm = begin + CONFIRM.format(client=client, code=gateway.code_for(PHONE))
    assert company.shell(confirm) == "code_expired"


@pytest.mark.parametrize("clients", [1, 6])
def test_requests_at_the_same_time_send_one_message(run, gateway, clients):
    answers, printed = run(SEND_TOGETHER, clients=clients)
    assert answers.count("too_many_requests") == 5
    assert len(gateway.sent_to(PHONE)) == 1
    assert PHONE[3:] not in printed


def test_a_request_that_began_before_another_one_sent_sends_nothing(run, gateway):
    answers, printed = run(SEND_AFTER_ANOTHER)
    assert answers == [True, "too_many_requests"]
    assert len(gateway.sent_to(PHONE)) == 1
    assert PHONE[3:] not in printed
