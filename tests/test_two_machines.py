"""Two machines with one database behind the nginx of deploy/: whatever arrives where, and one of them is killed."""

import hashlib
import hmac
import json
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lxml import html

from environment import ports

from .books import assert_booked_since, assert_books_equal_the_bank
from .conftest import a_copy_of_the_template, confirm_phone
from .machines import a_cluster, configure, nginx, wait_until
from .remote import TIMEOUT, register
from .sms_gateway import SmsGateway
from .test_demo_bank import connect

CLIENTS = 6
BACK = "https://db.example/back"
CONNECTED = """
institution = env["bank.sync.institution"]._find("sandbox.demo")
client = env["bank.sync.client"].search([("identifier", "=", {client!r})])
values = {{"client_id": client.id, "institution_id": institution.id, "state": "connected"}}
env["bank.sync.connection"].create([{{**values, "provider_reference": f"told-{{n}}"}} for n in range({number})])
result = env["bank.sync.provider"].search([("code", "=", "sandbox")])._adapter().settings["webhook_secret"]
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with a_cluster(tmp_path_factory.mktemp("machines")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def remote(cluster):
    """A database elsewhere with a connection; it knows the proxy by nginx's address."""
    cluster.machines[0].url, direct = cluster.url, cluster.machines[0].url
    remote = register(cluster.machines[0], with_connection=True)
    cluster.machines[0].url = direct
    return remote


@pytest.fixture(autouse=True)
def both_run(cluster):
    """Whatever a test does to a machine, the next one begins with two."""
    yield
    for machine in cluster.machines:
        if machine.server.poll() is not None:
            machine.start()
    # nginx leaves a machine out for a while after it has failed.
    served = [len(machine.log()) for machine in cluster.machines]
    deadline = time.monotonic() + 60
    while any(len(machine.log()) == before for machine, before in zip(cluster.machines, served, strict=True)):
        assert time.monotonic() < deadline, "a machine gets no requests"
        requests.get(f"{cluster.url}/bank_sync/health", timeout=TIMEOUT)


def form_of(page, **values):
    """:return: what a browser sends when these fields of the page's form are filled in"""
    form = next(form for form in html.fromstring(page.text).forms if "csrf_token" in form.fields)
    return {**dict(form.form_values()), **values}


def walk_through_the_pages(cluster, remote, institution, browser=None):
    """A browser without JavaScript connects a bank.

    :param browser: that sends the requests
    :return: id of the connection
    """
    status, started = remote.ask("connections.start", institution_id=institution, return_url=BACK)
    assert status == 200, started
    browser = browser or requests.Session()
    page = browser.get(urljoin(cluster.url, started["page_url"]), timeout=TIMEOUT)
    if institution.endswith("redirect"):
        bank = browser.get(page.url.partition("?")[0] + "/bank", timeout=TIMEOUT)
        form = {**dict(parse_qsl(urlsplit(bank.url).query)), "user": "demo", "decision": "approve"}
        page = browser.post(bank.url.partition("?")[0], data=form, timeout=TIMEOUT)
        assert BACK in page.text
        return started["connection_id"]
    page = browser.post(page.url, data=form_of(page, user="demo", password="demo"), timeout=TIMEOUT)
    done = browser.post(page.url, data=form_of(page), timeout=TIMEOUT, allow_redirects=False)
    assert done.headers["Location"].startswith(BACK)
    return started["connection_id"]


@pytest.mark.parametrize("institution", ["sandbox.demo", "sandbox.demo-redirect"], ids=["forms", "banks_own_page"])
def test_pages_of_a_visit_may_be_shown_by_either_machine(cluster, remote, institution):
    before = [len(machine.log()) for machine in cluster.machines]
    connection = walk_through_the_pages(cluster, remote, institution)
    assert remote.ask("connections.get", connection_id=connection)[1]["connection"]["state"] == "connected"
    for machine, start in zip(cluster.machines, before, strict=True):
        assert "/bank_sync/visit/" in machine.log()[start:], "this machine has shown no page of the visit"


def test_request_that_one_machine_has_answered_is_refused_by_the_other(cluster, remote):
    url, headers, body = remote.signed("institutions.search", {"query": "demo"})
    answers = [
        requests.post(url.replace(cluster.url, machine.url), data=body, headers=headers, timeout=TIMEOUT)
        for machine in cluster.machines
    ]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[1].json()["error"]["code"] == "request_replayed"


