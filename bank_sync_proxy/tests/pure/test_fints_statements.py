"""How rows of MT940 and camt statements are read."""

from datetime import date
from decimal import Decimal

import pytest

from bank_sync_proxy.providers.fints import FinTS
from bank_sync_proxy.tests.pure.contract import (
    NO_DAYS,
    NO_NUMBERS,
    NO_TEXTS,
    placeholders_for,
    replaced,
    texts_of,
)
from bank_sync_proxy.tests.pure.scripted import FIXTURES

pytest.importorskip("fints")


from bank_sync_proxy.providers import fints_statements as statements

CAMT = (FIXTURES / "fints" / "camt.xml").read_bytes()


def read_mt940(text, currency="EUR", status="booked"):
    return [statements.read_line(line, currency, status) for line in statements.split_mt940(text)]


def read_camt(document):
    return [found for found in map(statements.read_entry, statements.split_camt(document)) if found]


def mt940(*lines):
    return "\r\n".join(
        [
            "",
            ":20:START",
            ":25:10020030/0000202051",
            ":28C:1/1",
            ":60F:C261101EUR1000,",
            *lines,
            ":62F:C261120EUR1000,",
            "-",
        ]
    )


@pytest.mark.parametrize("mark, amount", [("C", "5.10"), ("D", "-5.10"), ("RC", "-5.10"), ("RD", "5.10")])
def test_what_is_taken_back_has_the_other_sign(mark, amount):
    (row,) = read_mt940(mt940(f":61:2611041104{mark}R5,10NTRFNONREF", ":86:166?00TEST?20SVWZ+x"), "EUR")
    assert row.amount == Decimal(amount)


@pytest.mark.parametrize(
    "dates, booked",
    [("2612300102", date(2027, 1, 2)), ("2701021230", date(2026, 12, 30)), ("261104", date(2026, 11, 4))],
)
def test_the_day_of_booking_has_no_year_of_its_own(dates, booked):
    (row,) = read_mt940(mt940(f":61:{dates}CR5,NTRFNONREF", ":86:166?00TEST"), "EUR")
    assert row.booking_date == booked


@pytest.mark.parametrize(
    "dates, value, booked",
    [
        # february_30.sta of the library's corpus; banks whose months have 30 days.
        ("2602300230", date(2026, 2, 28), date(2026, 2, 28)),
        ("2402270230", date(2024, 2, 27), date(2024, 2, 29)),
        ("2602300302", date(2026, 2, 28), date(2026, 3, 2)),
        ("2611040000", date(2026, 11, 4), date(2026, 11, 4)),
    ],
)
def test_the_thirtieth_of_february_is_the_last_of_its_days(dates, value, booked):
    words = f":61:{dates}CR5,NTRFNONREF\n:86:166?00TEST"
    (row,) = read_mt940(mt940(*words.split("\n")))
    assert (row.value_date, row.booking_date) == (value, booked)
    assert row.raw["mt940"] == words, "what the bank said is kept as it said it"


def test_another_day_that_does_not_exist_is_not_made_up():
    with pytest.raises(ValueError, match="no row"):
        read_mt940(mt940(":61:2604300431CR5,NTRFNONREF", ":86:166?00TEST"))


def test_texts_of_ns_fields_arrive():
    """As in the corpus of the library ``mt-940``: structured text beside ``:61:`` instead of ``:86:``."""
    fields = ["01Verwendungszweck 1", "02Verwendungszweck 2", "15Empfänger", "17Buchungstext", "18Primanotennummer"]
    (row,) = read_mt940(mt940(":61:2611041104CM5000,00S051Auszahlung", ":NS:" + fields[0], *fields[1:]))
    assert row.remittance == ("Verwendungszweck 1", "Verwendungszweck 2", "Buchungstext")
    assert row.counterparty.name == "Empfänger"


def test_texts_of_ns_fields_without_parts_arrive():
    (row,) = read_mt940(mt940(":61:2611041104C5,NTRFNONREF", ":NS:Freier Text", "zweite Zeile"))
    assert row.remittance == ("Freier Text", "zweite Zeile")


