"""A proxy of two machines is updated while it serves, in the steps of docs/proxy_operation.md, "Upgrades".

The older release is the code of this clone, the newer one the same code with everything that a release may add. So the
test needs no history, and shows that today's code can be the older one when the next release comes.
"""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
import requests

from environment import paths

from .books import assert_booked_since, assert_books_equal_the_bank
from .conftest import PROXY_SERVER, a_copy_of_the_template, confirm_phone
from .machines import a_cluster, wait_until
from .remote import TIMEOUT, register
from .sms_gateway import SmsGateway
from .test_demo_bank import connect
from .test_two_machines import CONNECTED, send_webhook, walk_through_the_pages

pytestmark = pytest.mark.thorough

#: The command of the manual.
UPDATE = ("-u", "bank_sync_common,bank_sync_proxy,bank_sync_proxy_server", "--no-http", "--stop-after-init")
WEBHOOKS = 2000
#: What a release may add: columns and indexes of tables that each request uses, a table, a scheduled action, an answer.
NEXT_MODELS = """
from odoo import api, fields, models


class BankSyncClient(models.Model):
    _inherit = "bank.sync.client"

    next_note = fields.Char()


class BankSyncConnection(models.Model):
    _inherit = "bank.sync.connection"

    next_note = fields.Char(index="btree_not_null")
    next_ids = fields.One2many("bank.sync.next", "connection_id")
    _next_index = models.Index("(client_id, next_note)")

    def _cron_of_the_next_release(self):
        self.env["ir.config_parameter"].set_param("bank_sync_proxy.next_release", "runs")


class BankSyncEvent(models.Model):
    _inherit = "bank.sync.event"

    next_moment = fields.Datetime(index=True)


class BankSyncNext(models.Model):
    _name = "bank.sync.next"
    _description = "Table of the Next Release"

    connection_id = fields.Many2one("bank.sync.connection", index=True, ondelete="cascade")


class BankSyncApi(models.AbstractModel):
    _inherit = "bank.sync.api"

    @api.model
    def _dispatch(self, *arguments, **options):
        return {**super()._dispatch(*arguments, **options), "next_release": True}
"""
NEXT_DATA = """
<odoo noupdate="1">
    <record id="ir_cron_of_the_next_release" model="ir.cron">
        <field name="name">Bank Synchronization Proxy: Next Release</field>
        <field name="model_id" ref="bank_sync_proxy.model_bank_sync_connection"/>
        <field name="state">code</field>
        <field name="code">model._cron_of_the_next_release()</field>
        <field name="interval_number">1</field>
        <field name="interval_type">hours</field>
    </record>
</odoo>
"""
NEXT_ACCESS = "access_bank_sync_next,next,model_bank_sync_next,base.group_system,1,0,0,0\n"


