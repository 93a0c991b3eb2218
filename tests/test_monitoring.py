"""The alert rules, loaded and tried by Prometheus' own tool."""

import json
import subprocess

import pytest
import yaml

from environment import debian_programs, paths

ALERTS = paths.ROOT / "docs" / "prometheus_alerts.yml"
BOARD = paths.ROOT / "docs" / "grafana_board.json"
#: Two machines, which read the same from the database and count what they do themselves.
MACHINES = ("one:8069", "two:8069")


@pytest.fixture(scope="module")
def promtool():
    try:
        return debian_programs.find("promtool")
    except debian_programs.Missing as reason:
        pytest.skip(str(reason))


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_alert_rules(promtool):
    run(promtool, "check", "rules", ALERTS)


def test_prometheus_understands_what_the_board_asks(promtool, tmp_path):
    panels = [panel for panel in json.loads(BOARD.read_text())["panels"] if panel["type"] != "row"]
    asked = [target["expr"].replace("$__rate_interval", "5m") for panel in panels for target in panel["targets"]]
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(asked)]
    file = tmp_path / "board.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    run(promtool, "check", "rules", file)


def on_both(series, values):
    """:return: the series as both machines give it"""
    name, _brace, labels = series.rstrip("}").partition("{")
    return [
        {"series": f'{name}{{{labels}{"," * bool(labels)}job="proxy",instance="{machine}"}}', "values": values}
        for machine in MACHINES
    ]


def fires(promtool, tmp_path, alert, series, minutes, *labels):
    """:param labels: of the alerts that are expected, each a dict"""
    expected = [{"exp_labels": one, "exp_annotations": annotations_of(alert, one)} for one in labels]
    test = {
        "interval": "1m",
        "input_series": series,
        "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": expected}],
    }
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [test]}))
    run(promtool, "test", "rules", file)


def annotations_of(alert, labels):
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    (rule,) = [rule for rule in rules if rule["alert"] == alert]
    filled = rule["annotations"]
    for name, value in labels.items():
        filled = {key: text.replace(f"{{{{ $labels.{name} }}}}", value) for key, text in filled.items()}
    return filled


def test_errors_that_two_machines_show_are_not_counted_twice(promtool, tmp_path):
    series = on_both('bank_sync_errors_recent{code="unexpected_answer",actor="us"}', "3x60")
    fires(promtool, tmp_path, "BankSyncOurErrors", series, 30)
    series = on_both('bank_sync_errors_recent{code="unexpected_answer",actor="us"}', "4x60")
    labels = {"code": "unexpected_answer", "severity": "ticket"}
    fires(promtool, tmp_path, "BankSyncOurErrors", series, 30, labels)


def test_one_machine_that_is_down_is_named(promtool, tmp_path):
    series = [
        *on_both('bank_sync_clients{state="active"}', "5x10 _x50"),
        {"series": 'up{job="proxy",instance="one:8069"}', "values": "1x60"},
        {"series": 'up{job="proxy",instance="two:8069"}', "values": "1x10 0x50"},
        {"series": 'up{job="another",instance="three:9100"}', "values": "0x60"},
    ]
    fires(promtool, tmp_path, "BankSyncMachineDown", series, 5)
    labels = {"instance": "two:8069", "job": "proxy", "severity": "page"}
    fires(promtool, tmp_path, "BankSyncMachineDown", series, 30, labels)


def test_provider_most_of_whose_calls_fail_is_named(promtool, tmp_path):
    calls = 'bank_sync_provider_calls_total{provider="%s",call="accounts",outcome="%s"}'
    series = [
        *on_both(calls % ("plaid", "ok"), "0+1x60"),
        *on_both(calls % ("plaid", "provider_unavailable"), "0+5x60"),
        # A mistyped password is not a failure of the provider.
        *on_both(calls % ("ponto", "ok"), "0+1x60"),
        *on_both(calls % ("ponto", "credentials_rejected"), "0+5x60"),
    ]
    labels = {"provider": "plaid", "severity": "page"}
    fires(promtool, tmp_path, "BankSyncProviderFails", series, 50, labels)


def test_provider_without_news_for_a_day_is_named_once(promtool, tmp_path):
    series = [
        *on_both('bank_sync_newest_success_age_seconds{provider="plaid"}', "90000x120"),
        *on_both('bank_sync_newest_success_age_seconds{provider="bunq"}', "90000x120"),
        *on_both('bank_sync_connections{state="connected",provider="plaid"}', "3x120"),
        *on_both('bank_sync_connections{state="connected",provider="bunq"}', "0x120"),
    ]
    fires(promtool, tmp_path, "BankSyncProviderSilent", series, 100, {"provider": "plaid", "severity": "page"})
