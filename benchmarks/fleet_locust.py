"""What each database of the fleet asks, again and again, and whether the answer is its own. Runs inside locust.

The file that the variable ``FLEET`` names holds the databases, as ``inside_fleet.prepare`` returns them. Users of
locust are connections: each sends requests of one database after the other, as behind a reverse proxy, so that answers
could be mixed up. ``FLEET_RATE`` is how many requests they send together per second, 0 for as many as they can.
"""

import importlib.util
import itertools
import json
import os
import time
from pathlib import Path

from locust import FastHttpUser, constant, constant_throughput, events, task

ROOT = Path(__file__).parents[1]
FLEET = json.loads(Path(os.environ["FLEET"]).read_text(encoding="utf-8"))
RATE = float(os.environ["FLEET_RATE"])
WRONG = "wrong answer"

numbers = itertools.count()
#: The first page of each account, by account id: it never changes without new transactions.
first_pages = {}


def _load_signing():
    """Why by its path: the package around it imports Odoo, which this process does not have."""
    spec = importlib.util.spec_from_file_location("signing", ROOT / "bank_sync_common" / "tools" / "signing.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


signing = _load_signing()


def next_database():
    return FLEET[next(numbers) % len(FLEET)]


class Connection(FastHttpUser):
    """Knows what each client owns. Any other answer is counted as a failure of that name."""

    wait_time = constant_throughput(RATE / float(os.environ["FLEET_USERS"])) if RATE else constant(0)
    connection_timeout = network_timeout = 60.0

    def ask(self, mine, operation, expect, **payload):
        """
        :param dict mine: the database that asks
        :param expect: function from the answer to whether it is right
        """
        path, body = f"/bank_sync/1/{operation}", json.dumps(payload).encode()
        headers = signing.new_headers(mine["secret"], mine["client"], mine["database"], time.time(), "POST", path, body)
        headers["Content-Type"] = "application/json"
        with self.client.post(path, data=body, headers=headers, name=operation, catch_response=True) as response:
            try:
                answer = response.json()
            except ValueError:
                answer = None
            if not isinstance(answer, dict):
                response.failure(f"no answer: HTTP {response.status_code}")
            elif expect(answer):
                response.success()
            elif "error" in answer:
                response.failure(f"refused: {answer['error']['code']}")
            else:
                response.failure(WRONG)
            return answer

    @task(25)
    def get_connection(self):
        mine = next_database()

        def is_mine(answer):
            return answer.get("connection", {}).get("id") == mine["connection"]

        self.ask(mine, "connections.get", is_mine, connection_id=mine["connection"])

    @task(25)
    def list_accounts(self):
        mine = next_database()

        def are_mine(answer):
            return [account["id"] for account in answer.get("accounts", ())] == mine["accounts"]

        self.ask(mine, "accounts.list", are_mine, connection_id=mine["connection"])

    @task(25)
    def list_transactions(self):
        mine = next_database()
        account = mine["accounts"][0]

        def are_mine(answer):
            ids = [transaction["id"] for transaction in answer.get("transactions", ())]
            return bool(ids) and ids == first_pages.setdefault(account, ids)

        self.ask(mine, "transactions.list", are_mine, connection_id=mine["connection"], account_id=account)

    @task(10)
    def refresh(self):
        mine = next_database()
        request = {"connection_id": mine["connection"], "user_present": False}
        self.ask(mine, "connections.refresh", lambda answer: answer.get("state") == "done", **request)

    @task(10)
    def search_institutions(self):
        mine = next_database()
        self.ask(mine, "institutions.search", lambda answer: len(answer.get("institutions", ())) > 0, query="demo")

    @task(5)
    def ask_for_what_belongs_to_another(self):
        mine, other = next_database(), next_database()

        def is_refused(answer):
            return answer.get("error", {}).get("code") == "unknown_connection"

        for operation in ("connections.get", "accounts.list"):
            self.ask(mine, operation, is_refused, connection_id=other["connection"])


@events.quitting.add_listener
def _report(environment, **_parameters):
    """One JSON object as the last line: what locust's own output says in many."""
    total = environment.stats.total
    failures = [
        {"operation": error.name, "what": str(error.error), "count": error.occurrences}
        for error in environment.stats.errors.values()
    ]
    figures = {
        "requests": total.num_requests,
        "per_second": total.num_requests / max(total.last_request_timestamp - total.start_time, 1e-9),
        "p50_ms": total.get_response_time_percentile(0.5),
        "p95_ms": total.get_response_time_percentile(0.95),
        "p99_ms": total.get_response_time_percentile(0.99),
        "max_ms": total.max_response_time,
        "failures": failures,
        "by_operation": {
            entry.name: {"requests": entry.num_requests, "p99_ms": entry.get_response_time_percentile(0.99)}
            for entry in environment.stats.entries.values()
        },
    }
    print("RESULT " + json.dumps(figures), flush=True)
