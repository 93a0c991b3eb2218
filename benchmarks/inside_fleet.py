"""Inside the proxy: register many databases, each with its own bank connection."""

import hashlib
import secrets

#: Users of the Demo Bank. Why not one for each client: it computes what a real bank has stored, which is not work of
#: the proxy's, and remembers only so much of it. Clients that follow on one another have different ones.
USERS = 20


def prepare(env, clients):
    """Active clients, each with its own connection.

    :param int clients: how many
    :return: list of ``client``, ``secret``, ``database`` (digest), ``connection`` and ``accounts`` (ids)
    """
    fleet = []
    for number in range(clients):
        client, secret = _register(env, number)
        connection = _connect(env, client, f"fleet{number % USERS}")
        accounts = env["bank.sync.api"]._dispatch(client, "accounts.list", {"connection_id": connection})["accounts"]
        fleet.append(
            {
                "client": client.identifier,
                "secret": secret,
                "database": _digest(number),
                "connection": connection,
                "accounts": [account["id"] for account in accounts],
            }
        )
        env.flush_all()
        env.invalidate_all()
    accounts = {account for member in fleet for account in member["accounts"]}
    assert len(accounts) == len(fleet[0]["accounts"]) * min(clients, USERS), "mix-ups could not be seen"
    return fleet


def _register(env, number):
    secret = secrets.token_urlsafe(32)
    client = env["bank.sync.client"].create(
        {"name": f"Fleet {number}", "database_uuid": f"fleet-{number}", "url": f"https://{number}.fleet.example"}
    )
    client._write_secrets(current=secret)
    return client, secret


def _digest(number):
    return hashlib.sha256(f"fleet-{number}".encode()).hexdigest()


def _connect(env, client, user):
    """As a user walks through the Demo Bank's pages."""
    request = {"institution_id": "sandbox.demo", "return_url": f"{client.url}/back"}
    answer = env["bank.sync.api"]._dispatch(client, "connections.start", request)
    connection = env["bank.sync.connection"].search([("identifier", "=", answer["connection_id"])])
    visit = connection.visit_ids
    visit._answer({"user": [user], "password": ["demo"]})
    visit._answer({"accounts": [option.value for option in visit._challenge().fields[0].options]})
    assert connection.state == "connected", connection.state
    return answer["connection_id"]
