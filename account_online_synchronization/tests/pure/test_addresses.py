import pytest

from account_online_synchronization.client.addresses import BadAddress, clean_address, page_address


@pytest.mark.parametrize(
    "text, address",
    [
        (" banks.example.com ", "https://banks.example.com"),
        ("https://Banks.example.com/", "https://banks.example.com"),
        ("https://example.com:8443/banks//", "https://example.com:8443/banks"),
        ("http://localhost:8069", "http://localhost:8069"),
        ("http://127.0.0.1:8069/", "http://127.0.0.1:8069"),
        ("http://[::1]:8069", "http://[::1]:8069"),
    ],
)
def test_addresses_are_tidied_up(text, address):
    assert clean_address(text) == address


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", "not a valid address"),
        (None, "not a valid address"),
        ("ftp://example.com", "not a valid address"),
        ("https://", "not a valid address"),
        ("https://exa mple.com", "not a valid address"),
        ("https://example.com:port", "not a valid address"),
        ("https://user:password@example.com", "must not contain"),
        ("https://example.com/?database=x", "must not contain"),
        ("https://example.com/#x", "must not contain"),
        ("http://example.com", "https://"),
        ("http://10.0.0.1", "https://"),
        ("http://localhost.example.com", "https://"),
        ("http://127.0.0.1.example.com", "https://"),
    ],
)
def test_invalid_and_unencrypted_addresses_are_refused_with_the_reason(text, sentence):
    with pytest.raises(BadAddress, match=sentence):
        clean_address(text)


BASE = "https://example.com/banks"


@pytest.mark.parametrize(
    "page, address",
    [
        ("/bank_sync/connect/t", "https://example.com/banks/bank_sync/connect/t"),
        ("//elsewhere.example", "https://example.com/banks//elsewhere.example"),
        ("https://example.com/banks/x", "https://example.com/banks/x"),
        ("https://EXAMPLE.com:443/x", "https://EXAMPLE.com:443/x"),
    ],
)
def test_pages_of_the_proxy(page, address):
    assert page_address(BASE, page) == address


@pytest.mark.parametrize(
    "page",
    [
        "https://elsewhere.example/",
        "http://example.com/",
        "https://example.com:444/",
        "https://example.com@elsewhere.example/",
        "https://user@example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "page",
        "",
        "/bank\nsync",
        "/bank\\sync",
        "https://[/",
    ],
)
def test_pages_of_others_are_refused(page):
    with pytest.raises(BadAddress):
        page_address(BASE, page)