def test_metrics_and_back_office_are_not_for_the_world(cluster):
    assert requests.get(f"{cluster.url}/bank_sync/metrics", timeout=TIMEOUT).status_code == 404
    for machine in cluster.machines:
        assert "bank_sync_connections" in requests.get(f"{machine.url}/bank_sync/metrics", timeout=TIMEOUT).text


def test_tickets_and_codes_are_not_in_the_log_of_nginx(cluster, remote):
    ticket = remote.ask("connections.start", institution_id="sandbox.demo", return_url=BACK)[1]
    requests.get(urljoin(cluster.url, ticket["page_url"]), timeout=TIMEOUT)
    token = ticket["page_url"].rsplit("/", 1)[1]
    assert token not in cluster.log()
    assert "/bank_sync/connect/..." in cluster.log()


def send_webhook(cluster, secret, reference):
    """The Demo Bank says that a connection has new transactions.

    :return: nginx's answer
    """
    body = json.dumps({"events": [{"kind": "transactions.new", "reference": reference}]}).encode()
    moment = int(time.time())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Demo-Bank-Signature": f"t={moment},v1={digest}", "Content-Type": "application/json"}
    return requests.post(f"{cluster.url}/bank_sync/webhook/sandbox", data=body, headers=headers, timeout=TIMEOUT)


# -------------------------------------------------------------------------
# ONE IS KILLED
# -------------------------------------------------------------------------


class Asking:
    """Databases that send requests continuously, and repeat each one that was not answered; counts them."""

    def __init__(self, ask, until):
        """
        :param ask: callable(number) that asks once and returns the answer, None where there was none
        :param until: callable that says whether it is enough
        """
        self._ask, self._until = ask, until
        self.answers, self.retries, self.lost = [], 0, 0
        self._lock = threading.Lock()

    def go(self, number):
        while not self._until():
            answer = self._ask(number)
            if answer is None:
                with self._lock:
                    self.retries += 1
                answer = self._ask(number)
            with self._lock:
                self.answers.append(answer)
                self.lost += answer is None


def kill_in_the_middle(cluster, ask):
    """One machine is killed while all clients send requests, which continue for a while.

    :return: :class:`Asking`
    """
    victim = cluster.machines[0]
    enough = threading.Event()
    asking = Asking(ask, enough.is_set)
    with ThreadPoolExecutor(CLIENTS) as threads:
        running = [threads.submit(asking.go, number) for number in range(CLIENTS)]
        try:
            wait_until(lambda: len(asking.answers) >= 3 * CLIENTS)
            victim.kill()
            after = len(asking.answers)
            wait_until(lambda: len(asking.answers) >= after + 5 * CLIENTS)
        finally:
            enough.set()
        for one in running:
            one.result()
    return asking


def or_none(post):
    """:return: the answer of an HTTP request; None if nginx reports that no machine has answered"""
    answer = post()
    return None if answer.status_code in (502, 504) else answer


def request(remote, operation, **payload):
    """:return: callable(number) that asks once; it returns the answer, None where no machine has answered"""

    def ask(_number=None):
        url, headers, body = remote.signed(operation, payload)
        answer = or_none(partial(requests.post, url, data=body, headers=headers, timeout=TIMEOUT))
        return answer and answer.json()

    return ask


def test_database_gets_the_same_answers_while_a_machine_is_killed(cluster, remote):
    connection = remote.made["connection"]
    (account, *_others) = remote.ask("accounts.list", connection_id=connection)[1]["accounts"]
    ask = request(remote, "transactions.list", connection_id=connection, account_id=account["id"])
    expected = ask()
    assert expected["transactions"]
    asking = kill_in_the_middle(cluster, ask)
    assert asking.lost == 0
    assert asking.retries <= CLIENTS, "each client notices at most one retry"
    assert all(answer == expected for answer in asking.answers)


def test_webhooks_are_all_taken_while_a_machine_is_killed(cluster, remote):
    number = 300
    secret = cluster.machines[1].shell(CONNECTED.format(client=remote.client, number=number))
    told, numbers, lock = set(), iter(range(number)), threading.Lock()

    def tell(_number):
        with lock:
            one = next(numbers)
        for _attempt in range(2):
            if or_none(partial(send_webhook, cluster, secret, f"told-{one}")):
                told.add(one)
                return True
        return None

    asking = kill_in_the_middle(cluster, tell)
    assert asking.lost == 0 and len(told) > 8 * CLIENTS
    events = cluster.machines[1].sql(
        "SELECT c.provider_reference, count(*) FROM bank_sync_event e JOIN bank_sync_connection c"
        " ON c.id = e.connection_id WHERE c.provider_reference LIKE 'told-%' GROUP BY 1"
    )
    assert {name for name, _count in events} == {f"told-{one}" for one in told}


