"""Readers of statement files. Pure Python: no Odoo, no network, nothing is written.

:func:`read` finds the format of a file and gives its statements.
"""

from importlib import import_module

from .errors import FormatError, MappingNeeded, TooLarge, UnknownFormat
from .statement import Balance, Format, Limits, Options, Statement
from odoo.addons.bank_sync_common.tools.words import Sentence, _lt

HEAD = 64 * 1024
DEFAULTS = Options()

#: Class of each format by its module, most specific first. Imported lazily, so that a missing optional library only
#: affects its own format.
FORMATS = {
    "mt940": "mt940.MT940",
    "coda": "coda.CODA",
    "cfonb": "cfonb.CFONB",
    "norma43": "norma43.Norma43",
    "bai2": "bai2.BAI2",
    "qif": "qif.QIF",
    "camt": "camt.Camt",
    "ofx": "ofx.OFX",
    "xlsx": "tables.XLSX",
    "csv": "tables.CSV",
}


def format_class(code):
    """:return: subclass of :class:`Format`"""
    module, name = FORMATS[code].split(".")
    return getattr(import_module(f".{module}", __name__), name)


def available():
    """:return: list of the format classes whose libraries are installed"""
    found = []
    for code in FORMATS:
        try:
            found.append(format_class(code))
        except ImportError:
            continue
    return found


def recognise(head, filename=""):
    """
    :param bytes head: the first bytes of the file, :data:`HEAD` at most
    :return: the :class:`Format` that reads it, None if there is none
    """
    scores = [(one.recognises(head, filename), one) for one in available()]
    score, best = max(scores, key=lambda pair: pair[0], default=(0, None))
    return best if score else None


def read(stream, filename="", options=DEFAULTS):
    """The statements of a file that is not an archive; see :mod:`.archives` for those.

    :param stream: binary file object that can seek
    :param str filename: may be empty
    :return: iterator of :class:`Statement`
    :raise FormatError: with a sentence and the place
    """
    head = stream.read(HEAD)
    stream.seek(0)
    found = recognise(head, filename)
    if not found:
        raise UnknownFormat(
            _lt(
                "%(name)s is not a statement file that can be read here. Ask the bank for CAMT.053, MT940, OFX or CSV.",
                name=filename or "This",
            )
        )
    return found.statements(stream, options)


__all__ = [
    "FORMATS",
    "Balance",
    "Format",
    "FormatError",
    "Limits",
    "MappingNeeded",
    "Options",
    "Sentence",
    "Statement",
    "TooLarge",
    "UnknownFormat",
    "available",
    "format_class",
    "read",
    "recognise",
]
