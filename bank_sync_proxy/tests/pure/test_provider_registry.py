import json
from dataclasses import asdict

import pytest

from bank_sync_proxy.providers import PROVIDERS, provider_class
from bank_sync_proxy.providers.base import Provider
from bank_sync_proxy.providers.errors import ConfigurationError
from bank_sync_proxy.providers.types import Institution, Setting

CODES = [code for code, _label, _name in PROVIDERS]


def test_the_registry_is_alphabetical_and_names_each_provider_once():
    assert sorted(set(CODES)) == CODES


@pytest.mark.parametrize("code", CODES)
def test_a_provider_is_what_the_registry_says(code):
    adapter = provider_class(code)
    assert issubclass(adapter, Provider)
    assert adapter.code == code == adapter.__module__.rsplit(".", 1)[1]
    assert adapter.label == next(label for registered, label, _name in PROVIDERS if registered == code)


def test_institutions_travel_as_json():
    # Those of providers with a network: test_contract.
    institutions = list(provider_class("sandbox")().institutions())
    assert len({institution.id for institution in institutions}) == len(institutions)
    for institution in institutions:
        json.dumps(asdict(institution))


def test_an_unknown_provider_is_a_key_error():
    with pytest.raises(KeyError):
        provider_class("nobody")


def test_a_missing_setting_is_the_administrator_s_business():
    class Keyed(Provider):
        code = "keyed"
        settings_needed = (Setting("key", "Application key", type="secret"), Setting("url", "URL", default="x"))

    with pytest.raises(ConfigurationError) as caught:
        Keyed(settings={"key": ""}).check_settings()
    assert caught.value.code == "provider_not_configured"
    assert "Application key" in str(caught.value)
    Keyed(settings={"key": "k"}).check_settings()


def test_what_an_adapter_does_not_implement_says_so():
    for call in (
        lambda provider: provider.institutions(),
        lambda provider: provider.start("x", None),
        lambda provider: provider.accounts({}),
        lambda provider: provider.transactions({}, "x"),
        lambda provider: provider.refresh({}),
    ):
        with pytest.raises(NotImplementedError):
            call(Provider())


def test_capabilities_that_are_not_known_are_null():
    assert Institution("x", "X", "BE").capabilities.to_protocol() == {
        "auto_sync": True,
        "history_days": None,
        "consent_days": None,
        "refreshes_per_day": None,
        "fetches_per_day": None,
        "reconfirm_days": None,
    }