def test_further_purpose_is_joined_as_it_was_cut():
    full = "x" * 26 + "y"
    (row,) = read_mt940(
        mt940(":61:2611041104C5,NTRFNONREF", f":86:166?00TEST?20SVWZ+a?60{full}?61z?62Rechnung 1?63 zwei")
    )
    assert row.remittance == ("a", f"{full}z Rechnung 1 zwei", "TEST")


def test_bank_code_is_not_a_bic_and_zeros_are_not_an_account():
    (row,) = read_mt940(mt940(":61:2611041104C5,NTRFNONREF", ":86:166?00TEST?20x?3010020030?310000000000?32Beispiel"))
    assert row.counterparty._asdict() == {"name": "Beispiel", "account_number": None, "bic": None}


def test_each_row_of_a_statement_is_read_for_itself(caplog):
    """Neither a row, nor a closing balance, nor another statement that can't be read keeps the others away."""
    row = (":61:2611041104CR{},NTRFNONREF", ":86:166?00TEST?20SVWZ+x")
    bad = (":61:2611041104XR9,NTRFNONREF", ":86:Familie Beispiel")
    text = mt940(row[0].format(1), row[1], *bad, row[0].format(2), row[1])
    lines = statements.split_mt940(text + mt940(row[0].format(3), row[1]).replace(":62F:C261120EUR1000,", ":62F:none"))
    found, unread = FinTS().read_rows(lines, statements.read_line, "EUR", "booked", status="booked")
    assert [one.amount for one in found] == [1, 2, 3]
    assert [(one.id, one.status, one.raw) for one in unread] == [(None, "booked", {"mt940": "\n".join(bad)})]
    assert "Beispiel" not in caplog.text + unread[0].problem, "what banks say about people is in no log"
    assert found == read_mt940(mt940(*(part.format(n) for n in (1, 2, 3) for part in row))), "as if it were alone"


def test_words_are_the_same_once_a_row_can_be_read():
    """By them its database knows that what it had kept beside the books has come in."""
    rows = [":61:2611041104CR1,NTRFNONREF\r\n:86:166?00A?20b\r\n?21c", ":61:2611041104CR2,NTRFNONREF"]
    alone = [one.raw for one in read_mt940(mt940(*rows))]
    beside = [one for one in statements.split_mt940(mt940(*rows, ":61:bad")) if one.data]
    assert alone == beside == [{"mt940": row.replace("\r\n", "\n")} for row in rows]


def test_two_rows_without_a_kind_stay_two():
    rows = read_mt940(mt940(":61:2611041104CR1,", ":61:2611041104CR2,"))
    assert [row.amount for row in rows] == [1, 2]


def test_a_head_that_can_t_be_read_makes_no_row_up():
    lines = statements.split_mt940(mt940(":61:2611041104CR1,NTRFNONREF").replace(":60F:C261101EUR1000,", ":60F:?"))
    assert [line.data for line in lines] == [None]


def test_each_entry_of_camt_is_read_for_itself():
    evil = CAMT.replace(b"<CdtDbtInd>CRDT</CdtDbtInd><RvslInd>", b"<CdtDbtInd>?</CdtDbtInd><RvslInd>")
    evil = evil.replace(b"<BookgDt><Dt>2026-11-06</Dt></BookgDt>", b"")
    found, unread = FinTS().read_rows(statements.split_camt(evil), statements.read_entry)
    assert [one.amount for one in found] == [Decimal("-89.40"), -12]
    assert [(one.id, one.status) for one in unread] == [(None, "booked")] * 2
    assert "without a day" in unread[1].problem


def test_a_text_without_fields_is_kept():
    (row,) = read_mt940(mt940(":61:2611041104CR5,NTRFKREF-1//BANK-1", ":86:Freier Text-0000 ohne Felder"), "EUR")
    assert row.remittance == ("Freier Text-0000 ohne Felder",)
    assert "//BANK-1" in row.raw["mt940"] and row.id is None


def test_old_line_ends_are_read():
    (row,) = read_mt940(mt940(":61:2611041104CR5,NTRFNONREF", ":86:166?00TEST?20SVWZ+x").replace("\r\n", "@@"), "EUR")
    assert row.remittance == ("x", "TEST")


