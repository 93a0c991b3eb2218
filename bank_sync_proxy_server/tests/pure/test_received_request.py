import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.bank_sync_proxy.providers.errors import ProviderError
from odoo.addons.bank_sync_proxy_server.tools.addresses import network_of
from odoo.addons.bank_sync_proxy_server.tools.received_request import MAX_DEPTH, ReceivedRequest, is_json, read_object

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=20,
)


def received(**changed):
    values = {
        "method": "POST",
        "version": 1,
        "path": "/bank_sync/1/accounts.list",
        "has_query": False,
        "headers": {"Content-Type": "application/json"},
        "body": b"{}",
        "address": "203.0.113.7",
    }
    return ReceivedRequest(**{**values, **changed})


def test_a_request_as_documented_is_read():
    assert received(body=b'{"a": [1, "\xc3\xa9"]}').payload() == {"a": [1, "é"]}
    assert received().operation == "accounts.list"


@pytest.mark.parametrize(
    "changed, code",
    [
        ({"version": 2}, "unsupported_version"),
        ({"method": "GET"}, "invalid_request"),
        ({"body": None}, "request_too_large"),
        ({"has_query": True}, "invalid_request"),
        ({"headers": {}}, "invalid_request"),
        ({"headers": {"Content-Type": "text/plain"}}, "invalid_request"),
        ({"path": "/bank_sync/1/accounts.list/"}, "invalid_request"),
        ({"path": "/bank_sync/1/"}, "invalid_request"),
        ({"path": "/bank_sync/1"}, "invalid_request"),
        ({"path": "/bank_sync/01/accounts.list"}, "invalid_request"),
        ({"body": b"[]"}, "invalid_request"),
        # The version is checked first: other versions may have another form.
        ({"version": 2, "body": None, "method": "GET"}, "unsupported_version"),
        ({"body": None, "headers": {}}, "request_too_large"),
    ],
)
def test_a_request_of_another_form_is_refused(changed, code):
    with pytest.raises(ProviderError) as raised:
        received(**changed).payload()
    assert raised.value.code == code


@given(st.binary())
def test_any_bytes_are_an_object_or_refused(body):
    try:
        assert isinstance(read_object(body), dict)
    except ValueError as error:
        assert str(error).startswith("the body ")


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_an_object_is_read_exactly_or_refused(value):
    try:
        assert read_object(json.dumps(value).encode()) == value
    except ValueError as error:
        assert str(error) in ("the body holds a NUL character", "the body is nested too deeply")


@pytest.mark.parametrize("depth", [1000, 30_000, 10**6])
def test_a_body_that_is_nested_deeply_is_refused_and_no_stack_overflows(depth):
    for body in (
        b'{"a":' * depth,
        b'{"a":' * depth + b"1" + b"}" * depth,
        b'{"a":' + b"[" * depth + b"]" * depth + b"}",
    ):
        with pytest.raises(ValueError):
            read_object(body)


def test_nesting_is_limited_to_an_exact_level():
    def nested(depth):
        return b'{"a":' * depth + b"1" + b"}" * depth

    assert read_object(nested(MAX_DEPTH - 1))
    with pytest.raises(ValueError, match="nested"):
        read_object(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "kind, expected",
    [
        ("application/json", True),
        ("Application/JSON; charset=UTF-8", True),
        ('application/json;charset="utf-8"', True),
        ("application/json; charset=latin-1", False),
        ("application/json-patch+json", False),
        ("text/json", False),
        ("application/json, text/html", False),
        ("", False),
    ],
)
def test_only_json_in_utf_8_is_json(kind, expected):
    assert is_json(kind) is expected


@pytest.mark.parametrize(
    "address, network",
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("somewhere", "unknown"),
    ],
)
def test_what_one_party_can_change_is_one_address(address, network):
    assert network_of(address) == network
