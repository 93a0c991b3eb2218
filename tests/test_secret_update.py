"""A database of version 19.0.1.0.0 is updated, and every secret that it holds can be read afterwards."""

#: Writes secrets as that version did: for no place. What its texts look like is in test_vault.py.
STORE = """
import json

client = env["bank.sync.client"].create({"name": "One", "database_uuid": "one", "url": "https://one.example"})
provider = env["bank.sync.provider"].search([("code", "=", "sandbox")])
connection = env["bank.sync.connection"].create({"client_id": client.id, "provider_id": provider.id})
env["bank.sync.visit"].create({
    "connection_id": connection.id, "kind": "connect", "token_digest": "x", "expires_at": "2036-01-01",
})
env["bank.sync.phone.code"].create({
    "client_id": client.id, "purpose": "verify", "phone_digest": "x", "client_serial": 1, "phone_serial": 1,
})
# That version had no replaced secrets; the update must not depend on it.
env["bank.sync.connection.secret"].create({"connection_id": connection.id})
first = env["bank.sync.vault"]._vault()._fernet()
places = []
for model, name in env["bank.sync.vault"]._secret_fields():
    record = env[model].search([], order="id desc", limit=1)
    record[name] = first.encrypt(json.dumps({"of": f"{model} {name}"}).encode()).decode()
    places.append([model, record.id, name])
service = env.ref("account_online_synchronization.account_online_service")
first = service._vault()._fernet()
service.write({
    "url": "https://proxy.example", "client_identifier": "c" * 32, "registered_with": "https://proxy.example",
    "secret_data": first.encrypt(json.dumps({"current": "kept"}).encode()).decode(),
})
result = places
"""
READ = """
vault, read = env["bank.sync.vault"], []
for model, number, name in {places}:
    try:
        read.append(vault._decrypt(env[model].browse(number), name))
    except Exception as error:
        read.append(str(error))
service = env.ref("account_online_synchronization.account_online_service")
try:
    read.append(service._vault().decrypt(service.secret_data, *service._secret_place()))
except Exception as error:
    read.append(str(error))
result = read
"""


def test_update_of_the_addons_binds_all_secrets_and_loses_none(installation):
    places = installation.shell(STORE)
    unbound = installation.shell(READ.format(places=places))
    assert all("another place" in str(answer) for answer in unbound), "the first version's secrets are bound to nothing"
    addons = "account_online_synchronization,bank_sync_proxy,bank_sync_proxy_server"
    installation.odoo("-d", installation.name, "-u", addons, "--no-http", "--stop-after-init")
    expected = [{"of": f"{model} {name}"} for model, _id, name in places]
    assert installation.shell(READ.format(places=places)) == [*expected, {"current": "kept"}]
