"""A database of the time when the proxy was one addon is updated without loss.

The code of that time comes from the history of this clone.
"""

import json
import subprocess
import tarfile
from io import BytesIO

import pytest

from environment import database, paths

from .conftest import PROXY_SERVER, Installation, a_copy_of_the_template, numbers

#: The last commit in which everything was in bank_sync_proxy.
BEFORE = "82e9647"
PROXY, SERVER = "bank_sync_proxy", "bank_sync_proxy_server"

#: A proxy that serves two databases elsewhere, with something in each table, and changes of users in the addon's data.
FILL = """
from datetime import timedelta
from odoo import fields

# The copy of a database makes the secrets anew that nobody has to enter.
env["bank.sync.provider"]._update_settings()
vault, clients = env["bank.sync.vault"], env["bank.sync.client"]
about = {"database_uuid": "3f1c2d4e-0000-4000-8000-00000000000a", "database": "d" * 64, "language": "en_US"}
for name in ("one", "two"):
    clients._register_database({**about, "name": name, "url": f"https://{name}.example.com",
                                "contact_email": f"{name}@example.com"}, "203.0.113.7")
one, two = clients.search([("is_embedded", "=", False)])
one.secret_phone = vault._encrypt(one, "secret_phone", {"phone": "+32470123456"})
one.write({"awaits_phone_since": False, "confirmed_url": one.url, "copy_noted_at": fields.Datetime.now()})
one._set_state("active")
two._block("Contract", by="support")
bank = env["bank.sync.institution"]._find("sandbox.demo")
connections = env["bank.sync.connection"].create(
    [{"client_id": client.id, "institution_id": bank.id} for client in (one, two, clients._get_embedded())]
)
for connection in connections:
    connection.write({"state": "connected", "secret_state": vault._encrypt(connection, "secret_state", {"a": "b"})})
    env["bank.sync.visit"]._open(connection, "renew", connection._begin("connect", "en_US"), return_url="/x")
connections[0].message_post(body="A note of support")
env["bank.sync.phone.code"].create({
    "client_id": one.id, "purpose": "verify", "phone_digest": "x", "client_serial": 1, "phone_serial": 1, "attempts": 2,
}).secret_data = "kept"
one._note_suspicion("code", "a detail", "203.0.113.8")
one._note_suspicion("signature", address="203.0.113.9")
env["bank.sync.registration"]._add("203.0.113.7", fields.Datetime.now())
env["bank.sync.nonce"]._add(one.id, "n" * 24, fields.Datetime.now(), 0, 60)
for kind in ("transactions.new", "consent.expiring", "connection.disconnected"):
    env["bank.sync.event"]._emit(one, kind, connections[0])
env["bank.sync.event"]._emit(one, "client.active")
env["bank.sync.usage"].create({"connection_id": connections[0].id, "kind": "refresh"})
from odoo.addons.bank_sync_proxy.providers.errors import TransientError
errors = env["bank.sync.error"]
failure = TransientError("institution_unavailable")
errors._record(failure, operation="accounts.list", client=one, connection=connections[0])
errors._record(failure, operation="x", client=two, address="203.0.113.7")
wizard = env["bank.sync.intervention"].create({
    "action": "block", "client_ids": one.ids, "connection_ids": connections[:1].ids, "reason": "Why",
})
env.ref("bank_sync_proxy.bank_sync_reason_block_terms").text = "A sentence of our own."
env.ref("bank_sync_proxy.bank_sync_reason_block_attack").active = False
env["bank.sync.reason"].create({"name": "Another", "action": "block", "text": "Because."})
env.ref("bank_sync_proxy.ir_cron_forget_nonces").interval_number = 17
for name, value in (("requests_per_minute", "7"), ("suspicion_code", "3/60"), ("public_institutions", "no")):
    env["ir.config_parameter"].set_param(f"bank_sync_proxy.{name}", value)
"""

#: What was true before is asked again afterwards; columns that Odoo's update itself writes are left out.
SNAPSHOT = """
import json
tables = [table for (table,) in env.execute_query(__import__("odoo").tools.SQL(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    " AND (table_name LIKE 'bank_sync_%%' OR table_name IN"
    " ('mail_message', 'mail_tracking_value', 'mail_followers', 'ir_config_parameter', 'iap_account')) ORDER BY 1"))]
rows = {}
for table in tables:
    env.cr.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
    rows[table] = sorted(json.dumps(json.loads(row), sort_keys=True) for (row,) in env.cr.fetchall())
env.cr.execute("SELECT name, model, res_id FROM ir_model_data WHERE module LIKE 'bank_sync_proxy%%'")
ids = {f"{model} {name}": number for name, model, number in env.cr.fetchall()}
env.cr.execute("SELECT c.id, c.interval_number, c.active, s.code FROM ir_cron c JOIN ir_act_server s"
               " ON s.id = c.ir_actions_server_id WHERE s.code LIKE 'model.%%' ORDER BY 1")
crons = env.cr.fetchall()
view = env.ref("bank_sync_proxy_server.bank_sync_client_view_list", False) or env.ref(
    "bank_sync_proxy.bank_sync_client_view_list", False)
reasons = env["bank.sync.reason"].with_context(lang="de_DE", active_test=False).search([])
result = {"rows": rows, "ids": ids, "crons": crons, "view": view and view.with_context(lang="de_DE").arch_db,
          "reasons": [[reason.id, reason.name, reason.text] for reason in reasons]}
"""

