"""Values of files: what is checked here by our own means is what python-stdnum says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, numdb

from odoo.addons.bank_sync_common.tools.numbers import iban_parts

from bank_statement_formats.formats import values

#: Countries of the registry of IBANs, and some letters that are none.
COUNTRIES = [
    *(first + second for first in "ABCDEFGHIKLMNPQRSTUVX" for second in "ABDEGHIKLMNOPQRSTUVWXYZ"),
    "JJ",
]
REAL = [country for country in COUNTRIES if "bban" in numdb.get("iban").info(country)[0][1]]


def body(country):
    """:return: strategy of what follows the check digits"""
    parts = (st.text(sorted(letters), min_size=size, max_size=size) for size, letters in iban_parts(country))
    return st.tuples(*parts).map("".join)


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


def test_an_iban_is_recognised_with_any_grouping():
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


@pytest.mark.parametrize(
    ("iban", "number"),
    [
        ("NL91ABNA0417164300", "417164300"),
        ("NL91ABNA0417164300", "0417.164.300"),
        ("DE89370400440532013000", "532013000"),
        ("DE89370400440532013000", "37040044/0532013000"),
        ("GB29NWBK60161331926819", "60-16-13 31926819"),
        ("GB29NWBK60161331926819", "31926819"),
        ("FR1420041010050500013M02606", "20041 01005 0500013M026 06"),
        ("FR1420041010050500013M02606", "0500013M026"),
        ("ES9121000418450200051332", "2100 0418 45 0200051332"),
        ("BE68539007547034", "539-0075470-34"),
        ("CH9300762011623852957", "11623852957"),
        ("IT60X0542811101000000123456", "X 05428 11101 000000123456"),
    ],
)
def test_an_iban_is_the_same_account_as_the_number_that_it_contains(iban, number):
    assert values.is_same_account(iban, number)
    assert values.is_same_account(number, iban)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NL91ABNA0417164300", "17164300"),
        ("NL91ABNA0417164300", "41716430"),
        ("NL91ABNA0417164300", "NL20INGB0001234567"),
        ("DE89370400440532013000", "013000"),
        ("DE89370400440532013000", "37040044"),
        ("NL91ABNA0417164300", ""),
        ("", ""),
        (None, None),
        ("12345678", "2345678"),
    ],
)
def test_a_part_that_is_not_an_account_number_proves_nothing(one, other):
    assert not values.is_same_account(one, other)


@given(st.data(), st.sampled_from(REAL))
def test_every_country_s_ibans_contain_the_number_of_their_bank(data, country):
    number = data.draw(body(country))
    whole = country + iban.calc_check_digits(f"{country}00{number}") + number
    if len(number.lstrip("0")) >= values.SHORTEST_NATIONAL and not values.iban(number):
        assert values.is_same_account(whole, number)
