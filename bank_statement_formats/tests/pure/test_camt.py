"""CAMT: what entries, batches, returns and balances mean, in all versions, and at any size."""

import io
import resource
import tracemalloc
from datetime import date
from decimal import Decimal

import pytest
from lxml import etree

from bank_statement_formats.formats import Balance, FormatError, Limits, Options, TooLarge, read
from bank_statement_formats.tests.pure.camt_files import IBAN, Writer, amount, balance, element, words
from environment import extra_packages, thorough

OTHER = "DE02500105170137075030"


def read_all(document, **options):
    content = document if type(document) is bytes else document.encode()
    return [(one, list(one.transactions)) for one in read(io.BytesIO(content), "", Options(**options))]


def read_entries(*entries, writer=None, split=True, **keywords):
    """:return: (statement, its transactions) of a statement with these entries"""
    document = (writer or Writer()).document((writer or Writer()).statement(*entries, **keywords))
    [(statement, found)] = read_all(document, split_batches=split)
    return statement, found


def read_one(*arguments, **keywords):
    _statement, [found] = read_entries(Writer().entry(*arguments, **keywords))
    return found


# -------------------------------------------------------------------------
# VERSIONS
# -------------------------------------------------------------------------

VERSIONS = [(message, version) for message in ("052", "053", "054") for version in range(2, 15)]


def sample(message, version):
    writer = Writer(message, version)
    return writer.document(
        writer.statement(
            writer.entry(
                "1234.50",
                writer.detail(
                    "1234.50", "Müller & Söhne", OTHER, "INGDDEFFXXX", ["RE 815"], "RF18539007547034", "E2E-1"
                ),
                reversal="false",
                text="Credit",
            ),
            writer.entry(
                "-92.10",
                writer.detail(
                    "-92.10", "Hotel", foreign=("100.00", "USD"), is_credit=False, reason="AC04", mandate="M"
                ),
            ),
            balances=balance("OPBD", "100.00", "2026-05-03") + balance("CLBD", "1242.40", "2026-05-04"),
        )
    )


@pytest.mark.parametrize(("message", "version"), VERSIONS)
def test_each_version_follows_its_schema_and_is_read_alike(message, version):
    folder = extra_packages.ensure("schemas") / "camt053" / "xsd"
    schema = etree.XMLSchema(etree.parse(folder / f"camt.{message}.001.{version:02}.xsd"))
    document = sample(message, version)
    schema.assertValid(etree.fromstring(document.encode()))
    [(statement, [credit, debit])] = read_all(document)
    assert (statement.number, statement.currency, statement.bank) == (IBAN, "EUR", "COBADEFFXXX")
    assert statement.kind == {"052": "interim", "053": "statement", "054": "advice"}[message]
    assert (statement.closing is None) == (message == "054")
    assert (credit["amount"], credit["counterparty"]["name"]) == ("1234.50", "Müller & Söhne")
    assert credit["counterparty"] == {"name": "Müller & Söhne", "account_number": OTHER, "bic": "INGDDEFFXXX"}
    assert (credit["end_to_end_id"], credit["creditor_reference"]) == ("E2E-1", "RF18539007547034")
    assert credit["remittance"] == ["RE 815", "RF18539007547034", "Credit"]
    assert (debit["amount"], debit["foreign_amount"], debit["foreign_currency"]) == ("-92.10", "-100.00", "USD")
    assert debit["mandate_id"] == "M" and "AC04 (closed account)" in debit["remittance"]


@pytest.mark.parametrize("change", [("urn:iso", "urn:other"), (' xmlns="', ' xmlns:x="'), ("053.001.08", "053.009.99")])
def test_another_namespace_is_read_all_the_same(change):
    [(_statement, found)] = read_all(sample("053", 8).replace(*change))
    assert [one["amount"] for one in found] == ["1234.50", "-92.10"]


def test_prefixes_and_another_encoding_are_read():
    document = sample("053", 8).replace("<", "<c:").replace("<c:/", "</c:").replace("<c:?xml", "<?xml")
    document = document.replace("xmlns=", "xmlns:c=")
    for encoding in ("utf-16", "iso8859-15"):
        written = document.replace('"UTF-8"', f'"{encoding}"').encode(encoding)
        [(statement, found)] = read_all(written)
        assert found[0]["counterparty"]["name"] == "Müller & Söhne" and not statement.warnings


