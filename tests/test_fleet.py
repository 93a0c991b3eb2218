"""Many databases ask one proxy with several workers at the same time: each is answered, and with what is its own."""

import json
import subprocess
import sys

from environment import paths


def test_a_fleet_gets_no_answer_that_belongs_to_another(thorough):
    clients, seconds = (200, 30) if thorough else (24, 8)
    command = [sys.executable, str(paths.ROOT / "scripts" / "bench"), "fleet", "--json", "--rates", "0"]
    command += ["--clients", str(clients), "--users", "16", "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    figures = json.loads(done.stdout)
    assert figures["wrong"] == 0
    assert figures["refused"] == 0, figures["failures"]
    asked = {operation: one["requests"] for operation, one in figures["by_operation"].items()}
    assert set(asked) >= {"connections.get", "connections.refresh", "accounts.list", "transactions.list"}
    assert sum(asked.values()) == figures["requests"] >= clients
