"""The benchmarks measure what docs/performance.md says, and a real run prints nothing but figures."""

import json
import subprocess
import sys
from datetime import date

import pytest

from benchmarks import harness
from benchmarks.institutions import institutions, queries
from benchmarks.transactions import DAYS, FIRST_DAY, iban, transactions
from environment import benching, paths, sql

# -------------------------------------------------------------------------
# WHAT IS MEASURED
# -------------------------------------------------------------------------


def test_the_transactions_are_always_the_same():
    assert transactions(1000) == transactions(1000)
    assert transactions(1000, more=10)[:1000] == transactions(1000)


def test_the_transactions_are_spread_over_all_days_and_have_ids_of_their_own():
    messages = transactions(3000)
    days = [date.fromisoformat(message["booking_date"]) for message in messages]
    assert days == sorted(days)
    assert len(set(days)) == DAYS
    assert days[0] == FIRST_DAY
    assert len({message["id"] for message in messages}) == 3000


def test_two_in_five_transactions_have_a_known_partner():
    known = {iban(number) for number in range(60)}
    messages = transactions(3000)
    share = sum(message["counterparty"]["account_number"] in known for message in messages) / len(messages)
    assert share == pytest.approx(0.4, abs=0.05)


def test_news_come_after_what_is_known():
    known, news = transactions(1000), transactions(1000, more=10)[1000:]
    assert len(news) == 10
    assert news[0]["booking_date"] > known[-1]["booking_date"]


def test_the_banks_are_always_the_same_and_each_of_them_is_found_by_some_query():
    rows = institutions(2000)
    assert rows == institutions(2000)
    assert len({row_id for row_id, *_rest in rows}) == 2000
    asked = queries(rows, 5)
    assert asked == queries(rows, 5)
    assert all(len(kind) == 5 for kind in asked.values())
    names = {name for _id, name, *_rest in rows}
    assert {query for query, _country in asked["whole name"]} <= names
    assert not {query for query, _country in asked["misspelt"]} & names


# -------------------------------------------------------------------------
# THE SCRIPT
# -------------------------------------------------------------------------


def test_the_benchmarks_are_found_by_their_files():
    assert set(benching.available()) == {file.stem[6:] for file in (paths.ROOT / "benchmarks").glob("bench_*.py")}
    assert all(benching.available().values()), "a benchmark says nothing of itself"


@pytest.mark.parametrize("name", benching.available())
def test_a_benchmark_explains_itself_with_a_python_without_packages(name):
    assert run_without_packages(name, "--help").startswith(f"usage: scripts/bench {name}")


@pytest.mark.parametrize(
    "name, options", [("adapters", ["--providers", "simplefin"]), ("formats", ["--formats", "qif"])]
)
def test_a_benchmark_starts_again_with_the_environment_s_python(name, options):
    assert json.loads(run_without_packages(name, "--transactions", "10", "--json", *options))


def run_without_packages(*arguments):
    """:return: what a benchmark prints that a Python without installed packages has started"""
    command = [sys.executable, "-S", str(paths.ROOT / "scripts" / "bench"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def test_a_run_prints_only_its_results_and_leaves_no_database_behind():
    command = [sys.executable, str(paths.ROOT / "scripts" / "bench"), "import", "--lines", "40", "--repeat", "1"]
    command += ["--variants", "floor,ours", "--database", "fresh", "--json"]
    before = benchmark_databases()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    results = {values["variant"]: values for values in map(json.loads, done.stdout.splitlines())}
    assert list(results) == ["floor", "ours"]
    assert results["ours"]["lines"] == 40
    assert results["ours"]["ratio_to_floor"] > 0
    assert results["ours"]["ratio_to_oca"] is None
    assert benchmark_databases() <= before


def test_the_directory_is_searched_at_all_three_places():
    command = [
        sys.executable,
        str(paths.ROOT / "scripts" / "bench"),
        "directory",
        "--banks",
        "300",
        "--each",
        "1",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    filling, *searches = map(json.loads, done.stdout.splitlines())
    assert (filling["banks"], filling["first"] > 0, filling["merge"] > 0) == (300, True, True)
    assert 300 < filling["entries"] < filling["rows"]
    assert {one["at"] for one in searches} == {"database", "protocol", "HTTP"}
    assert all(0 < one["p50"] <= one["p95"] <= one["max"] for one in searches)


def test_growth_is_measured_before_and_after_the_clean_up():
    command = [sys.executable, str(paths.ROOT / "scripts" / "bench"), "growth", "--json"]
    command += ["--connections", "1000", "--rows", "4000", "--each", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    figures = json.loads(done.stdout)
    assert set(figures["before"]) == set(figures["after"])
    # Four of five rows of the one table are older than two days. Of the other, nine of ten were delivered, and most of
    # these more than three days ago; a tenth was given up, a quarter of it more than 30 days ago.
    deleted = {model: one["deleted"] for model, one in figures["clean_up"].items()}
    assert 3100 < deleted["bank.sync.usage"] < 3300
    assert 3380 < deleted["bank.sync.event"] < 3480
    assert any(one["indexes"] for one in figures["before"].values())
    assert all(one["first"] > 0 and one["last"] > 0 for one in figures["clean_up"].values())


def benchmark_databases():
    rows = sql.query(f"SELECT datname FROM pg_database WHERE starts_with(datname, '{harness.PREFIX}')")
    return {name for (name,) in rows}
