"""The master key is changed while the service runs, the change is interrupted, and no secret is lost."""

import json
import subprocess
import time

import pytest

from environment import odoo_command, paths, process

OLD, NEW = "the first master key, long enough to be one", "the second master key, long enough to be one"
CONNECTIONS = 4_000
STORE = f"""
provider = env["bank.sync.provider"].search([("code", "=", "sandbox")])
client = env["bank.sync.client"].create({{"name": "One", "database_uuid": "one", "url": "https://one.example"}})
vault = env["bank.sync.vault"]
for connection in env["bank.sync.connection"].create(
    [{{"client_id": client.id, "provider_id": provider.id}} for _index in range({CONNECTIONS})]
):
    connection.secret_state = vault._encrypt(connection, "secret_state", {{"of": connection.id}})
client.secret_data = vault._encrypt(client, "secret_data", {{"of": client.id}})
for setting in env["bank.sync.provider.setting"].search([("encrypted_value", "!=", False)]):
    setting.encrypted_value = vault._encrypt(setting, "encrypted_value", {{"of": setting.id}})
service = env.ref("account_online_synchronization.account_online_service")
service._write_secrets(current="kept")
"""
READ = """
vault, wrong = env["bank.sync.vault"], 0
for model, name in vault._secret_fields():
    for record in env[model].search([(name, "!=", False)]):
        try:
            wrong += vault._decrypt(record, name) != {"of": record.id}
        except Exception:
            wrong += 1
service = env.ref("account_online_synchronization.account_online_service")
try:
    wrong += service._vault().decrypt(service.secret_data, *service._secret_place()) != {"current": "kept"}
except Exception:
    wrong += 1
result = wrong
"""


@pytest.fixture
def with_keys(installation, tmp_path, monkeypatch):
    """:return: ``arguments(current, second=None)``: options of an Odoo that has these master keys"""
    monkeypatch.setenv("OLD_KEY", OLD)
    monkeypatch.setenv("NEW_KEY", NEW)

    def arguments(current, second=None):
        path = tmp_path / f"{current}-{second}.conf"
        lines = [f"bank_sync_key = env:{current}", *([f"bank_sync_second_key = env:{second}"] if second else [])]
        path.write_text("\n".join([paths.ODOO_CONF.read_text(), *lines, ""]))
        return ["-c", path, "-d", installation.name]

    return arguments


def unreadable(installation, options):
    """:return: how many secrets an Odoo with these options can't read"""
    script = f"{READ}\nimport json\nprint('RESULT', json.dumps(result))\n"
    printed = installation.odoo("shell", *options, "--no-http", "--log-level=critical", stdin=script)
    return json.loads(printed.split("RESULT ")[-1])


def test_master_key_is_changed_online_and_an_interruption_loses_nothing(installation, with_keys):
    installation.odoo("shell", *with_keys("OLD_KEY"), "--no-http", stdin=f"{STORE}\nenv.cr.commit()\n")
    before = dict(installation.sql("SELECT id, secret_state FROM bank_sync_connection"))
    both = with_keys("NEW_KEY", "OLD_KEY")
    assert unreadable(installation, both) == 0

    command = odoo_command.line("bank_sync", "reencrypt", *both)
    child = process.start(command, env=odoo_command.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not changed(installation, before) and child.poll() is None:
        time.sleep(0.01)
    child.kill()
    child.wait()
    assert 0 < changed(installation, before) < CONNECTIONS, "it was to be killed in the middle"
    assert unreadable(installation, both) == 0

    printed = installation.odoo("bank_sync", "reencrypt", *both)
    assert "0 can't be decrypted with either key" in printed
    assert unreadable(installation, with_keys("NEW_KEY")) == 0
    assert unreadable(installation, with_keys("OLD_KEY")) > CONNECTIONS, "something is still written with the old key"


def changed(installation, before):
    return sum(
        before[key] != text for key, text in installation.sql("SELECT id, secret_state FROM bank_sync_connection")
    )
