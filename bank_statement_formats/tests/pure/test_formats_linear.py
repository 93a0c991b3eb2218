"""No file takes more time than in proportion to its size, whatever is in it."""

import io
import time

import pytest

from bank_statement_formats.formats import FormatError, Options, read
from bank_statement_formats.tests.pure.camt_files import Writer

#: Bytes; the large file is eight times as large.
SMALL, FACTOR = 30_000, 8
#: A quadratic reader takes 64 times as long. What is done in less than this is not worth measuring.
MAX_RATIO, NEGLIGIBLE = 24, 0.3
OFX = "OFXHEADER:100\n\n<OFX><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>1</BANKACCTFROM>%s</STMTRS></OFX>"
CSV = "Date;Text;Amount;Balance\n2026-05-13;a;-1.00;5.00\n%s"
WRITER = Writer()


def camt(more="", entries=1, **keywords):
    return WRITER.document(WRITER.statement(*[WRITER.entry("1.00", more=more)] * entries, **keywords))


def attributes(count):
    return " ".join(f'a{number}="1"' for number in range(count))


HOSTILE = {
    "ofx, signs that begin nothing": lambda size: OFX % ("<" * size),
    "ofx, marked text without an end": lambda size: OFX % ("<![CDATA[" * (size // 9)),
    "ofx, entities": lambda size: OFX % f"<STMTTRN><NAME>{'&amp;' * (size // 5)}</STMTTRN>",
    "ofx, problems": lambda size: OFX % ("\n<STMTTRN><TRNAMT>x</STMTTRN>" * (size // 30)),
    "ofx, tags": lambda size: OFX % ("<A>" * (size // 3)),
    "csv, quotation marks": lambda size: CSV % ('2026-05-13;"a"b";-1.00;4.00\n' * (size // 28)),
    "csv, an open quotation mark": lambda size: CSV % ('"' + "x;y\n" * (size // 4)),
    "csv, delimiters": lambda size: CSV % (";" * size),
    "csv, lines": lambda size: CSV % ("\n" * size),
    "csv, problems": lambda size: CSV % ("2026-99-13;a;x;y\n" * (size // 17)),
    "csv, balances that do not follow": lambda size: CSV % ("2026-05-13;a;-1.00;5.00\n" * (size // 24)),
    "csv, different texts": lambda size: (
        CSV % "".join(f"2026-05-13;a{n};-1.{n % 100:02};\n" for n in range(size // 22))
    ),
    "camt, entries": lambda size: camt(entries=size // 250),
    "camt, equal parts": lambda size: camt("<X/>" * (size // 4)),
    "camt, attributes": lambda size: camt(f"<X {attributes(size // 8)}/>"),
    "camt, parts of the statement": lambda size: camt(before="<X>a</X>" * (size // 8)),
    "camt, balances": lambda size: camt(balances="<Bal><Amt>1</Amt></Bal>" * (size // 24)),
}


def seconds(content):
    begun = time.process_time()
    try:
        for statement in read(io.BytesIO(content.encode()), "", Options(currency="EUR")):
            for _one in statement.transactions:
                pass
    except FormatError:
        pass
    return time.process_time() - begun


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_is_read_in_linear_time(kind):
    small, large = HOSTILE[kind](SMALL), HOSTILE[kind](SMALL * FACTOR)
    # Why the least of three: what else the machine does must not look like a slow reader.
    if all(seconds(large) >= NEGLIGIBLE for _time in range(3)):
        least = min(seconds(large) for _time in range(3))
        assert least < MAX_RATIO * min(seconds(small) for _time in range(3))
