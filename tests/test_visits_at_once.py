"""A ticket lets one browser in and a state serves once, however many come together, and to whichever process."""

import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from .conftest import a_copy_of_the_template
from .remote import TIMEOUT

COPIES = 8
ROUNDS = 4


@pytest.fixture(scope="module", params=[0, 4], ids=["threads", "processes"])
def proxy(request):
    with a_copy_of_the_template() as copy:
        copy.start(workers=request.param)
        copy.set_parameters(web__base__url=copy.url)
        yield copy


def start(proxy, institution):
    """:return: whole address of a ticket"""
    return proxy.url + proxy.shell(
        "client = env['bank.sync.client']._get_embedded()\n"
        "answer = env['bank.sync.api']._dispatch(client, 'connections.start', "
        f"{{'return_url': '/back', 'institution_id': 'sandbox.{institution}'}})\n"
        "result = answer['page_url']"
    )


def at_once(*acts):
    """Do things at the same moment, each in a separate thread.

    :return: list of what they return
    """
    together = threading.Barrier(len(acts))

    def do(act):
        together.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(do, acts))


def get(session, url):
    return session.get(url, timeout=TIMEOUT, allow_redirects=False)


def status(session, url):
    return get(session, url).status_code


def new_browser(ticket):
    """:return: a browser that has got its key, and the address at which it shows the ticket"""
    session = requests.Session()
    given = get(session, ticket)
    return session, urlsplit(ticket)._replace(query=urlsplit(given.headers["Location"]).query).geturl()


def test_of_browsers_that_come_together_one_is_let_in(proxy):
    for _round in range(ROUNDS):
        ticket = start(proxy, "demo")
        browsers = [new_browser(ticket) for _number in range(COPIES)]
        answers = at_once(*(partial(status, *one) for one in browsers))
        assert Counter(answers) == {303: 1, 410: COPIES - 1}


def test_of_ways_back_from_the_bank_that_come_together_one_connects(proxy):
    for _round in range(ROUNDS):
        session, address = new_browser(start(proxy, "demo-redirect"))
        page = proxy.url + get(session, address).headers["Location"]
        bank = get(session, f"{page}/bank").headers["Location"]
        asked = dict(parse_qsl(urlsplit(bank).query))
        form = {**asked, "user": "demo", "decision": "approve"}
        sent = session.post(bank.partition("?")[0], data=form, timeout=TIMEOUT, allow_redirects=False)
        back = sent.headers["Location"]
        back = back if back.startswith("http") else proxy.url + back
        before = done(proxy)
        answers = at_once(*[partial(status, session, back)] * COPIES)
        assert Counter(answers)[303] == 1, answers
        assert set(answers) <= {303, 404, 410}
        assert done(proxy) == before + 1


def done(proxy):
    return int(proxy.sql("SELECT count(*) FROM bank_sync_visit WHERE state = 'done'")[0][0])


def test_webhooks_that_come_together_end_as_events_of_one_connection(proxy):
    secret, reference = proxy.shell(
        "provider = env['bank.sync.provider'].search([('code', '=', 'sandbox')])\n"
        "provider._ensure_settings()  # a copy of a database has secrets of its own\n"
        "institution = env['bank.sync.institution']._find('sandbox.demo')\n"
        "client = env['bank.sync.client']._get_embedded()\n"
        "env['bank.sync.connection'].create({'client_id': client.id, 'institution_id': institution.id,"
        " 'state': 'connected', 'provider_reference': 'at-once'})\n"
        "result = [provider._adapter().settings['webhook_secret'], 'at-once']"
    )
    body = json.dumps({"events": [{"kind": "transactions.new", "reference": reference}]}).encode()
    moment = int(time.time())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Demo-Bank-Signature": f"t={moment},v1={digest}", "Content-Type": "application/json"}
    post = partial(requests.post, f"{proxy.url}/bank_sync/webhook/sandbox", data=body, headers=headers, timeout=TIMEOUT)
    assert {answer.status_code for answer in at_once(*[post] * COPIES)} == {204}
    connections = proxy.sql("SELECT count(DISTINCT connection_id) FROM bank_sync_event WHERE kind = 'transactions.new'")
    assert connections == [["1"]]
