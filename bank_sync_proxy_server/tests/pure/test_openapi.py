"""What openapi.yaml says is what the pure parts of the proxy do; tests/test_openapi.py asks the server."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from odoo.addons.bank_sync_common.tools import signing
from odoo.addons.bank_sync_proxy.providers.errors import CODES
from odoo.addons.bank_sync_proxy_server.tools.received_request import MAX_BODY

ADDON = Path(__file__).parents[2]
CONTRACT = yaml.safe_load((ADDON / "openapi.yaml").read_text(encoding="utf-8"))
PROTOCOL = ADDON.parent / "docs" / "protocol.md"
COMPONENTS = CONTRACT["components"]
OPERATIONS = {path.rsplit("/", 1)[1]: item["post"] for path, item in CONTRACT["paths"].items()}


def resolve(item):
    """What a reference of the contract leads to."""
    while "$ref" in item:
        _hash, _components, kind, name = item["$ref"].split("/")
        item = COMPONENTS[kind][name]
    return item


def all_references(item):
    if isinstance(item, dict):
        yield from ([item["$ref"]] if "$ref" in item else [])
        for value in item.values():
            yield from all_references(value)
    elif isinstance(item, list):
        for value in item:
            yield from all_references(value)


def test_the_codes_are_those_of_the_table():
    assert COMPONENTS["schemas"]["Error"]["properties"]["code"]["enum"] == list(CODES)
    actions = COMPONENTS["schemas"]["Error"]["properties"]["action"]["enum"]
    assert set(actions) >= {code.action for code in CODES.values()}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_answers_each_code_with_its_status(name):
    documented = {}
    for status, response in OPERATIONS[name]["responses"].items():
        if status != "200":
            schema = resolve(response)["content"]["application/json"]["schema"]
            documented[int(status)] = set(schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"])
    expected = {}
    for code in CODES.values():
        expected.setdefault(code.status, set()).add(code.code)
    assert documented == expected


def test_the_headers_are_those_of_the_signature():
    documented = {item["name"]: item["schema"]["pattern"] for item in COMPONENTS["parameters"].values()}
    assert documented == {name: f"^{shape.pattern}$" for name, shape in signing.SHAPES.items()}
    for name, operation in OPERATIONS.items():
        signed = {resolve(parameter)["name"] for parameter in operation.get("parameters", [])}
        assert signed == (set() if name == "clients.register" else set(signing.SHAPES)), name


def test_what_is_signed_is_what_the_code_signs():
    text = CONTRACT["info"]["description"]
    lines = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    assert lines[0] == signing.VERSION
    assert lines[1:5] == [f"<{name}>" for name in (signing.CLIENT, signing.DATABASE, signing.TIMESTAMP, signing.NONCE)]
    assert lines[5] == "POST" and len(lines) == 8
    assert f"{MAX_BODY // 1024} KiB" in text


def test_every_reference_leads_somewhere():
    for reference in all_references(CONTRACT):
        _hash, _components, kind, name = reference.split("/")
        assert name in COMPONENTS[kind], reference


@pytest.mark.parametrize("name, schema", COMPONENTS["schemas"].items())
def test_a_schema_is_one(name, schema):
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.skipif(not PROTOCOL.exists(), reason="docs/protocol.md is not shipped beside this addon")
def test_protocol_documents_each_operation_and_status():
    text = PROTOCOL.read_text(encoding="utf-8")
    operations = text.partition("## Operations")[2].partition("## Failures")[0]
    named = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)`", operations, re.MULTILINE))
    # Those of clients are in a separate section, see "Clients".
    assert {name for name in OPERATIONS if not name.startswith("clients.")} <= named
    statuses = dict(re.findall(r"^\| (\d{3}) \| (.+) \|$", text, re.MULTILINE))
    expected = {}
    for code in CODES.values():
        expected.setdefault(str(code.status), []).append(code.code)
    assert {status: re.findall(r"`(\w+)`", codes) for status, codes in statuses.items()} == expected
