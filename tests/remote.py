"""A database on another server: asks a proxy over real HTTP."""

import json
import runpy
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

SIGNING = Path(__file__).parents[1] / "bank_sync_common" / "tools" / "signing.py"
new_headers = runpy.run_path(str(SIGNING))["new_headers"]
TIMEOUT = 60

#: A client that may ask as often as it likes, and do what else would be suspicious.
CLIENT = """
for name in ("requests_per_minute", "registrations_per_hour", "registrations_per_hour_in_all"):
    env["ir.config_parameter"].set_param(f"bank_sync_proxy.{name}", "0")
for name in ("signature", "code", "credentials", "institution", "burst", "firm"):
    env["ir.config_parameter"].set_param(f"bank_sync_proxy.suspicion_{name}", "0/60")
client = env["bank.sync.client"].create({"name": "Remote", "database_uuid": "remote", "url": "https://db.example"})
client._write_secrets(current="a secret of the tests, long enough")
"""
#: A connection of that client. Made in the process, because a person walks through the pages, and then given to it.
CONNECTION = """
api, embedded = env["bank.sync.api"], env["bank.sync.client"]._get_embedded()
def ask(operation, **payload):
    answer = api._dispatch(embedded, operation, payload)
    assert "error" not in answer, answer
    return answer
def visit(page):
    visit = env["bank.sync.visit"]._find(page["page_url"].rsplit("/", 1)[1])
    while visit.state == "open":
        challenge = visit._challenge()
        options = [option.value for option in challenge.fields[0].options] if challenge.kind == "consent" else []
        visit._answer({"user": ["demo"], "password": ["demo"], "code": ["123456"], "accounts": options})
started = ask("connections.start", institution_id="sandbox.demo", return_url="/x")
visit(started)
renewed = ask("connections.renew", connection_id=started["connection_id"], reason="consent", return_url="/x")
visit(renewed)
connection = env["bank.sync.connection"].search([("identifier", "=", started["connection_id"])])
connection.client_id = client
"""


@dataclass
class Remote:
    """What it needs to ask."""

    url: str
    client: str
    secret: str
    database: str = "d" * 64
    #: ``connection``: id of one of its connections; ``started``, ``renewed``: the answers that led to it.
    made: dict = field(default_factory=dict)

    def signed(self, operation, payload):
        """:return: (URL, headers, body) of one request"""
        path, body = f"/bank_sync/1/{operation}", json.dumps(payload).encode()
        headers = new_headers(self.secret, self.client, self.database, time.time(), "POST", path, body)
        return self.url + path, {**headers, "Content-Type": "application/json"}, body

    def ask(self, operation, **payload):
        """:return: (HTTP status, JSON object)"""
        url, headers, body = self.signed(operation, payload)
        answer = requests.post(url, data=body, headers=headers, timeout=TIMEOUT)
        return answer.status_code, answer.json()


def register(installation, with_connection=False):
    """Make a client in a database that is served.

    :return: :class:`Remote`
    """
    script = CLIENT + (CONNECTION if with_connection else "started = renewed = None\n")
    made = installation.shell(
        script + "result = {'client': client.identifier, 'started': started, 'renewed': renewed,"
        " 'connection': started and started['connection_id']}"
    )
    return Remote(installation.url, made["client"], "a secret of the tests, long enough", made=made)
