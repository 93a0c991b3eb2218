import ast
from pathlib import Path

import pytest

from account_online_synchronization.client.errors import ACTIONS
from account_online_synchronization.tests.pure.failures import FAILURES

ADDON = Path(__file__).parents[2]
PROXY_ERRORS = ADDON.parent / "bank_sync_proxy" / "providers" / "errors.py"
OURS = [path for path in ADDON.rglob("*.py") if "tests" not in path.parts]


def raised_codes(path):
    """Codes that a file gives to failures; those that it passes on are not literal."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        place = {"ProxyError": 0, "ServiceUnavailable": 1, "Cause": 1}.get(node.func.id)
        if place is None:
            continue
        named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        for code in [*node.args[place : place + 1], *named]:
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value


def test_codes_are_found_in_the_program():
    assert {"no_connection", "service_slow", "no_service"} <= {code for path in OURS for code in raised_codes(path)}


@pytest.mark.parametrize("path", OURS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_failure_of_this_side_is_designed(path):
    assert set(raised_codes(path)) <= set(FAILURES)


@pytest.mark.skipif(not PROXY_ERRORS.exists(), reason="the proxy is not shipped beside this addon")
def test_each_failure_of_the_proxy_is_designed_with_its_action():
    from bank_sync_proxy.providers.errors import CODES

    told = {code: FAILURES[code][0] for code in CODES if code in FAILURES}
    assert told == {code.code: code.action for code in CODES.values()}


def test_only_known_actions_are_named():
    assert {action for action, _kind, _button in FAILURES.values()} <= set(ACTIONS)
