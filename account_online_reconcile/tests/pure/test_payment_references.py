"""Structured references. The examples are those of the standards' own documents, as far as python-stdnum and Odoo's
localizations quote them."""

import pytest
from stdnum.iso7064 import mod_97_10

from account_online_reconcile.matching.references import Reference, read, read_whole

EXAMPLES = {
    "rf": ("RF18 5390 0754 7034", "RF18539007547034"),
    "be": ("+++010/8068/17183+++", "010806817183"),
    "ch": ("21 00000 00003 13947 14300 09017", "210000000003139471430009017"),
    "fi": ("12345 67897", "1234567897"),
    "nl": ("5000056789012345", "5000056789012345"),
    "si": ("SI01 12-26-347", "011226347"),
}


@pytest.mark.parametrize("scheme", EXAMPLES)
def test_a_reference_is_read_out_of_words_around_it(scheme):
    written, number = EXAMPLES[scheme]
    assert Reference(scheme, number) in read(f"Payment of {written} with thanks")


@pytest.mark.parametrize("scheme", EXAMPLES)
def test_a_reference_in_a_field_of_its_own_is_read(scheme):
    written, number = EXAMPLES[scheme]
    assert Reference(scheme, number) in read_whole(written)


@pytest.mark.parametrize("scheme", ["rf", "be", "ch", "fi", "nl", "si"])
def test_a_wrong_check_digit_is_not_a_reference(scheme):
    written, _number = EXAMPLES[scheme]
    wrong = written[:-5] + str((int(written[-5]) + 1) % 10) + written[-4:] if scheme == "be" else None
    wrong = wrong or written[:-1] + str((int(written[-1]) + 1) % 10)
    assert scheme not in {reference.scheme for reference in read(wrong)}


@pytest.mark.parametrize("text", ["***010/8068/17183***", "010/8068/17183", "010806817183", "OGM 010806817183 merci"])
def test_a_belgian_reference_is_read_however_it_is_written(text):
    assert Reference("be", "010806817183") in read(text)


@pytest.mark.parametrize("place", range(1, 32))
def test_a_reference_is_read_across_the_end_of_a_line(place):
    text = EXAMPLES["ch"][0]
    assert Reference("ch", EXAMPLES["ch"][1]) in read(f"{text[:place]}\n{text[place:]}")


def test_a_finnish_reference_within_rf_is_also_the_finnish_one():
    """Finland's RF reference is its own one behind RF and two check digits."""
    check_digits = mod_97_10.calc_check_digits("1234567897RF")
    assert Reference("fi", "1234567897") in read(f"RF{check_digits} 1234 5678 97")


def test_zeros_before_a_reference_say_nothing():
    assert read("00000000001234567897") & read_whole("1234567897")


@pytest.mark.parametrize("written", ["+71<000000001234566+12345678<", "000000001234566", "1234566"])
def test_a_danish_card_a_swedish_and_a_norwegian_number_have_a_luhn_digit(written):
    assert Reference("luhn", "1234566") in read_whole(written)


def test_a_norwegian_number_may_have_a_digit_of_modulo_11():
    assert Reference("no", "12345678903") in read("KID 12345678903")


def test_digits_of_a_stricter_reference_are_no_reference_themselves():
    assert {reference.scheme for reference in read("+++010/8068/17183+++ RF18 5390 0754 7034")} == {"be", "rf"}


def test_digits_within_a_word_are_no_reference():
    assert not read("MANDATE M1234566X")


def test_a_number_with_words_is_not_a_reference_of_a_field():
    assert not read_whole("INV/2026/00026")


def test_a_text_without_end_is_read_up_to_a_limit():
    assert read("7 " * 100_000) == frozenset()
