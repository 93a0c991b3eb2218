"""Counters of several processes, and what is left of servers that have ended."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from bank_sync_proxy_server.tools.metrics import _name, folder_of_this_server

ADDONS = Path(__file__).parents[3]
ALERTS = ADDONS / "docs" / "prometheus_alerts.yml"
COUNT = """
import os, sys, time
sys.path.insert(0, {addons!r})
import types
package = types.ModuleType("bank_sync_proxy_server"); package.__path__ = [{addons!r} + "/bank_sync_proxy_server"]
sys.modules["bank_sync_proxy_server"] = package
from bank_sync_proxy_server.tools.metrics import RequestMetrics
metrics = RequestMetrics({folder!r})
workers = []
for _worker in range(3):
    worker = os.fork()
    if not worker:
        for _request in range(5):
            metrics.count("accounts.list", "ok", 0.2)
        metrics.count("accounts.list", "rate_limited", 0.001)
        os._exit(0)
    workers.append(worker)
for worker in workers:
    os.waitpid(worker, 0)
print(metrics.expose([]).decode())
"""


def test_requests_of_all_workers_are_added_up(tmp_path):
    script = COUNT.format(addons=str(ADDONS), folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, start_new_session=True
    )
    assert 'bank_sync_requests_total{operation="accounts.list",outcome="ok"} 15.0' in done.stdout
    assert 'bank_sync_requests_total{operation="accounts.list",outcome="rate_limited"} 3.0' in done.stdout
    assert 'bank_sync_request_seconds_bucket{le="0.01",operation="accounts.list"} 3.0' in done.stdout
    assert 'bank_sync_request_seconds_count{operation="accounts.list"} 18.0' in done.stdout


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


def test_alerts_ask_for_metrics_that_exist():
    """Alert rules of docs/proxy_operation.md, which operators load as they are."""
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        named = set(re.findall(r"\bbank_sync_\w+", rule["expr"]))
        assert named, rule
        assert {re.sub("_(total|bucket|count|sum)$", "", name) for name in named} <= exported(), rule
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in ("page", "ticket")


def exported():
    sources = ("models/bank_sync_metrics.py", "tools/metrics.py")
    text = "".join((ADDONS / "bank_sync_proxy_server" / source).read_text() for source in sources)
    return set(re.findall(r'"(bank_sync_\w+)"', text))