def test_a_file_that_says_utf_8_and_is_not_is_read_with_a_warning():
    [(statement, found)] = read_all(sample("053", 8).encode("cp1252"))
    assert found[0]["counterparty"]["name"] == "Müller & Söhne"
    assert "Windows-1252" in statement.warnings[0]


# -------------------------------------------------------------------------
# ENTRIES
# -------------------------------------------------------------------------


def batch(*values, total, writer=None, **keywords):
    writer = writer or Writer()
    details = [writer.detail(value, f"Payee {value}", is_credit=False) for value in values]
    return writer.entry(total, *details, **keywords)


@pytest.mark.parametrize("version", [2, 8])
def test_a_batch_becomes_its_payments_or_stays_whole_by_choice(version):
    writer = Writer(version=version)
    entry = batch("-100.00", "-50.00", total="-150.00", writer=writer)
    statement, found = read_entries(entry, writer=writer)
    assert [(one["amount"], one["counterparty"]["name"]) for one in found] == [
        ("-100.00", "Payee -100.00"),
        ("-50.00", "Payee -50.00"),
    ]
    assert not statement.warnings
    _statement, [whole] = read_entries(entry, writer=writer, split=False)
    assert (whole["amount"], whole["counterparty"]["name"]) == ("-150.00", None)


@pytest.mark.parametrize("values", [("-100.00", "-49.99"), ("-150.00", "")])
def test_a_batch_whose_payments_do_not_add_up_stays_whole_with_a_warning(values):
    statement, [whole] = read_entries(batch(*values, total="-150.00"))
    assert whole["amount"] == "-150.00"
    assert "entry 1" in statement.warnings[0]


def test_a_batch_may_hold_payments_of_both_directions():
    _statement, found = read_entries(batch("-100.00", "30.00", total="-70.00"))
    assert [one["amount"] for one in found] == ["-100.00", "30.00"]


def test_of_a_reversal_the_sign_is_its_own_and_the_roles_are_those_of_the_payment():
    writer = Writer()
    returned = writer.detail("25.00", "Carol", OTHER, is_credit=False, reason="AC04")
    for found in (read_one("25.00", returned), read_one("25.00", returned.replace("RtrInf", "X"), reversal="true")):
        assert found["amount"] == "25.00"
        assert found["counterparty"]["name"] == "Carol"


def test_swapped_sides_are_recognised_by_the_own_account_number():
    writer = Writer()
    own = element("CdtrAcct", element("Id", words("IBAN", OTHER))) + element(
        "Cdtr", element("Pty", words("Nm", "Carol"))
    )
    detail = writer.detail("25.00", "Me", IBAN).replace("</RltdPties>", own + "</RltdPties>")
    assert read_one("25.00", detail)["counterparty"]["name"] == "Carol"


def test_the_ultimate_party_is_a_text_and_replaces_a_missing_name():
    writer = Writer()
    found = read_one("25.00", writer.detail("25.00", "PayPal", ultimate="Shop Ltd"))
    assert found["counterparty"]["name"] == "PayPal" and "Shop Ltd" in found["remittance"]
    assert read_one("25.00", writer.detail("25.00", number=OTHER, ultimate="Shop"))["counterparty"]["name"] == "Shop"


def test_what_is_not_provided_is_null():
    found = read_one("25.00", Writer().detail("25.00", "NOTPROVIDED", end_to_end="NOTPROVIDED", texts=["NOTPROVIDED"]))
    assert found["end_to_end_id"] is None and found["counterparty"]["name"] is None and found["remittance"] == []


def test_charges_are_said_in_a_text():
    charges = element("Chrgs", amount("TtlChrgsAndTaxAmt", "2.50"))
    assert "Charges 2.50 EUR" in read_one("25.00", more=charges)["remittance"]


def test_the_reference_of_the_bank_is_not_an_id_and_stays_in_raw():
    found = read_one("25.00", reference="2026050400001")
    assert found["id"] is None and found["raw"]["AcctSvcrRef"] == "2026050400001"


