"""Formats: how many transactions of a statement file are read per second on one core, and in how much memory.

Each file is made in the memory, as banks write it, and is read to the end with :func:`formats.read`. Where a library of
the field reads the format, it reads the same file beside it: ``× library`` is how many times as long ours takes. For
XLSX it is openpyxl alone, for CAMT the tree of lxml alone, which is the lower bound.
"""

import argparse
import importlib
import io
import sys
import time
import tracemalloc
import warnings
from datetime import date, timedelta

from benchmarks import harness, statement_lines
from environment import bootstrap, paths, process, python_packages

HEADS = ("format", "transactions", "bytes each", "seconds", "per second", "library", "× library", "peak MB")
FIRST_DAY = date(2026, 1, 1)


def main(arguments):
    """Measure with the environment's Python, which has the libraries."""
    parse(arguments)
    bootstrap.bootstrap(odoo=False, database_server=False)
    variables = {**python_packages.clean_environment(), "PYTHONPATH": f"{paths.ROOT}:{paths.ROOT / 'scripts'}"}
    command = [paths.PYTHON, "-m", "benchmarks.bench_formats", *arguments]
    return process.wait(process.start(command, cwd=paths.ROOT, env=variables))


def run(arguments):
    options = parse(arguments)
    importlib.import_module("environment.pure").enter()
    codes = options.formats.split(",") if options.formats else list(SAMPLES)
    figures = [measure(code, options) for code in codes]
    if options.json:
        for row in figures:
            harness.result(harness.json_line(row))
        return 0
    for line in harness.table(HEADS, [[*row.values()] for row in figures], markdown=options.markdown):
        harness.result(line)
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench formats", description=__doc__.partition("\n")[0])
    parser.add_argument("--transactions", type=int, default=20_000, metavar="N", help="of a file (default: 20,000)")
    parser.add_argument("--formats", metavar="CODES", help="codes with commas (default: all)")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="the best of so many (default: 3)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print JSON objects instead of a table")
    output.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    return parser.parse_args(arguments)


def measure(code, options):
    """:return: figures of one format"""
    write, library, name = SAMPLES[code]
    content = write(options.transactions)
    ours = min(seconds(read_all, content, options.transactions) for _time in range(options.repeat))
    theirs = library and min(seconds(library, content, None) for _time in range(options.repeat))
    tracemalloc.start()
    read_all(write(options.transactions // 10))
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return {
        "format": code,
        "transactions": options.transactions,
        "bytes_each": len(content) // options.transactions,
        "seconds": ours,
        "per_second": options.transactions / ours,
        "library": name,
        "times_library": ours / theirs if theirs else 0,
        "peak_mb": peak,
    }


def seconds(function, content, expected):
    begun = time.process_time()
    count = function(content)
    found = time.process_time() - begun
    assert expected is None or count == expected, f"{count} of {expected} transactions were read"
    return found


def read_all(content):
    """:return: number of transactions"""
    formats = importlib.import_module("bank_statement_formats.formats")
    options = formats.Options(currency="EUR", limits=formats.Limits(file_bytes=2**30, unpacked_bytes=2**31))
    count = 0
    for statement in formats.read(io.BytesIO(content), "", options):
        for one in statement.transactions:
            assert "problem" not in one, one
            count += 1
    return count


# -------------------------------------------------------------------------
# FILES
# -------------------------------------------------------------------------


def rows(count):
    """:return: iterator of (day, amount in cents, name, text)"""
    for number in range(count):
        cents = (number * 7919) % 200_000 - 90_000 or 1
        yield FIRST_DAY + timedelta(days=number * 300 // count), cents, f"Müller & Söhne {number % 60}", f"RE {number}"


def money(cents):
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def write_camt(count):
    camt = importlib.import_module("bank_statement_formats.tests.pure.camt_files")
    writer, iban = camt.Writer(), "DE02500105170137075030"

    def entry(day, cents, name, text):
        amount = money(cents)
        detail = writer.detail(amount, name, iban, "INGDDEFFXXX", [text], end_to_end=f"E-{text}", is_credit=cents > 0)
        return writer.entry(amount, detail, day=str(day), value_day=str(day), text="Credit transfer")

    return writer.document(writer.statement(*(entry(*row) for row in rows(count)))).encode()


def lxml_tree(content):
    etree = importlib.import_module("lxml.etree")
    return sum(len(entry) for entry in etree.fromstring(content).iter())


def write_ofx(count):
    head = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n<OFX><BANKMSGSRSV1><STMTTRNRS>"
    account = "<STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>4711<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>"
    lines = [
        f"<STMTTRN><TRNTYPE>OTHER<DTPOSTED>{day:%Y%m%d}<TRNAMT>{money(cents)}<FITID>F{number}<NAME>{name}<MEMO>{text}</STMTTRN>"
        for number, (day, cents, name, text) in enumerate(rows(count))
    ]
    tail = (
        "</BANKTRANLIST><LEDGERBAL><BALAMT>1.00<DTASOF>20261231</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    )
    return "\n".join([head, account, *lines, tail]).encode("cp1252")


def ofxparse(content):
    library = importlib.import_module("ofxparse")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sum(len(one.statement.transactions) for one in library.OfxParser.parse(io.BytesIO(content)).accounts)


def write_csv(count):
    balance, lines = 0, ["Buchungstag;Valuta;Empfänger;Verwendungszweck;Betrag;Währung;Saldo"]
    for day, cents, name, text in rows(count):
        balance += cents
        written = [money(value).replace(".", ",") for value in (cents, balance)]
        lines.append(f"{day:%d.%m.%Y};{day:%d.%m.%Y};{name};{text};{written[0]};EUR;{written[1]}")
    return "\n".join(lines).encode("cp1252")


def write_xlsx(count):
    library = importlib.import_module("openpyxl")
    book = library.Workbook(write_only=True)
    sheet = book.create_sheet("Movimientos")
    sheet.append(["Fecha", "Concepto", "Importe", "Divisa", "Saldo"])
    balance = 0
    for day, cents, name, text in rows(count):
        balance += cents
        sheet.append([day, f"{name} {text}", cents / 100, "EUR", balance / 100])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def openpyxl(content):
    library = importlib.import_module("openpyxl")
    book = library.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    return sum(1 for _row in book.worksheets[0].iter_rows(values_only=True))


#: Code of a format → how its file is written, what of the field reads it (None: nothing), and its name.
SAMPLES = {
    "camt": (write_camt, lxml_tree, "lxml"),
    "ofx": (write_ofx, ofxparse, "ofxparse"),
    "csv": (write_csv, None, ""),
    "xlsx": (write_xlsx, openpyxl, "openpyxl"),
    **statement_lines.samples(rows),
}


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
