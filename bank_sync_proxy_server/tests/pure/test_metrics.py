"""Counters of several processes, and what is left of servers that have ended."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bank_sync_proxy_server.tools.metrics import CALLS as CALLS_OF_ADAPTERS
from bank_sync_proxy_server.tools.metrics import _name, folder_of_this_server

ADDONS = Path(__file__).parents[3]
ALERTS = ADDONS / "docs" / "prometheus_alerts.yml"
BOARD = ADDONS / "docs" / "grafana_board.json"


def rules():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panels():
    return [panel for panel in json.loads(BOARD.read_text())["panels"] if panel["type"] != "row"]


def expressions():
    """:return: dict: name of a rule or panel → what it asks Prometheus for"""
    found = {rule["alert"]: rule["expr"] for rule in rules()}
    for panel in panels():
        found |= {f"{panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]}
    return found


def exported():
    """:return: dict: name of a metric → file that defines it"""
    sources = ("models/bank_sync_metrics.py", "tools/metrics.py")
    texts = {source: (ADDONS / "bank_sync_proxy_server" / source).read_text(encoding="utf-8") for source in sources}
    return {name: source for source, text in texts.items() for name in re.findall(r'"(bank_sync_\w+)"', text)}


METRICS = """
import os, sys, types
package = types.ModuleType("bank_sync_proxy_server"); package.__path__ = [{addons!r} + "/bank_sync_proxy_server"]
sys.modules["bank_sync_proxy_server"] = package
from bank_sync_proxy_server.tools.metrics import Metrics
metrics = Metrics({folder!r}, ["institution_unavailable"])
"""
COUNT = """
workers = []
for _worker in range(3):
    worker = os.fork()
    if not worker:
        for _request in range(5):
            metrics.count_request("accounts.list", "ok", 0.2)
        metrics.count_request("accounts.list", "rate_limited", 0.001)
        os._exit(0)
    workers.append(worker)
for worker in workers:
    os.waitpid(worker, 0)
print(metrics.expose([]).decode())
"""
REPLACED = """
metrics._prepare()
for _worker in range(20):
    worker = os.fork()
    if not worker:
        metrics.count_request("accounts.list", "ok", 0.2)
        metrics.count_call("sandbox", "accounts", "ok", 0.1)
        os._exit(0)
    os.waitpid(worker, 0)
print(metrics.expose([]).decode())
"""
CALLS = """
class Failure(Exception):
    def __init__(self, code):
        self.code = code

class Adapter:
    code = "sandbox"
    def accounts(self, state):
        return [state]
    def refresh(self, state):
        return self.accounts(state)
    def renew(self, state):
        raise Failure("institution_unavailable")
    def start(self, institution):
        raise Failure("a text of the provider's")
    def institutions(self):
        yield 1
    check_keys = answer = complete = transactions = revoke = renew

adapter = metrics.observe(Adapter())
assert adapter.refresh("a state") == ["a state"]
assert adapter.refresh("a state") == ["a state"]
assert list(adapter.institutions()) == [1]
for failing in (adapter.renew, adapter.start):
    try:
        failing(None)
    except Failure:
        continue
    raise AssertionError("the failure was swallowed")