@pytest.fixture(scope="module")
def next_release(tmp_path_factory):
    """:return: folder with the addons of the next release"""
    folder = tmp_path_factory.mktemp("next_release")
    for addon in ("bank_sync_common", *PROXY_SERVER):
        shutil.copytree(paths.ROOT / addon, folder / addon, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    addon = folder / "bank_sync_proxy"
    (addon / "models" / "next_release.py").write_text(NEXT_MODELS, encoding="utf-8")
    (addon / "data" / "next_release.xml").write_text(NEXT_DATA, encoding="utf-8")
    for file, more in (
        ("__init__.py", "from .models import next_release\n"),
        ("security/ir.model.access.csv", NEXT_ACCESS),
    ):
        with (addon / file).open("a", encoding="utf-8") as text:
            text.write(more)
    manifest = addon / "__manifest__.py"
    text, entry = manifest.read_text(encoding="utf-8"), '"data/bank_sync_vault.xml",'
    assert text.count(entry) == 1
    manifest.write_text(text.replace(entry, f'{entry} "data/next_release.xml",'), encoding="utf-8")
    return folder


@pytest.fixture
def cluster(tmp_path):
    """Two machines with the older release; the first one executes the scheduled actions."""
    with a_cluster(tmp_path, cron_threads=1) as cluster:
        yield cluster


@pytest.fixture
def company(cluster):
    """A company with books, connected to a bank through nginx."""
    with SmsGateway() as gateway, a_copy_of_the_template("account_online_synchronization") as company:
        machine = cluster.machines[1]
        machine.set_parameters(sms__endpoint=gateway.url, bank_sync_proxy__allow_private_addresses="1")
        company.prepare_company()
        company.start()
        company.ask(replace(machine, url=cluster.url, sms_gateway=gateway, server=None))
        confirm_phone(company)
        connect(company, "Demo Bank")
        assert assert_books_equal_the_bank(company) > 300
        yield company


# -------------------------------------------------------------------------
# WHO ASKS MEANWHILE
# -------------------------------------------------------------------------


class Caller:
    """Does something again and again; a request that got no answer is sent once more, and counted."""

    def __init__(self, name, act, pause=0.2):
        """
        :param act: callable(self) → None, which asserts that it got what it wanted
        :param pause: seconds between two; nginx and the proxy limit how often one address and one client may ask
        """
        self.name, self._act, self._pause = name, act, pause
        self.done = self.retries = 0

    def call_until(self, enough):
        while not enough.is_set():
            self._act(self)
            self.done += 1
            enough.wait(self._pause)

    def send(self, send):
        """
        :param send: callable that sends a request, signed again each time
        :return: its answer
        """
        answer = send()
        if answer.status_code in (502, 503, 504):
            self.retries += 1
            answer = send()
        assert answer.ok, f"{self.name}: {answer.status_code} {answer.text[:500]}"
        return answer


class Browser(requests.Session):
    """Of a user who presses a button again where no answer came."""

    def __init__(self, caller):
        super().__init__()
        self._caller = caller
        # Why: a connection that is kept open could be closed by nginx at the moment of its next use.
        self.headers["Connection"] = "close"

    def request(self, *arguments, **options):
        return self._caller.send(lambda: super(Browser, self).request(*arguments, **options))


def asks_for_accounts(remote):
    """:return: :class:`Caller`; balances follow the bank's clock, the accounts stay the same"""

    def send():
        url, headers, body = remote.signed("accounts.list", {"connection_id": remote.made["connection"]})
        return requests.post(url, data=body, headers=headers, timeout=TIMEOUT)

    def accounts(answer):
        return [(account["id"], account["name"], account["currency"]) for account in answer.json()["accounts"]]

    expected = accounts(send())
    assert expected

    def ask(caller):
        assert accounts(caller.send(send)) == expected

    return Caller("accounts", ask)


def sends_webhooks(cluster, secret, told):
    """:param list told: gets the references of those that were taken"""

    def tell(caller):
        reference = f"told-{len(told)}"
        caller.send(lambda: send_webhook(cluster, secret, reference))
        told.append(reference)
        assert len(told) < WEBHOOKS

    return Caller("webhooks", tell)


def visits(cluster, remote, made):
    """:param list made: gets the ids of the connections"""

    def visit(caller):
        institution = ("sandbox.demo", "sandbox.demo-redirect")[len(made) % 2]
        made.append(walk_through_the_pages(cluster, remote, institution, Browser(caller)))

    return Caller("visits", visit, pause=2)


def meanwhile(callers, do):
    """Do something while they call, each at least once before and once after."""
    enough = threading.Event()
    with ThreadPoolExecutor(len(callers)) as threads:
        running = [threads.submit(caller.call_until, enough) for caller in callers]

        def wait_for_one_more():
            before = [caller.done for caller in callers]
            # Why two: one of them may have begun before.
            wait_until(
                lambda: (
                    all(caller.done >= start + 2 for caller, start in zip(callers, before, strict=True))
                    or any(one.done() for one in running)
                ),
                patience=300,
            )

        try:
            wait_for_one_more()
            do()
            wait_for_one_more()
        finally:
            enough.set()
        for one in running:
            one.result()


# -------------------------------------------------------------------------
# THE UPDATE
# -------------------------------------------------------------------------


class Rollout:
    """Two machines, and who asks them during each step."""

    def __init__(self, cluster, company, next_release):
        self.cluster, self.company, self.next_release = cluster, company, next_release
        one, two = cluster.machines
        direct, one.url = one.url, cluster.url
        self.remote = register(one, with_connection=True)
        one.url = direct
        secret = two.shell(CONNECTED.format(client=self.remote.client, number=WEBHOOKS))
        # Why here: a process ends with the thread that has started it, and callers are threads.
        company.run_scheduled_action()
        self.told, self.made, self.days = [], [], 0
        self.callers = [
            asks_for_accounts(self.remote),
            sends_webhooks(cluster, secret, self.told),
            visits(cluster, self.remote, self.made),
            Caller("synchronization", lambda _caller: company.run_scheduled_action()),
        ]

    def retries_during(self, step, *arguments):
        """Let days pass at the bank, so that there is something to fetch, and do a step, while all call.

        :return: how many requests each caller had to send again
        """
        before = [caller.retries for caller in self.callers]

        def do():
            self.days += 4
            self.company.move_demo_clock(24 * self.days)
            step(*arguments)

        meanwhile(self.callers, do)
        return [caller.retries - start for caller, start in zip(self.callers, before, strict=True)]

    def take_out(self, machine):
        self.cluster.serve_with(*(one for one in self.cluster.machines if one is not machine))
        machine.stop()
        machine.settings = (*machine.settings, f"addons_path = {self.next_release}")

    def update_database(self, machine):
        """Repeated where PostgreSQL ended it in favour of a request, as the manual says."""
        for _attempt in range(3):
            try:
                machine.odoo("-d", machine.name, *UPDATE, *machine._options)
            except AssertionError as error:
                if not any(reason in str(error) for reason in ("deadlock detected", "could not serialize access")):
                    raise
            else:
                return
        raise AssertionError("the update was ended three times")

    def put_back(self, machine):
        machine.start(cron_threads=int(machine is self.cluster.machines[0]))
        wait_until(lambda: requests.get(f"{machine.url}/bank_sync/health/ready", timeout=TIMEOUT).ok)
        before = [len(one.log()) for one in self.cluster.machines]
        self.cluster.serve_with(*self.cluster.machines)
        for one, since in zip(self.cluster.machines, before, strict=True):
            wait_until(partial(serves_everything, one, since))


def serves_everything(machine, since):
    """Whether databases, providers and users were answered after a place in its log."""
    log = machine.log()[since:]
    return all(address in log for address in ("/bank_sync/1/accounts.list", "/bank_sync/webhook/", "/bank_sync/visit/"))


def test_proxy_is_updated_machine_by_machine_while_it_serves(cluster, company, next_release):
    one, two = cluster.machines
    rollout = Rollout(cluster, company, next_release)
    assert not any(rollout.retries_during(rollout.take_out, one))
    assert max(rollout.retries_during(rollout.update_database, one)) <= 1
    assert not any(rollout.retries_during(rollout.put_back, one))
    assert not any(rollout.retries_during(rollout.take_out, two))
    assert not any(rollout.retries_during(rollout.put_back, two))
    assert_nothing_is_lost_or_doubled(rollout)
    for machine in cluster.machines:
        url, headers, body = replace(rollout.remote, url=machine.url).signed("clients.status", {})
        assert requests.post(url, data=body, headers=headers, timeout=TIMEOUT).json()["next_release"]
    runs = "SELECT value FROM ir_config_parameter WHERE key = 'bank_sync_proxy.next_release'"
    wait_until(lambda: one.sql(runs) == [["runs"]])


def assert_nothing_is_lost_or_doubled(rollout):
    rollout.company.run_scheduled_action()
    assert_booked_since(rollout.company)
    assert rollout.company.sql("SELECT state, error_code FROM account_online_link") == [["connected", ""]]
    proxy = rollout.cluster.machines[0]
    events = proxy.sql(
        "SELECT c.provider_reference, count(*) FROM bank_sync_event e JOIN bank_sync_connection c"
        " ON c.id = e.connection_id WHERE c.provider_reference LIKE 'told-%' GROUP BY 1"
    )
    assert {name for name, _number in events} == set(rollout.told)
    (webhooks,) = (caller for caller in rollout.callers if caller.name == "webhooks")
    # One that was sent again may have been taken the first time, too; the database asks, and finds nothing twice.
    assert sum(int(number) for _name, number in events) <= len(rollout.told) + webhooks.retries
    connected = proxy.sql(
        "SELECT identifier FROM bank_sync_connection WHERE state = 'connected'"
        " AND COALESCE(provider_reference, '') NOT LIKE 'told-%'"
        f" AND client_id = (SELECT id FROM bank_sync_client WHERE identifier = '{rollout.remote.client}')"
    )
    assert sorted(name for (name,) in connected) == sorted([*rollout.made, rollout.remote.made["connection"]])
