"""The benchmarks: their figures mean what docs/performance.md says, and a real run prints nothing but them."""

import json
import subprocess
import sys
from datetime import date

import pytest

from benchmarks import bench_import, harness
from benchmarks.bench_import import Measurement, chosen_chains, summarize
from benchmarks.institutions import institutions, queries
from benchmarks.transactions import DAYS, FIRST_DAY, iban, transactions
from environment import benching, paths, sql
from environment.console import Trouble


def measured(variant, seconds, queries=(100,), peak_mb=(1.0,)):
    """Measurements of 1,000 lines, one per repetition."""
    return [
        Measurement(variant, 1000, "fresh", number, one, queries[number % len(queries)], peak_mb[number % len(peak_mb)])
        for number, one in enumerate(seconds)
    ]


def by_variant(measurements, wanted=None):
    return {values["variant"]: values for values in summarize(wanted or measurements, measurements)}


# -------------------------------------------------------------------------
# FIGURES
# -------------------------------------------------------------------------


def test_ratios_are_medians_of_what_was_measured_in_one_repetition():
    # The machine was three times as slow in the last repetition: the ratio does not notice.
    floor, ours = measured("floor", [10.0, 10.0, 30.0]), measured("ours", [20.0, 25.0, 60.0])
    found = by_variant(floor + ours)
    assert found["ours"]["ratio_to_floor"] == 0.5
    assert found["floor"]["ratio_to_floor"] == 1
    assert found["ours"]["seconds"] == 25
    assert found["ours"]["lines_per_second"] == 40


def test_a_bigger_ratio_is_better():
    found = by_variant(measured("oca_monthly", [20.0]) + measured("ours", [10.0]))
    assert found["ours"]["ratio_to_oca"] == 2


def test_a_second_synchronization_is_compared_with_its_like_only():
    first = measured("floor", [10.0]) + measured("oca_monthly", [20.0])
    second = measured("oca_resync", [0.4]) + measured("ours_resync", [0.1])
    news = measured("oca_resync_1pct", [0.6]) + measured("ours_resync_1pct", [0.2])
    found = by_variant(first + second + news)
    assert found["ours_resync"]["ratio_to_oca"] == pytest.approx(4)
    assert found["ours_resync_1pct"]["ratio_to_oca"] == pytest.approx(3)
    assert found["ours_resync"]["ratio_to_floor"] is None


def test_without_something_to_compare_with_there_is_no_ratio():
    found = by_variant(measured("ours", [10.0]))
    assert (found["ours"]["ratio_to_floor"], found["ours"]["ratio_to_oca"]) == (None, None)


def test_what_is_measured_only_for_comparison_is_compared_with_but_not_reported():
    floor, limit = measured("floor", [10.0]), measured("limit", [0.1])
    found = by_variant(floor + limit, wanted=limit)
    assert list(found) == ["limit"]
    assert found["limit"]["ratio_to_floor"] == pytest.approx(100)


def test_a_line_of_json_has_exactly_the_promised_keys():
    (values,) = summarize(measured("ours", [1.0, 2.0]), measured("ours", [1.0, 2.0]))
    promised = "variant lines database seconds lines_per_second queries peak_mb ratio_to_floor ratio_to_oca"
    assert list(json.loads(harness.json_line(values))) == promised.split()


def test_each_repetition_begins_with_another_variant():
    assert [harness.rotated("abc", number)[0] for number in range(4)] == ["a", "b", "c", "a"]


def test_a_table_shows_what_is_not_known_as_a_dash():
    assert harness.table(["name", "n"], [["a", 1234], ["b", None]], markdown=True) == [
        "| name |     n |",
        "| ---- | ----: |",
        "| a    | 1,234 |",
        "| b    |     – |",
    ]


# -------------------------------------------------------------------------
# WHAT IS MEASURED
# -------------------------------------------------------------------------


def test_a_second_synchronization_brings_its_first_one_along():
    assert chosen_chains(["ours_resync_1pct"]) == [["ours", "ours_resync_1pct"]]


def test_above_its_limit_oca_is_left_out():
    assert chosen_chains(["floor", "oca_resync", "oca_daily"], without_oca=True) == [["floor"]]


@pytest.mark.parametrize("mistake", ["--lines=0", "--lines=x", "--variants=ous", "--database=old", "--repeat=-1"])
def test_a_misspelt_option_is_no_measurement(mistake, capsys):
    with pytest.raises(SystemExit):
        bench_import.parse([mistake])
    assert "error" in capsys.readouterr().err


def test_results_can_be_shown_again(tmp_path, monkeypatch):
    printed, file = [], tmp_path / "results.jsonl"
    monkeypatch.setattr(harness, "result", printed.append)
    results = summarize(measured("ours", [1.0]), measured("ours", [1.0]))
    file.write_text("\n".join(map(harness.json_line, results)), encoding="utf-8")
    assert bench_import.main(["--from", str(file), "--json"]) == 0
    assert [json.loads(line) for line in printed] == results


@pytest.mark.parametrize("text", ["no JSON", '{"variant": "ours"}'])
def test_what_are_no_results_is_not_shown(tmp_path, text):
    file = tmp_path / "results.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Trouble, match="json prints"):
        bench_import.main(["--from", str(file)])


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


def benchmark_databases():
    rows = sql.query(f"SELECT datname FROM pg_database WHERE starts_with(datname, '{harness.PREFIX}')")
    return {name for (name,) in rows}