def test_visit_continues_at_the_other_machine(cluster, remote):
    started = remote.ask("connections.start", institution_id="sandbox.demo", return_url=BACK)[1]
    browser = requests.Session()
    page = browser.get(urljoin(cluster.url, started["page_url"]), timeout=TIMEOUT)
    cluster.machines[0].kill()
    send = partial(browser.post, page.url, data=form_of(page, user="demo", password="demo"), timeout=TIMEOUT)
    page = or_none(send) or send()
    assert page.status_code == 200 and "accounts" in form_of(page)


def test_addresses_are_not_in_the_log_of_nginx_when_a_machine_does_not_answer(cluster, remote):
    started = remote.ask("connections.start", institution_id="sandbox.demo", return_url=BACK)[1]
    cluster.machines[0].kill()
    for _time in range(4):
        requests.get(urljoin(cluster.url, started["page_url"]), timeout=TIMEOUT)
    assert started["page_url"].rsplit("/", 1)[1] not in cluster.log()


def test_killed_machine_leaves_no_lock_behind(cluster, remote):
    """Of its sessions in PostgreSQL nothing is left that others would wait for."""
    other = cluster.machines[1]
    other.sql(f"UPDATE bank_sync_provider SET max_concurrent = {CLIENTS} WHERE code = 'sandbox'")
    ask = request(remote, "accounts.list", connection_id=remote.made["connection"])
    assert kill_in_the_middle(cluster, ask).lost == 0
    database = f"SELECT oid FROM pg_database WHERE datname = '{other.name}'"
    locks = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = ({database})"
    wait_until(lambda: other.sql(locks) == [["0"]])
    assert "accounts" in ask()


@pytest.fixture
def company(cluster):
    """A company with books on a separate server, which reaches the proxy at nginx's address."""
    with SmsGateway() as gateway, a_copy_of_the_template("account_online_synchronization") as company:
        machine = cluster.machines[1]
        machine.set_parameters(sms__endpoint=gateway.url, bank_sync_proxy__allow_private_addresses="1")
        company.prepare_company()
        company.start()
        company.ask(replace(machine, url=cluster.url, sms_gateway=gateway, server=None))
        yield company


@pytest.mark.thorough
def test_books_hold_what_the_bank_has_although_a_machine_was_killed_during_the_load(cluster, company):
    confirm_phone(company)
    connect(company, "Demo Bank")
    assert assert_books_equal_the_bank(company) > 300
    company.move_demo_clock(24 * 8)
    frozen, other = cluster.machines
    frozen.freeze()
    before = len(other.log())
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(company.run_scheduled_action)
        # Every second request hangs at the frozen machine.
        wait_until(lambda: "/bank_sync/1/" in other.log()[before:] or running.done())
        frozen.kill()
        running.result()
    company.run_scheduled_action()
    assert_booked_since(company)
    assert company.sql("SELECT state, error_code FROM account_online_link") == [["connected", ""]]


# -------------------------------------------------------------------------
# THE FILE OF DEPLOY/
# -------------------------------------------------------------------------


def certificate(folder):
    """:return: paths of a certificate and its key"""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "proxy.example.com")]), datetime.now(timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    paths[1].write_bytes(key.private_bytes(*form))
    return paths


def test_nginx_takes_the_shipped_file(tmp_path):
    public, private = certificate(tmp_path)
    changes = {
        # Why not 443: nginx tries to listen, also when it only tests, and for that it would need rights.
        "listen": f"listen 127.0.0.1:{ports.any_free()} ssl;",
        "ssl_certificate ": f"ssl_certificate {public};",
        "ssl_certificate_key": f"ssl_certificate_key {private};",
        "access_log": f"access_log {tmp_path}/access.log bank_sync;",
        "error_log": f"error_log {tmp_path}/bank_sync_error.log crit;",
    }
    command = [nginx(), "-t", "-p", tmp_path, "-e", tmp_path / "error.log", "-c", configure(tmp_path, changes)]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr
