"""What a person reads who chooses a provider, and what a key looks like."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bank_sync_proxy.providers import PROVIDERS, forms, provider_class
from bank_sync_proxy.providers.facts import (
    AUDIENCES,
    CALLBACK,
    CLOSED,
    CONTRACT,
    DEMONSTRATION,
    ONE_BANK,
    OPEN,
    WEBHOOK,
)
from bank_sync_proxy.providers.types import Setting
from bank_sync_proxy.tests.pure.enable_banking_server import pem
from bank_sync_proxy.tests.pure.tls_server import client

CODES = [code for code, _label, _name in PROVIDERS]
#: What a value looks like for each rule that an adapter declares; and what is often pasted instead.
RIGHT = {
    ("enable_banking", "application_id"): "cf589be3-3755-465b-a8df-a90a16a31403",
    ("fints", "product_id"): "9FA6681DEC0CF3046BFC2F8A6",
    ("mollie", "booked_balance"): "available and pending",
    ("paypal", "hold_codes"): "T1110, T15,T21",
    ("plaid", "client_name"): "Our Books",
    ("plaid", "countries"): "US, CA",
    ("plaid", "webhook_url"): "https://books.example.com/bank_sync/webhook/plaid",
    ("revolut_business", "fees"): "inside",
    ("salt_edge", "webhook_url"): "https://books.example.com/bank_sync/webhook/salt_edge",
    ("teller", "purchases"): "positive",
    ("yodlee", "fastlink_url"): "https://fl4.sandbox.yodlee.com/authenticate/restserver/fastlink",
    ("yodlee", "api_url"): "https://api.yodlee.uk/ysl",
}
WRONG = {
    "application_id": ("cf589be3", "My Application", "-----BEGIN PRIVATE KEY-----"),
    "product_id": ("9FA6681DEC0CF3046BFC2F8A", "9FA6681DEC0CF3046BFC2F8A6-1"),
    "client_name": ("x" * 31,),
    "hold_codes": ("T1", "1110", "T1110 T15"),
    "booked_balance": ("pending", "Available"),
    "countries": ("USA", "us,ca", "US;CA"),
    "webhook_url": ("http://books.example.com", "books.example.com", "https://books example.com"),
    "fees": ("none", "Inside"),
    "purchases": ("yes", "Positive"),
    "fastlink_url": ("fl4.sandbox.yodlee.com",),
    "api_url": ("http://api.yodlee.uk/ysl",),
}


def facts_of(code):
    return provider_class(code).facts


def setting_of(code, name):
    return next(setting for setting in provider_class(code).settings_needed if setting.name == name)


@pytest.mark.parametrize("code", CODES)
def test_provider_declares_every_fact_that_a_choice_needs(code):
    facts = facts_of(code)
    assert facts.region and facts.price and facts.needs and facts.steps
    assert set(facts.audience) <= set(AUDIENCES)
    assert all(re.fullmatch("[A-Z]{2}", country) for country in facts.countries)
    if not (facts.closed or provider_class(code).demonstration):
        assert facts.terms and facts.terms_urls and facts.audience
    for address in (facts.signup_url, *(url for _title, url in facts.terms_urls)):
        assert not address or address.startswith("https://")


@pytest.mark.parametrize("code", CODES)
def test_provider_names_the_sources_of_its_facts(code):
    sources = facts_of(code).sources
    assert sources.endswith(".") and "|" not in sources


@pytest.mark.parametrize("code", CODES)
def test_steps_contain_no_other_blanks_than_our_addresses(code):
    for step in facts_of(code).steps:
        assert "%" not in step.replace(CALLBACK, "").replace(WEBHOOK, "")


def test_a_provider_with_a_list_of_its_own_reaches_the_countries_it_names():
    for code in ("bunq", "fints", "ponto", "qonto", "revolut_business", "simplefin"):
        # SimpleFIN also has an entry for servers of no particular country.
        listed = {bank.country for bank in provider_class(code)().institutions() if bank.country}
        assert set(facts_of(code).countries) == listed, code


def test_who_leads_back_by_a_browser_asks_for_our_address():
    assert [code for code in CODES if facts_of(code).asks_for(CALLBACK)] == ["enable_banking"]
    assert {code for code in CODES if facts_of(code).asks_for(WEBHOOK)} == {
        code for code in CODES if facts_of(code).webhooks and not provider_class(code).demonstration
    }


def test_a_country_is_reached_by_who_names_it_or_names_none():
    reached = [code for code in CODES if facts_of(code).reaches("BE")]
    assert reached == [
        *("bunq", "enable_banking", "gocardless", "mollie", "paypal", "ponto", "qonto", "revolut_business"),
        *("salt_edge", "sandbox", "stripe"),
    ]


def test_cards_begin_with_what_anybody_can_begin_today():
    groups = {code: facts_of(code).group(provider_class(code).demonstration) for code in CODES}
    assert groups == {
        **dict.fromkeys(("enable_banking", "fints", "plaid", "ponto", "simplefin", "teller"), OPEN),
        **dict.fromkeys(("bunq", "mollie", "paypal", "qonto", "revolut_business", "stripe"), ONE_BANK),
        **dict.fromkeys(("salt_edge", "yodlee"), CONTRACT),
        "sandbox": DEMONSTRATION,
        "gocardless": CLOSED,
    }


def test_enable_banking_promises_nothing_about_commercial_use():
    facts = facts_of("enable_banking")
    assert "non-commercial" in facts.terms and "restricted mode" in facts.terms
    assert len(facts.terms_urls) == 2


# -------------------------------------------------------------------------
# FORM OF KEYS
# -------------------------------------------------------------------------


def test_every_rule_of_a_setting_has_an_example_here_and_a_sentence():
    declared = {
        (code, setting.name) for code in CODES for setting in provider_class(code).settings_needed if setting.pattern
    }
    assert declared == set(RIGHT)
    assert all(setting_of(*where).expects for where in declared)


@pytest.mark.parametrize("where", RIGHT)
def test_a_value_of_the_right_form_is_taken_and_others_are_not(where):
    setting = setting_of(*where)
    assert forms.fault(setting, RIGHT[where]) is None
    assert forms.fault(setting, f" {RIGHT[where]}\n") is None, "space around it does not matter"
    for value in WRONG[setting.name]:
        assert forms.fault(setting, value) == setting.expects, value


def test_a_default_has_the_right_form():
    for code in CODES:
        for setting in provider_class(code).settings_needed:
            assert forms.fault(setting, setting.default) is None, (code, setting.name)


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_value_has_no_form(value):
    assert forms.fault(Setting("key", "Key", type="key", pattern="x", expects="An x."), value) is None


def test_a_private_key_is_readable_rsa_without_a_password():
    setting = Setting("key", "Key", type="key")
    key = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert forms.fault(setting, key) is None
    assert forms.fault(setting, key.replace("\n", " ")) is None, "pasted into one line"
    for value in ("nonsense", key[:200], pem(ec.generate_private_key(ec.SECP256R1()))):
        fault = forms.fault(setting, value)
        assert fault == forms.NO_KEY and value not in fault


def test_a_certificate_comes_with_a_key_of_either_kind():
    certificate, key = client()
    for setting, values in (
        (Setting("certificate", "Certificate", type="certificate"), [certificate]),
        (Setting("key", "Key", type="tls_key"), [key, pem(ec.generate_private_key(ec.SECP256R1()))]),
    ):
        for value in values:
            assert forms.fault(setting, value) is None
            assert forms.fault(setting, value.replace("\n", " ")) is None, "pasted into one line"
            assert forms.fault(setting, value[:200]) == forms.FILES[setting.type][1]
    assert forms.fault(Setting("key", "Key", type="tls_key"), certificate) == forms.NO_TLS_KEY
    assert forms.fault(Setting("certificate", "Certificate", type="certificate"), key) == forms.NO_CERTIFICATE


def test_a_number_has_digits_only():
    setting = Setting("hours", "Hours", type="integer")
    assert forms.fault(setting, "24") is None
    assert forms.fault(setting, "a day") == forms.NO_NUMBER
