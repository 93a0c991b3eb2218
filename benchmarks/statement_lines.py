"""Statement files of the formats of lines, and the libraries that read them, for bench_formats."""

import importlib
import io
import logging
import tempfile
from decimal import Decimal

NUMBERS = {
    "mt940": "DE89370400440532013000",
    "coda": "BE68539007547034",
    "cfonb": "20041010050500013M026",
    "norma43": "210004180200051332",
    "bai2": "0975312468",
    "qif": "Checking",
}


def writer(code, rows):
    """:return: function that makes a file of a given number of transactions
    :param rows: function that gives (day, amount in cents, name, text) of a given number
    """

    def write(count):
        renderers = importlib.import_module("bank_statement_formats.tests.pure.renderers")
        payments = [
            renderers.Payment(
                amount=Decimal(cents).scaleb(-2),
                booked=day,
                value=day,
                text=f"{text} vielen Dank fuer den Auftrag",
                name=name.replace("ü", "u").replace("ö", "o"),
                account="DE02120300000000202051",
                end_to_end=f"E2E-{text.replace(' ', '-')}",
            )
            for day, cents, name, text in rows(count)
        ]
        account = renderers.Account(
            NUMBERS[code], "", "EUR", 2, Decimal(0), payments[0].booked, payments[-1].booked, tuple(payments)
        )
        return "\n".join([*getattr(renderers, code)([account]), ""]).encode()

    return write


def mt940(content):
    models, options = importlib.import_module("mt940.models"), importlib.import_module("mt940.options")
    logging.getLogger("mt940").setLevel(logging.CRITICAL)
    found = models.Transactions(options=options.Options.all())
    found.parse(content.decode())
    return len(found)


def febelfin_coda(content):
    library = importlib.import_module("coda")
    with tempfile.NamedTemporaryFile(suffix=".cod") as file:
        file.write(content)
        file.flush()
        return sum(len(statement.moves) for statement in library.CODA(file.name).statements)


def aeb43(content):
    library = importlib.import_module("aeb43")
    return sum(len(one.transactions) for one in library.AEB43(io.StringIO(content.decode())).accounts)


def bai2(content):
    library = importlib.import_module("bai2.bai2")
    found = library.parse_from_string(content.decode(), check_integrity=False)
    return sum(len(account.children) for group in found.children for account in group.children)


def samples(rows):
    """:return: dict of code → (writer, library, its name), as bench_formats has it"""
    libraries = {
        "mt940": (mt940, "mt-940"),
        "coda": (febelfin_coda, "febelfin-coda"),
        "norma43": (aeb43, "aeb43"),
        "bai2": (bai2, "bai2"),
    }
    return {code: (writer(code, rows), *libraries.get(code, (None, ""))) for code in NUMBERS}
