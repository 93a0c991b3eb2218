"""Many databases ask one proxy with several workers at the same time: each is answered, and with what is its own."""

import json
import subprocess
import sys

import pytest

from environment import paths

CLIENTS, SECONDS = 200, 30


# Why only then: it keeps both processors busy for half a minute. bank_sync_proxy/tests/test_dispatch.py and
# bank_sync_proxy_server/tests/test_attacks.py refuse requests for what belongs to another client, and concurrent
# requests are answered in test_replays.py and test_two_machines.py.
@pytest.mark.thorough
def test_a_fleet_gets_no_answer_that_belongs_to_another():
    command = [sys.executable, str(paths.ROOT / "scripts" / "bench"), "fleet", "--json", "--rates", "0"]
    command += ["--clients", str(CLIENTS), "--users", "16", "--seconds", str(SECONDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    figures = json.loads(done.stdout)
    assert figures["wrong"] == 0
    assert figures["refused"] == 0, figures["failures"]
    asked = {operation: one["requests"] for operation, one in figures["by_operation"].items()}
    assert set(asked) >= {"connections.get", "connections.refresh", "accounts.list", "transactions.list"}
    assert sum(asked.values()) == figures["requests"] >= CLIENTS
