import pytest

from account_online_reconcile.matching.numbers import FULL, PARTLY, SERIAL, NumberIndex

INDEX = NumberIndex(
    {1: ["INV/2026/00042"], 2: ["INV/2026/00043"], 3: ["RINV/2026/00042"], 4: ["F2026-118"], 5: ["FAC/2026/03/0007"]},
    prefixes=["MISC/"],
)


@pytest.mark.parametrize(
    "text",
    [
        "Payment INV/2026/00042 thank you",
        "inv/2026/00042",
        "INV 2026 00042",
        "INV-2026-00042",
        "INV202600042",
        "INV/2026/42 danke",
        "INV/26/00042",
        "Rechnung:INV/2026/00042.",
        "INV/2026/000\n42",
        "EREF+NOTPROVIDEDSVWZ+INV/20\n26/00042",
    ],
)
def test_a_number_is_found_however_it_is_written(text):
    assert INDEX.find(text).named == {1: FULL}


def test_several_numbers_are_found_in_one_text():
    assert INDEX.find("INV/2026/00042, INV/2026/00043 und RINV/2026/00042").named == {1: FULL, 2: FULL, 3: FULL}


def test_a_monthly_sequence_is_found():
    assert INDEX.find("REGLEMENT FAC/2026/03/0007").named == {5: FULL}


def test_a_number_without_its_prefix_says_less():
    assert INDEX.find("Rg. 2026/00043").named == {2: PARTLY}


def test_a_serial_number_alone_says_least():
    assert INDEX.find("Rg 00043").named == {2: SERIAL}


@pytest.mark.parametrize(
    "text", ["XINV/2026/000421", "INV/2026/000421", "INV/2026/0004", "INV/2026/0\n0044", "42", "2026"]
)
def test_another_number_is_not_taken_for_one(text):
    assert not INDEX.find(text).named


def test_the_number_of_another_sequence_is_not_taken_for_one():
    assert not INDEX.find("BILL/2026/00043").named


@pytest.mark.parametrize(
    "text", ["INV/2026/00017", "inv 2026 00017", "MISC/2026/00001", "IN\nV/2026/00017", "V/2026/00017"]
)
def test_an_unknown_number_is_reported(text):
    found = INDEX.find(text)
    assert not found.named
    assert found.others


@pytest.mark.parametrize("text", ["vom 12.03.2026", "2026-03-12", "Kd 10234 Vertrag 2026", "INV"])
def test_a_day_and_a_customer_are_no_numbers_of_documents(text):
    found = INDEX.find(text)
    assert not found.named
    assert not found.others


def test_a_number_that_the_bank_may_have_cut_says_less():
    index = NumberIndex({1: ["INV/2026/12345"], 2: ["INV/2026/123"]})
    assert index.find("INV/2026/123 thank you").named == {2: FULL}
    assert NumberIndex({1: ["INV/2026/00012"]}).find("INV/2026/12").named == {1: PARTLY}


def test_a_text_without_end_is_read_up_to_a_limit():
    assert not INDEX.find("INV " * 100_000).named
