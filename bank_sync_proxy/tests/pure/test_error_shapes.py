"""Errors in undocumented shapes end as coded failures, whatever the adapter expected."""

import itertools
import json
import logging
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bank_sync_proxy.providers.errors import ProviderError
from bank_sync_proxy.providers.http import Answer
from bank_sync_proxy.tests.pure.contract import CODES, LIBRARIES, script_class
from bank_sync_proxy.tests.pure.scripted import Case
from environment import thorough

pytestmark = pytest.mark.parametrize("code", CODES)

#: Names under which providers put what went wrong.
NAMES = (
    *("error", "errors", "errlist", "code", "class", "type", "detail", "summary", "message", "meta", "title"),
    *("error_code", "error_type", "error_code_reason", "errorCode", "errorMessage", "referenceCode", "trace_id"),
    *("request_id", "error_message", "msg", "tppMessages", "status", "date_from", "access_scope", "requestId"),
)
SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
BODIES = JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)
#: The operations of a connection that exists.
REQUESTS = {
    "empty": lambda script: script.adapter.transactions(script.state, script.account),
    "accounts": lambda script: script.adapter.accounts(script.state),
    "refresh": lambda script: script.adapter.refresh(script.state),
}


@pytest.fixture(autouse=True)
def have_the_library(code):
    if library := LIBRARIES.get(code):
        pytest.importorskip(library)


@pytest.fixture
def script(code, caplog):
    caplog.set_level(logging.CRITICAL)
    script = script_class(code)()
    yield script
    script.server.close()


FIXED = [
    *(b"", b"null", b"[]", b'"text"', b"{}", b"<html>", b"\xff\xfe", b"7", b'{"error": "text"}', b'{"error": []}'),
    *(
        b'{"errors": {"code": "x"}}',
        b'{"errors": "text"}',
        b'{"errors": [null]}',
        b'{"errors": [[]]}',
        b'{"errors": []}',
    ),
    *(b'{"error": {"class": {}}}', b'{"error": {"class": ["x"], "message": {}}}', b'{"type": {}, "detail": []}'),
    *(b'{"errorCode": {}, "errorMessage": []}', b'{"error_type": [], "error_code": 7, "error_message": {}}'),
    *(b'{"errors": [{"code": {}, "detail": [], "meta": "x"}]}', b"[" * 5000 + b"]" * 5000),
]


HEADERS = ("", "\u00b2", "9" * 5000, "-1", "soon", "99999999999")
STATUSES = (400, 401, 403, 404, 409, 422, 429, 500, 503)
KINDS = ("application/json", "text/html", "")


def test_a_failed_answer_of_a_known_odd_shape_has_a_code(script):
    combinations = list(itertools.product(STATUSES, KINDS, HEADERS, FIXED))
    if not thorough.IS_ON:
        combinations = random.Random(script.code).sample(combinations, 500)
    for status, kind, header, body in combinations:
        headers = {"Content-Type": kind, "Retry-After": header, "HTTP_X_RATELIMIT_REMAINING": "0"}
        headers["HTTP_X_RATELIMIT_RESET"] = header
        error = script.adapter.parse_error(Answer(status, headers, body))
        assert isinstance(error, ProviderError) and str(error)
        assert error.retry_after is None or 0 <= error.retry_after <= 7 * 86400
        json.dumps(error.to_protocol())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=st.integers(400, 599), body=BODIES)
def test_a_failed_answer_of_any_shape_has_a_code(script, status, body):
    error = script.adapter.parse_error(Answer(status, {"Content-Type": "application/json"}, body))
    assert isinstance(error, ProviderError) and str(error)
    assert error.provider_code is None or isinstance(error.provider_code, str)
    json.dumps(error.to_protocol())


def play_spoilt(script, name, number, answer):
    """Answer whatever is asked as a case says, and one of its exchanges in another way."""
    exchanges = Case(script.code, name).exchanges
    spoilt = {"ask": exchanges[number]["ask"], **answer}

    def find(request):
        path = script.server.prefix
        same = [e for e in exchanges if f"{path}{e['ask'].split(' ')[1].split('?')[0]}" == request.path]
        return spoilt if same and same[0] is exchanges[number] else (same or [{"ask": "", "status": 404}])[0]

    script.server._next, script.server._compare = find, lambda exchange, request: None
    script.server.complaints.clear()


def spoil(value, path, odd):
    """:return: the same JSON with something odd in the place that numbers lead to"""
    if not path or not isinstance(value, dict | list) or not value:
        return odd
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[key] = spoil(value[key], path[1:], odd)
    return changed


@pytest.mark.parametrize("name", REQUESTS)
@settings(max_examples=thorough.rounds(4, 10, 50), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_answer_of_another_shape_is_a_coded_failure_or_is_read(script, name, data):
    if script.code == "fints":
        pytest.skip("FinTS has no JSON: test_a_failed_answer_of_any_shape_has_a_code covers what HTTP can say")
    exchanges = Case(script.code, name).exchanges
    if not exchanges:
        pytest.skip("nothing is asked: the state has it all")
    number = data.draw(st.integers(0, len(exchanges) - 1))
    documented = script.fill(exchanges[number].get("answer"))
    odd = data.draw(JSON)
    answer = data.draw(
        st.one_of(
            st.builds(lambda path: spoil(documented, path, odd), st.lists(st.integers(0, 9), max_size=4)),
            st.just(odd),
            st.sampled_from(["error", "errors", "errlist"]).map(
                lambda key: {**documented, key: odd} if isinstance(documented, dict) else {key: odd}
            ),
        )
    )
    status = data.draw(st.sampled_from([200, 200, 200, 400, 401, 403, 404, 409, 422, 429, 500]))
    play_spoilt(script, name, number, {"answer": answer, "status": status})
    script.adapter = script.new_adapter()
    try:
        REQUESTS[name](script)
    except ProviderError as error:
        json.dumps(error.to_protocol())
