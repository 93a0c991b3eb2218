"""What the search screen shows of a bank, whatever the connection service says."""

from datetime import datetime

import pytest

from account_online_synchronization.client.banks import read_banks, read_capabilities, read_countries
from account_online_synchronization.client.health import Health

BANK = {
    "id": "plaid.1",
    "name": "A Bank",
    "country": "BE",
    "bic": "ABANBEBB",
    "logo": "https://logos.example/a.png",
    "status": "beta",
    "providers": [
        {"code": "plaid", "label": "Plaid", "institution_id": "plaid.1", "status": "beta"},
        {
            "code": "ponto",
            "label": "Ponto",
            "institution_id": "ponto.7",
            "status": "stable",
            "health": {"failed_of_ten": 0, "answered_at": None, "trouble": None},
        },
    ],
    "capabilities": {"auto_sync": False, "history_days": 90},
    "health": {"failed_of_ten": 3, "answered_at": "2026-05-20T08:00:00Z", "trouble": "institution_unavailable"},
}


def test_a_bank_is_shown_as_the_service_describes_it():
    assert read_banks([BANK]) == [
        {
            "id": "plaid.1",
            "name": "A Bank",
            "country": "BE",
            "bic": "ABANBEBB",
            "logo": "https://logos.example/a.png",
            "is_beta": True,
            "auto_sync": False,
            "history_days": 90,
            "health": Health(3, datetime(2026, 5, 20, 8)),
            "reconfirm_days": 0,
            "providers": [
                {"id": "plaid.1", "label": "Plaid", "is_beta": True, "health": None},
                {"id": "ponto.7", "label": "Ponto", "is_beta": False, "health": Health(0)},
            ],
        }
    ]


@pytest.mark.parametrize(
    "logo", ["http://plain.example/a.png", "javascript:alert(1)", "data:text/html,x", 7, None, "/x"]
)
def test_only_images_over_tls_or_in_the_page_are_logos(logo):
    assert read_banks([{**BANK, "logo": logo}])[0]["logo"] == ""


@pytest.mark.parametrize("broken", [None, "bank", {}, {"id": 1, "name": "x"}, {"id": "x", "name": ""}, {"name": "x"}])
def test_a_bank_that_cannot_be_shown_hides_no_other_one(broken):
    assert [bank["id"] for bank in read_banks([broken, BANK])] == ["plaid.1"]


def test_a_missing_capability_is_neither_promised_nor_warned_about():
    bank = read_banks([{"id": "x", "name": "X", "capabilities": "many", "providers": {"a": 1}}])[0]
    assert (bank["auto_sync"], bank["history_days"], bank["is_beta"], bank["providers"]) == (True, 0, False, [])


@pytest.mark.parametrize(
    "health", [None, "ill", [], {}, {"failed_of_ten": "3"}, {"failed_of_ten": 3.5}, {"failed_of_ten": -1}]
)
def test_a_health_that_cannot_be_read_is_not_known(health):
    assert read_banks([{**BANK, "health": health}])[0]["health"] is None


def test_a_moment_that_cannot_be_read_leaves_the_rest_of_a_health():
    assert read_banks([{**BANK, "health": {"failed_of_ten": 3, "answered_at": {}}}])[0]["health"] == Health(3)


def test_an_older_service_reports_no_countries():
    assert read_countries(None) is None
    assert read_countries(["BE", 7, "", "NLD", "NL"]) == ["BE", "NL"]


@pytest.mark.parametrize(("said", "read"), [(90, 90), (None, 0), (True, 0), (-1, 0), ("90", 0), (10**6, 0)])
def test_how_often_a_consent_is_confirmed_is_a_number_of_days_or_unknown(said, read):
    assert read_capabilities({"reconfirm_days": said})["reconfirm_days"] == read