#: Columns that an update rewrites, and tables to which it may add rows.
WRITTEN = ("write_date", "write_uid")
#: Declared by the adapters, and written again by each update.
DECLARED = {"bank_sync_provider_setting": ("label", "help", "type", "is_required", "sequence")}
#: Scheduled actions that were added since.
NEW_ACTIONS = ("model._cron_send_digests()",)
#: An update also brings the providers that were added since.
MAY_GROW = ("mail_message", "ir_config_parameter", "bank_sync_provider", "bank_sync_provider_setting")


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """:return: folder with the addons as they were"""
    found = subprocess.run(
        ["git", "-C", str(paths.ROOT), "archive", BEFORE, "bank_sync_proxy", "account_online_synchronization"],
        capture_output=True,
        check=False,
    )
    if found.returncode:
        pytest.skip(f"the history of this clone has no commit {BEFORE}: {found.stderr.decode().strip()}")
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=BytesIO(found.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


class Old(Installation):
    """A database with the addon of that time."""

    def install_before(self, folder):
        self.path = ("--addons-path", str(folder))
        self.odoo("-d", self.name, "-i", PROXY, "--load-language=de_DE", *self.path, "--no-http", "--stop-after-init")

    def in_shell(self, script):
        command = ("shell", "-d", self.name, "--no-http", "--log-level=warn", *self.path)
        return self._result_in(self.odoo(*command, stdin=self._to_the_end(script)))

    def update(self):
        self.path = ()
        self.odoo("-d", self.name, "-u", PROXY, "--no-http", "--stop-after-init")

    def states(self):
        names = f"'{PROXY}', '{SERVER}'"
        return dict(self.sql(f"SELECT name, state FROM ir_module_module WHERE name IN ({names})"))


@pytest.fixture(scope="module")
def old(before):
    """A database of that time that serves only itself; each test uses a copy."""
    database_of_old = Old(f"bank_sync_test_before_{next(numbers)}_{id(before)}")
    try:
        database_of_old.install_before(before)
        yield database_of_old
    finally:
        database.drop(database_of_old.name)


DELIVER = "model._cron_deliver()"


@pytest.fixture
def installed(old):
    copy = Old(f"{old.name}_copy_{next(numbers)}")
    database.copy(old.name, copy.name)
    copy.path = old.path
    try:
        yield copy
    finally:
        database.drop(copy.name)


def external_ids(installation):
    rows = installation.sql(f"SELECT module, name, model FROM ir_model_data WHERE module IN ('{PROXY}', '{SERVER}')")
    # Why left out: Odoo names what a user has exported, and rows that other addons' models add.
    return {tuple(row) for row in rows}


def schema_of(installation):
    """:return: set of (table, column) of our addons"""
    rows = installation.sql(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_name LIKE 'bank_sync_%'"
    )
    return {tuple(row) for row in rows}


def without_what_an_update_writes(row, table, columns=None):
    """:param columns: of the row before the update, which may have got new ones"""
    values, written = json.loads(row), (*WRITTEN, *DECLARED.get(table, ()))
    return {name: values.get(name) for name in columns or values if name not in written}


def test_update_of_a_proxy_for_many_databases_loses_no_row(installed):
    installed.in_shell(FILL)
    earlier = installed.in_shell(SNAPSHOT)
    assert all(earlier["rows"][table] for table in earlier["rows"] if table.startswith("bank_sync_")), "fill each table"
    installed.update()
    later = installed.in_shell(SNAPSHOT)
    assert installed.states() == {PROXY: "installed", SERVER: "installed"}
    assert set(earlier["rows"]) <= set(later["rows"])
    for table, rows in earlier["rows"].items():
        columns = list(json.loads(rows[0])) if rows else None
        found = [without_what_an_update_writes(row, table, columns) for row in later["rows"][table]]
        kept = [without_what_an_update_writes(row, table) for row in rows]
        assert [row for row in kept if row not in found] == [], table
        assert table in MAY_GROW or len(rows) == len(found), table
    kept = {name: later["ids"].get(name) for name in earlier["ids"]}
    assert kept == earlier["ids"], "each external id names the same record, so none was made again"
    # Events are delivered when there are some: what looks for forgotten ones runs once a day, not every ten minutes.
    wanted = [[cron, 1 if code == DELIVER else number, active, code] for cron, number, active, code in earlier["crons"]]
    assert [cron for cron in later["crons"] if cron[-1] not in NEW_ACTIONS] == wanted
    assert "Verbindungen" in later["view"]
    assert later["view"] == earlier["view"]
    assert later["reasons"] == earlier["reasons"]


def test_update_leads_to_what_a_new_installation_of_both_addons_is(installed):
    installed.in_shell(FILL)
    installed.update()
    with a_copy_of_the_template(*PROXY_SERVER) as new:
        assert external_ids(installed) == external_ids(new)
        assert schema_of(installed) == schema_of(new)


def test_update_of_an_embedded_proxy_installs_no_server_and_leaves_nothing_of_it(installed):
    installed.update()
    assert installed.states() == {PROXY: "installed", SERVER: "uninstalled"}
    with a_copy_of_the_template(PROXY) as new:
        assert external_ids(installed) == external_ids(new)
        assert schema_of(installed) == schema_of(new)


def test_a_server_can_be_installed_after_the_update_of_an_embedded_proxy(installed):
    installed.update()
    installed.odoo("-d", installed.name, "-i", SERVER, "--no-http", "--stop-after-init")
    assert installed.in_shell('result = env["bank.sync.reason"].search_count([])') == 9