def test_camt_is_read_by_its_fields():
    debit, _reversal, _batch, pending = read_camt(CAMT)
    assert (debit.amount, debit.currency, debit.status) == (Decimal("-89.40"), "EUR", "booked")
    assert (debit.foreign_amount, debit.foreign_currency) == (Decimal("-84.00"), "CHF")
    assert (debit.booking_date, debit.value_date) == (date(2026, 11, 3), date(2026, 11, 4))
    assert debit.counterparty._asdict() == {
        "name": "Stadtwerke Musterstadt",
        "account_number": "DE87123456781234567890",
        "bic": "BYLADEM1001",
    }
    assert debit.remittance == ("Abschlag November", "Kunde 0815", "FOLGELASTSCHRIFT")
    assert (debit.end_to_end_id, debit.mandate_id, debit.id) == ("RE-2026-0815", "M-77", None)
    assert debit.raw["Amt"] == {"@Ccy": "EUR", "#": "89.40"}
    assert (pending.status, pending.booking_date) == ("pending", None)


def test_what_comes_back_has_the_same_other_side():
    reversal = read_camt(CAMT)[1]
    assert reversal.amount == Decimal("89.40") and reversal.counterparty.name == "Stadtwerke Musterstadt"
    assert reversal.creditor_reference == "RF18539007547034" and reversal.end_to_end_id is None


@pytest.mark.parametrize("said", ["true", "1", " true "])
def test_a_reversal_is_one_however_truth_is_written(said):
    reversal = read_camt(CAMT.replace(b"<RvslInd>true<", f"<RvslInd>{said}<".encode()))[1]
    assert reversal.counterparty.name == "Stadtwerke Musterstadt"


def test_a_return_says_why_and_names_who_sent_it_back():
    """A returned direct debit has the roles of the payment, and no indicator."""
    old = b"<AddtlNtryInf>FOLGELASTSCHRIFT</AddtlNtryInf>"
    parties = b"<RltdPties><Dbtr><Nm>Kunde</Nm></Dbtr><Cdtr><Nm>Wir</Nm></Cdtr></RltdPties>"
    reason = b"<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Konto</AddtlInf><AddtlInf>aufgel.</AddtlInf></RtrInf>"
    entry = b"""<Ntry><Amt Ccy="EUR">9.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
        <BookgDt><Dt>2026-11-05</Dt></BookgDt><NtryDtls><TxDtls>%s<RmtInf><Ustrd>Rechnung 1</Ustrd></RmtInf>%s</TxDtls>
        </NtryDtls></Ntry>"""
    document = CAMT.replace(old, old + b"</Ntry>" + (entry % (parties, reason)).replace(b"</Ntry>", b""), 1)
    returned = read_camt(document)[1]
    assert (returned.amount, returned.counterparty.name) == (-9, "Kunde")
    assert returned.remittance == ("Rechnung 1", "AC04 (closed account) Konto aufgel.")


def test_reference_that_is_not_iso_11649_stays_in_its_field():
    document = CAMT.replace(b"RF18539007547034", b"210000000003139471430009017")
    assert read_camt(document)[1].creditor_reference == "210000000003139471430009017"


def test_placeholder_is_not_a_value_in_camt():
    """Each text of each entry, one after the other, is a placeholder for a missing value."""
    for entry in statements.split_camt(CAMT):
        for path, said in texts_of(entry):
            for text in placeholders_for(said):
                try:
                    row = statements.read_entry(replaced(entry, path, text))
                except (LookupError, ValueError):
                    continue
                reported = row.to_protocol() if row else {"counterparty": {}}
                reported.pop("raw", None)
                assert not {value for _path, value in texts_of(reported)} & {"XXX", *NO_TEXTS, *NO_DAYS}, reported
                assert not {*reported["counterparty"].values()} & {*NO_NUMBERS} - {
                    reported["counterparty"].get("name")
                }, reported


def test_a_batch_is_one_transaction_without_another_side():
    batch = read_camt(CAMT)[2]
    assert batch.amount == 30 and batch.counterparty.name is None
    assert batch.remittance == ("Rechnung 1", "Rechnung 2")


def test_a_document_can_t_name_files_of_the_proxy():
    evil = CAMT.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>', 1)
    evil = evil.replace(b"Abschlag November", b"&file;")
    assert not any("root:" in text for row in read_camt(evil) for text in row.remittance)
