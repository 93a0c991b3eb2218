"""The running server keeps to bank_sync_proxy_server/openapi.yaml."""

import os
import subprocess
from collections import Counter

import jsonschema
import pytest
import yaml

from environment import extra_packages, odoo_command, paths
from environment.console import Trouble

from .conftest import ROOT, a_copy_of_the_template
from .remote import register

CONTRACT = ROOT / "bank_sync_proxy_server" / "openapi.yaml"
PREFIX = "/bank_sync/1/"
#: How many requests Schemathesis generates for each operation and phase, and for how many seconds at most.
EXAMPLES, SECONDS = 40, 1200
#: A generator does not reliably produce https addresses, or the code of an accounting firm; and what would be deleted
#: is what the others are about.
NOT_ANSWERED = ("clients.register", "connections.delete", "firms.find", "firms.agree")
CHECKS = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "nothing_unexpected",
)
#: Operations that the contract names and another part of the proxy answers.
CLIENTS = {f"clients.{name}" for name in ("status", "verify_phone", "reactivate", "rotate_secret", "update")}


@pytest.fixture(scope="module")
def contract():
    return yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def proxy():
    """A proxy over HTTP, with nothing but what comes with it."""
    with a_copy_of_the_template() as copy:
        copy.start()
        yield copy


@pytest.fixture(scope="module")
def remote(proxy):
    return register(proxy, with_connection=True)


def strict(schema):
    """The schema, but without keys that it does not name: an answer may hold more, ours has to be documented."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        result.setdefault("additionalProperties", False)
    return result


def assert_documented(contract, operation, status, answer):
    """The answer is one that the contract knows, to the key."""
    responses = contract["paths"][PREFIX + operation]["post"]["responses"]
    assert str(status) in responses, (operation, status, answer)
    response = responses[str(status)]
    if "$ref" in response:
        response = contract["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    schema = response["content"]["application/json"]["schema"]
    whole = {**strict(schema), "components": strict(contract["components"])}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(answer)


def test_the_operations_are_those_of_the_server(proxy, contract):
    served = proxy.shell("api = env['bank.sync.api']\nresult = [*api._operations(), *api._unsigned_operations()]")
    assert {path.removeprefix(PREFIX) for path in contract["paths"]} == set(served) | CLIENTS
    signed = {name for name in served if "parameters" in contract["paths"][PREFIX + name]["post"]}
    assert set(served) - signed == {"clients.register"}


def test_what_the_demo_bank_answers_is_documented(remote, contract):
    def ask(operation, **payload):
        status, answer = remote.ask(operation, **payload)
        assert status == 200, answer
        assert_documented(contract, operation, status, answer)
        return answer

    connection = remote.made["connection"]
    assert_documented(contract, "connections.start", 200, remote.made["started"])
    assert_documented(contract, "connections.renew", 200, remote.made["renewed"])
    found = ask("institutions.search", query="demo", limit=2)
    assert ask("institutions.search", query="demo", limit=2, cursor=found["next_cursor"])["institutions"]
    assert ask("connections.get", connection_id=connection)["connection"]["state"] == "connected"
    ask("connections.refresh", connection_id=connection, user_present=True)
    for account in ask("accounts.list", connection_id=connection)["accounts"]:
        page = ask("transactions.list", connection_id=connection, account_id=account["id"], limit=50)
        assert page["transactions"]
        if page["has_more"]:
            ask("transactions.list", connection_id=connection, account_id=account["id"], cursor=page["next_cursor"])


def test_what_is_agreed_with_an_accounting_firm_is_documented(proxy, remote, contract):
    code = proxy.shell("result = env['bank.sync.firm'].create({'name': 'Abacus'}).code")
    about = {"client_name": "Bakery", "contact_name": None, "contact_email": "bea@bakery.example"}
    for operation, payload in (
        ("firms.get", {}),
        ("firms.find", {"code": code}),
        ("firms.agree", {"code": code, "firm_name": "Abacus", **about}),
        ("firms.agree", about),
        ("firms.get", {}),
        ("firms.revoke", {}),
    ):
        status, answer = remote.ask(operation, **payload)
        assert status == 200, answer
        assert_documented(contract, operation, status, answer)
    status, answer = remote.ask("firms.find", code="WRONG")
    assert status == 422, answer
    assert_documented(contract, "firms.find", status, answer)


def test_failures_are_documented(remote, contract):
    for operation, payload, expected in (
        ("connections.get", {"connection_id": "none"}, 404),
        ("connections.get", {}, 400),
        ("transactions.list", {"connection_id": remote.made["connection"], "account_id": "none"}, 404),
    ):
        status, answer = remote.ask(operation, **payload)
        assert status == expected, answer
        assert_documented(contract, operation, status, answer)
    answer = {"error": {"code": "clock_skew"}}
    with pytest.raises(jsonschema.ValidationError):
        assert_documented(contract, "connections.get", 401, answer)


def test_whatever_is_asked_the_answer_is_documented(remote, contract, tmp_path, thorough):
    try:
        folder = extra_packages.ensure("openapi")
    except Trouble as trouble:
        pytest.skip(f"There is nothing to ask with: {trouble}")
    account = remote.ask("accounts.list", connection_id=remote.made["connection"])[1]["accounts"][0]["id"]
    variables = {
        **odoo_command.environment(),
        "PYTHONPATH": os.pathsep.join(map(str, (folder, ROOT))),
        "SCHEMATHESIS_HOOKS": "tests.openapi_hooks",
        "BANK_SYNC_CLIENT": remote.client,
        "BANK_SYNC_SECRET": remote.secret,
        "BANK_SYNC_CONNECTION": remote.made["connection"],
        "BANK_SYNC_ACCOUNT": account,
        "BANK_SYNC_SEEN": str(tmp_path / "seen"),
    }
    options = ["--url", remote.url, "--checks", ",".join(CHECKS), "--max-examples", EXAMPLES, "--max-time", SECONDS]
    # Why without random requests: the other phases send systematic ones to each operation, in a tenth of the time.
    options += ["--phases", "examples,coverage,fuzzing" if thorough else "examples,coverage"]
    options += ["--mode", "all", "--no-color", "--continue-on-failure"]
    done = subprocess.run(
        list(map(str, [paths.PYTHON, "-m", "schemathesis.cli", "run", CONTRACT, *options])),
        env=variables,
        cwd=paths.HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    seen = Counter(tuple(line.split()) for line in (tmp_path / "seen").read_text(encoding="utf-8").splitlines())
    assert {status for _operation, status in seen} >= {"200", "400", "404"}, seen
    for operation in (path.removeprefix(PREFIX) for path in contract["paths"]):
        assert seen[operation, "200"] or operation in NOT_ANSWERED, f"{operation} was never answered: {seen}"
