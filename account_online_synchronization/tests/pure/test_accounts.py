import pytest

from account_online_synchronization.sync.accounts import are_certainly_different, certain_number, facts, may_be_the_same

IBAN = "BE71 0961 2345 6769"
PLAIN = "BE71096123456769"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (IBAN, PLAIN),
        ("be71-0961-2345-6769", PLAIN),
        ("12.345.678", "12345678"),
        ("•••• 6769", ""),
        ("BE71****6769", ""),
        ("XXXXXXXX6769", ""),
        ("1234567", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_number_is_certain_only_if_it_is_written_out(number, expected):
    assert certain_number(number) == expected


def test_differently_written_numbers_are_the_same_account():
    assert not are_certainly_different(IBAN, PLAIN.lower())
    assert are_certainly_different(IBAN, "BE68 5390 0754 7034")


@pytest.mark.parametrize("other", ["•••• 7034", "", None])
def test_a_masked_number_is_never_certainly_another(other):
    assert not are_certainly_different(IBAN, other)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("•••• 6769", True),
        ("6769", True),
        ("•••• 7034", False),
        ("69", False),
        ("ABCD", False),
        ("BE68 5390 0754 6769", False),
        (None, False),
    ],
)
def test_a_masked_number_may_be_the_same_by_its_last_digits(other, expected):
    assert may_be_the_same(IBAN, other) is expected


def test_a_name_alone_is_not_a_label():
    assert facts("A1", None, None, None) == {"id": "A1", "number": "", "currency": "", "name": "", "label": ""}
    assert facts("A1", "•••• 6769", "EUR", "Giro")["label"] == "•••• 6769 Giro"