def test_pending_entries_are_pending_and_announced_ones_are_left_out():
    writer = Writer("052")
    entries = [writer.entry("1.00"), writer.entry("2.00", status="PDNG", day=""), writer.entry("4.00", status="INFO")]
    statement, found = read_entries(*entries, writer=writer)
    assert [(one["amount"], one["status"]) for one in found] == [("1.00", "booked"), ("2.00", "pending")]
    assert "announced" in statement.warnings[0]


@pytest.mark.parametrize(
    "damage",
    [
        ('<Amt Ccy="EUR">1.00', '<Amt Ccy="EUR">1,00'),
        ("<Dt>2026-05-04", "<Dt>2026-13-04"),
        ("<CdtDbtInd>CRDT", "<CdtDbtInd>HABEN"),
        ('Ccy="EUR">1.00', 'Ccy="USD">1.00'),
        ("<BookgDt><Dt>2026-05-04</Dt></BookgDt><ValDt><Dt>2026-05-04</Dt></ValDt>", ""),
    ],
)
def test_an_entry_that_can_not_be_read_is_a_problem_and_the_rest_goes_on(damage):
    writer = Writer()
    entries = [writer.entry("2.00"), writer.entry("1.00").replace(*damage), writer.entry("3.00")]
    statement, found = read_entries(*entries)
    assert [one.get("amount") for one in found] == ["2.00", None, "3.00"]
    assert found[1]["problem"].startswith("Ntry 2: ") and found[1]["raw"]
    assert statement.warnings


# -------------------------------------------------------------------------
# STATEMENTS
# -------------------------------------------------------------------------


def balances_of(*balances, **keywords):
    statement, _found = read_entries(Writer().entry("10.00"), balances="".join(balances), **keywords)
    return statement


def test_the_booked_balances_are_chosen():
    statement = balances_of(
        balance("CLAV", "999.00", "2026-05-04"),
        balance("PRCD", "90.00", "2026-05-01"),
        balance("OPBD", "90.00", "2026-05-03"),
        balance("CLBD", "100.00", "2026-05-04"),
        balance("FWAV", "999.00", "2026-05-05"),
    )
    assert statement.opening == Balance(Decimal("90.00"), date(2026, 5, 3))
    assert statement.closing == Balance(Decimal("100.00"), date(2026, 5, 4))
    assert not statement.warnings


def test_previous_closing_and_interim_balances_replace_missing_ones():
    statement = balances_of(balance("PRCD", "-10.00", "2026-05-03"), balance("CLBD", "0.00", "2026-05-04"))
    assert statement.opening.amount == -10 and not statement.warnings
    statement = balances_of(balance("ITBD", "5.00", "2026-05-03"), balance("ITBD", "15.00", "2026-05-04"))
    assert (statement.opening.amount, statement.closing.amount) == (5, 15)
    assert balances_of(balance("CLAV", "100.00", "2026-05-04")).closing is None


def test_balances_that_do_not_add_up_are_said():
    statement = balances_of(balance("OPBD", "90.00", "2026-05-03"), balance("CLBD", "101.00", "2026-05-04"))
    assert "do not add up" in statement.warnings[0]


def test_balances_behind_the_entries_are_found():
    after = balance("OPBD", "90.00", "2026-05-03") + balance("CLBD", "100.00", "2026-05-04")
    statement, _found = read_entries(Writer().entry("10.00"), after=after)
    assert statement.closing.amount == 100


def test_sums_that_the_bank_states_are_compared():
    def summary(total):
        return element("TxsSummry", element("TtlCdtNtries", words("NbOfNtries", "1"), words("Sum", total)))

    assert not balances_of(summary("10.00")).warnings
    assert "credits of 11.00" in balances_of(summary("11.00")).warnings[0]


def test_copies_and_pages_are_said():
    statement, _found = read_entries(before=words("CpyDplctInd", "DUPL"))
    assert "copy" in statement.warnings[0]
    page = element("StmtPgntn", words("PgNb", "2"), words("LastPgInd", "false"))
    statement, _found = read_entries(pages=page)
    assert "page 2" in statement.warnings[0]
    only = element("StmtPgntn", words("PgNb", "1"), words("LastPgInd", "true"))
    assert not read_entries(pages=only)[0].warnings