print(metrics.expose([]).decode())
"""


def run(script, folder):
    """:return: what a separate server process has printed; the library decides in each process what it counts in"""
    source = METRICS.format(addons=str(ADDONS), folder=str(folder)) + script
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, start_new_session=True)
    assert not done.returncode, done.stderr
    return done.stdout


def test_requests_of_all_workers_are_added_up(tmp_path):
    printed = run(COUNT, tmp_path)
    assert 'bank_sync_requests_total{operation="accounts.list",outcome="ok"} 15.0' in printed
    assert 'bank_sync_requests_total{operation="accounts.list",outcome="rate_limited"} 3.0' in printed
    assert 'bank_sync_request_seconds_bucket{le="0.01",operation="accounts.list"} 3.0' in printed
    assert 'bank_sync_request_seconds_count{operation="accounts.list"} 18.0' in printed


def test_worker_that_replaces_another_continues_its_counters(tmp_path):
    """Odoo replaces a worker after each 8,192 requests: files of all that ever lived would never end."""
    printed = run(REPLACED, tmp_path)
    assert 'bank_sync_requests_total{operation="accounts.list",outcome="ok"} 20.0' in printed
    assert 'bank_sync_provider_call_seconds_count{call="accounts",provider="sandbox"} 20.0' in printed
    assert len(list(tmp_path.glob("*/*.db"))) == 2


def test_provider_call_is_counted_once_with_its_outcome(tmp_path):
    printed = run(CALLS, tmp_path)
    found = dict(
        re.findall(r'bank_sync_provider_calls_total\{call="(\w+)",outcome="(.+)",provider="sandbox"\}', printed)
    )
    assert found == {"refresh": "ok", "institutions": "ok", "renew": "institution_unavailable", "start": "crash"}
    assert 'call="refresh",outcome="ok",provider="sandbox"} 2.0' in printed


def test_folder_that_cannot_be_used_fails_no_request(tmp_path):
    folder = tmp_path / "metrics"
    folder.write_text("a file, where the folder should be")
    printed = run('metrics.count_request("accounts.list", "ok", 0.2)\nprint(metrics.expose([]))', folder)
    assert "bank_sync_requests" not in printed


def test_calls_that_are_counted_are_those_of_the_form_of_an_adapter():
    form = ADDONS / "bank_sync_proxy" / "providers" / "base.py"
    methods = set(re.findall(r"    def ([a-z]\w+)\(", form.read_text(encoding="utf-8")))
    computed = {"now", "check_settings", "read_page", "forget_refused", "parse_webhook", "parse_error"}
    computed |= {"replace_secrets", "first_day", "read_part", "write_part"}
    assert methods - computed == set(CALLS_OF_ADAPTERS)


def test_counters_of_servers_that_have_ended_are_deleted(tmp_path):
    ended = subprocess.Popen(["true"], start_new_session=True)
    ended.wait()
    (tmp_path / f"{ended.pid}-1").mkdir()
    (tmp_path / f"{os.getpgrp()}-1").mkdir()
    own = folder_of_this_server(tmp_path)
    assert [folder.name for folder in tmp_path.iterdir()] == [own.name]
    assert folder_of_this_server(tmp_path) == own


def test_counters_of_another_server_that_runs_stay(tmp_path):
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        folder = tmp_path / _name(other.pid)
        folder.mkdir()
        folder_of_this_server(tmp_path)
        assert folder.exists()
    finally:
        other.kill()
        other.wait()


def test_alert_says_what_is_wrong_and_what_to_do():
    """Alert rules of docs/proxy_operation.md, which operators load as they are."""
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_board_shows_each_panel_in_a_place_of_its_own():
    board = json.loads(BOARD.read_text())
    assert [one["name"] for one in board["templating"]["list"]] == ["datasource"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    places = set()
    for panel in board["panels"]:
        x, y, width, height = (panel["gridPos"][key] for key in "xywh")
        own = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        assert x + width <= 24 and not own & places, panel["title"]
        places |= own


@pytest.mark.parametrize("name", expressions())
def test_alert_or_panel_asks_for_metrics_that_exist(name):
    named = set(re.findall(r"\bbank_sync_\w+", expressions()[name]))
    assert named
    assert {without_ending(metric) for metric in named} <= set(exported())


@pytest.mark.parametrize("metric", sorted(exported()))
def test_every_metric_is_on_the_board_and_in_the_manual(metric):
    shown = {without_ending(name) for text in expressions().values() for name in re.findall(r"\bbank_sync_\w+", text)}
    manual = (ADDONS / "docs" / "proxy_operation.md").read_text(encoding="utf-8")
    assert metric in shown
    assert f"`{metric}" in manual


@pytest.mark.parametrize("name", expressions())
def test_what_is_the_same_on_all_machines_is_not_added_up(name):
    """Two machines would show twice as many connections."""
    from_database = [metric for metric, source in exported().items() if source.startswith("models/")]
    for metric in re.findall(r"sum(?: by \([^)]*\))? \((bank_sync_\w+)", expressions()[name]):
        assert metric not in from_database


def without_ending(metric):
    return re.sub("_(total|bucket|count|sum)$", "", metric)
