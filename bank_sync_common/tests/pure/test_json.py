"""JSON from outside means what Python's own decoder says, whichever decoder reads it.

``parse_json`` reads with msgspec, because it is faster, and with :mod:`json` what msgspec refuses. That is right only
if msgspec accepts nothing that :mod:`json` refuses or reads in another way.
"""

import json
import math
from collections import UserString

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from odoo.addons.bank_sync_common.tools.bounded_http import MAX_DEPTH, SHALLOW, TooDeep, _is_shallow, parse_json


class Text(UserString):
    """A number with a fraction as it was written; nothing that is compared with it can lose a digit."""

    __hash__ = UserString.__hash__

    def __repr__(self):
        return f"Text({self.data!r})"

    def __float__(self):
        return float(self.data)


def refuse(name):
    raise ValueError(f"{name} is no JSON")


def standard(content):
    """:return: what Python's decoder reads, numbers as they were written"""

    def finite(text):
        if math.isinf(float(text)):
            raise ValueError("a number that is too large")
        return Text(text)

    return json.loads(content.decode("utf-8-sig"), parse_float=finite, parse_constant=refuse)


def depth_of(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


def outcome(function, content):
    """:return: the value with the types and the order of everything in it, or the error with its sentence"""
    try:
        value = function(content)
    except ValueError as error:
        return type(error), str(error)
    return "value", repr(value)


def check(content):
    expected = outcome(standard, content)
    if expected[0] == "value" and depth_of(standard(content)) > MAX_DEPTH:
        expected = TooDeep, "nested too deeply"
    assert outcome(lambda content: parse_json(content, parse_float=Text), content) == expected


NUMBERS = st.one_of(
    st.from_regex(r"-?[0-9]{1,25}(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    st.from_regex(r"[-+0-9.eE]{1,12}", fullmatch=True),
    st.sampled_from(["-0", "-0.0", "00", "1.", ".5", "1e", "1E400", "-1e999", "NaN", "-Infinity", "Infinity", "--1"]),
    st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1]).map(str),
    st.integers(4_290, 4_310).map(lambda digits: "9" * digits),
)
ESCAPES = st.sampled_from(
    [
        r"\u00e9",
        r"\ud83d\ude00",
        r"\ud83d",
        r"\ude00",
        r"\ud83d\u0041",
        r"\u0000",
        r"\n",
        r"\/",
        r"\"",
        r"\\",
        r"\x",
        r"\u12",
    ]
)
TEXTS = st.lists(st.one_of(st.text(max_size=8), ESCAPES), max_size=4).map(lambda parts: f'"{"".join(parts)}"')
SPACES = st.sampled_from(["", "", "", " ", "\n\t\r ", "\x0b", "\xa0", "\ufeff", "\x00"])


def joined(brackets):
    return lambda parts: brackets[0] + ",".join(parts) + brackets[1]


def containers(inner):
    pairs = st.tuples(st.one_of(TEXTS, st.sampled_from(['"a"', '"b"'])), SPACES, inner)
    return st.one_of(
        st.lists(inner, max_size=5).map(joined("[]")),
        st.lists(pairs.map(lambda p: ":".join((p[0], p[1] + p[2]))), max_size=5).map(joined("{}")),
    )


DOCUMENTS = st.tuples(
    SPACES,
    st.recursive(st.one_of(NUMBERS, TEXTS, st.sampled_from(["true", "false", "null", "tru", "nulll", ""])), containers),
    SPACES,
).map(lambda parts: "".join(parts).encode())
#: What damages a document: bytes that mean something, or that are no UTF-8.
BYTES = st.one_of(
    st.sampled_from([b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"0", b"-", b".", b"e", b" ", b"\x00", b"\x1f"]),
    st.sampled_from(
        [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"//", b"/**/", b"'"]
    ),
    st.binary(max_size=3),
)


@given(DOCUMENTS)
@example(b'{"a":1,"b":2,"a":3}')
@example(b'\xef\xbb\xbf{"a":"\\ud83d"}')
def test_any_document_reads_as_pythons_own_decoder_reads_it(content):
    check(content)


@given(DOCUMENTS, st.data())
def test_damaged_document_reads_as_pythons_own_decoder_reads_it(content, data):
    for _time in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(content)))
        end = min(len(content), begin + data.draw(st.integers(0, 3)))
        content = content[:begin] + data.draw(BYTES) + content[end:]
    check(content)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.integers(0),
)
def test_document_that_was_cut_off_is_refused_as_pythons_own_decoder_refuses_it(value, length):
    content = json.dumps(value).encode()
    check(content[: length % (len(content) + 1)])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_without_further_demands_is_the_float_of_its_text(number):
    (value,) = parse_json(json.dumps([number]).encode())
    assert type(value) is float
    assert repr(value) == repr(number)


@pytest.mark.parametrize("number", ["0.1", "89.40000000000001", "1.10", "1E-7", "123456789012345678901234567890.123"])
def test_number_with_a_fraction_keeps_every_digit_of_its_text(number):
    assert parse_json(f'{{"amount": {number}}}'.encode(), parse_float=Text)["amount"].data == number


@pytest.mark.parametrize("number", ["0", "-0", "18446744073709551616", "-" + "9" * 60])
def test_whole_number_of_any_size_is_exact(number):
    (value,) = parse_json(f"[{number}]".encode())
    assert type(value) is int
    assert value == int(number)


def test_text_that_a_bank_cut_inside_an_emoji_is_read():
    assert parse_json(b'["Thank you \\ud83d"]') == ["Thank you \ud83d"]


def test_answer_that_was_cut_off_can_be_told_from_other_faults():
    with pytest.raises(json.JSONDecodeError) as caught:
        parse_json(b'{"transactions": [{"id": "1"')
    assert caught.value.doc == '{"transactions": [{"id": "1"'


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":', b" [ "])
@pytest.mark.parametrize("closing", [b"", b"]", b"}"])
def test_endless_nesting_is_refused_and_ends_nothing(opening, closing):
    with pytest.raises(ValueError):
        parse_json(opening * 300_000 + closing * 300_000)


@pytest.mark.parametrize(
    "text", [b'"]"', b'"}]"', b'"\\"]"', b'"\\\\","]"', b'"","]"', b'"[","]]"', b'"\\u005d"', b'"][",""']
)
def test_nesting_that_brackets_in_texts_disguise_is_refused(text):
    for levels in (MAX_DEPTH + 2, 500):
        with pytest.raises(TooDeep):
            parse_json((b"[" + text + b",") * levels + b"0" + b"]" * levels)
        with pytest.raises(TooDeep):
            parse_json((b'{"a":[' + text + b",") * levels + b"0" + b"]}" * levels)


@pytest.mark.parametrize("text", [b'"[[["', b'"]]]"', b'"{}"', b'"\\"["', b'"\\\\"'])
def test_brackets_in_texts_are_no_nesting(text):
    content = b"[" + b",".join([text] * 200) + b"]"
    assert parse_json(content) == [json.loads(text)] * 200


@given(DOCUMENTS)
def test_content_that_is_called_shallow_has_few_levels(content):
    try:
        value = standard(content)
    except ValueError:
        return
    if _is_shallow(content.removeprefix(b"\xef\xbb\xbf")):
        assert depth_of(value) <= SHALLOW
