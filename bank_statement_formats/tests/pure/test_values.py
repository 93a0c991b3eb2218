"""Values of files: what is checked here by our own means is what python-stdnum says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, numdb

from bank_statement_formats.formats import values

#: Countries of the registry of IBANs, and some letters that are none.
COUNTRIES = [
    *(first + second for first in "ABCDEFGHIKLMNPQRSTUVX" for second in "ABDEGHIKLMNOPQRSTUVWXYZ"),
    "JJ",
]
REAL = [country for country in COUNTRIES if "bban" in numdb.get("iban").info(country)[0][1]]


def body(country):
    """:return: strategy of what follows the check digits"""
    return st.from_regex(values._iban_structure(country), fullmatch=True)


@given(st.data(), st.sampled_from(REAL))
def test_ibans_of_all_countries_are_those_of_stdnum(data, country):
    number = data.draw(body(country))
    whole = country + iban.calc_check_digits(f"{country}00{number}") + number
    assert iban.is_valid(whole, check_country=False)
    assert values.iban(whole) == whole


@given(st.sampled_from(COUNTRIES), st.text("0123456789ABCXYZ", min_size=9, max_size=32), st.booleans())
def test_numbers_that_stdnum_refuses_are_no_ibans(country, number, right):
    checks = iban.calc_check_digits(f"{country}00{number}") if right else "00"
    assert bool(values.iban(country + checks + number)) == iban.is_valid(country + checks + number, check_country=False)


def test_an_iban_is_recognised_whatever_groups_its_digits():
    for written in ("DE89 3704 0044 0532 0130 00", "DE89-3704-0044-0532-0130-00", "de89.3704.0044.0532.0130.00"):
        assert values.iban(written) == "DE89370400440532013000"


@pytest.mark.parametrize("word", sorted(values.PLACEHOLDERS | values.NOTHINGS))
def test_placeholders_are_no_texts_however_they_are_written(word):
    for written in (word, f" {word} ", f"/{word}/", f"{word}."):
        assert word in values.NOTHINGS or values.text(written) is None, written
    assert values.text(word) is None


def test_texts_that_begin_like_a_placeholder_are_kept():
    assert [values.text(word) for word in ("Nadal", "Unknown Pleasures Ltd", "Überweisung", "NA 1")] == [
        "Nadal",
        "Unknown Pleasures Ltd",
        "Überweisung",
        "NA 1",
    ]