def test_several_accounts_are_several_statements_and_local_numbers_are_kept():
    writer = Writer()
    document = writer.document(
        writer.statement(writer.entry("1.00")),
        writer.statement(),
        writer.statement(writer.entry("2.00", currency="CHF"), number="0012345678", currency="CHF", id="S2"),
    )
    found = [
        (one.number, one.number_type, one.currency, one.reference, len(transactions))
        for one, transactions in read_all(document)
    ]
    assert found == [
        (IBAN, "iban", "EUR", "S1", 1),
        (IBAN, "iban", "EUR", "S1", 0),
        ("0012345678", "other", "CHF", "S2", 1),
    ]


def test_statements_of_one_account_that_do_not_follow_each_other_are_said():
    writer = Writer()
    first = balance("OPBD", "0.00", "2026-05-03") + balance("CLBD", "10.00", "2026-05-04")
    second = balance("OPBD", "11.00", "2026-05-04") + balance("CLBD", "21.00", "2026-05-05")
    document = writer.document(*(writer.statement(writer.entry("10.00"), balances=both) for both in (first, second)))
    [_first, (statement, _found)] = read_all(document)
    assert "is missing" in statement.warnings[0]


# -------------------------------------------------------------------------
# DAMAGE, BOMBS AND SIZE
# -------------------------------------------------------------------------


@pytest.mark.parametrize("part", [0.5, 0.9, 0.99])
def test_half_a_file_names_the_line(part):
    document = sample("053", 8).replace("><", ">\n<")
    with pytest.raises(FormatError) as caught:
        read_all(document[: int(len(document) * part)])
    assert caught.value.place.startswith("line ")


BOMB = """<?xml version="1.0"?><!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa">%s]>"""


def test_declared_entities_are_refused():
    entities = "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    document = sample("053", 8).split("?>", 1)[1].replace("RE 815", "&i;")
    for head in (BOMB % entities, BOMB % '<!ENTITY i SYSTEM "file:///etc/passwd">'):
        with pytest.raises(FormatError) as caught:
            read_all(head + document)
        assert "declaration" in caught.value.sentence or "damaged" in caught.value.sentence


@pytest.mark.parametrize("depth", [70, 300, 100_000])
def test_elements_that_lie_too_deep_are_refused(depth):
    inside = "<a>" * depth + "</a>" * depth
    with pytest.raises(FormatError):
        read_all(Writer().document(Writer().statement(Writer().entry("1.00", more=inside))))


def test_files_and_statements_have_limits():
    with pytest.raises(TooLarge):
        read_all(sample("053", 8), limits=Limits(file_bytes=100))
    with pytest.raises(TooLarge):
        read_all(sample("053", 8), limits=Limits(transactions=1))


class Endless(io.RawIOBase):
    """A file of many equal entries that is written while it is read."""

    def __init__(self, entries):
        writer = Writer()
        head, tail = writer.document(writer.statement("ENTRIES")).split("ENTRIES")
        detail = writer.detail("10.00", "Müller & Söhne", OTHER, texts=["RE 815"], end_to_end="E2E-1")
        entry = writer.entry("10.00", detail, text="Credit").encode()
        self.parts = [head.encode(), *[entry] * entries, tail.encode()]
        self.length = sum(map(len, self.parts))
        self.rewind()

    def rewind(self):
        self.queue, self.rest = iter(self.parts), b""

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        if whence == io.SEEK_END:
            return self.length
        assert offset == 0
        self.rewind()
        return 0

    def read(self, size=-1):
        while len(self.rest) < size and (part := next(self.queue, None)) is not None:
            self.rest += part
        found, self.rest = self.rest[:size], self.rest[size:]
        return found


def test_many_entries_need_no_more_memory_than_few():
    def peak(entries):
        stream = Endless(entries)
        tracemalloc.start()
        statement = next(read(stream, "", Options(limits=Limits(file_bytes=10**9))))
        count = sum(1 for _one in statement.transactions)
        _now, found = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == entries
        return found

    few = peak(500)
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert peak(4_000) < few + 1_000_000
    # The tree of libxml2 is not Python's: kilobytes of the whole process.
    many = 100_000 if thorough.IS_ON else 20_000
    statement = next(read(Endless(many), "", Options(limits=Limits(file_bytes=10**9))))
    assert sum(1 for _one in statement.transactions) == many
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident < 0.3 * many
