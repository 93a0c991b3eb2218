"""Tables of transactions: CSV and XLSX, whatever the bank calls their columns.

:func:`propose_mapping` reads a whole file and returns the role of each column, the notation of days and amounts, and
questions about uncertain ones. The user answers them (:func:`answer`), and then the mapping reads all files with the
same header. Nothing is guessed: a file with an open question raises :class:`~.errors.MappingNeeded`.

A mapping is a dict that can be stored as JSON:

``columns``       role (see :data:`~.table_words.HEADERS`) → list of positions, from 0
``header``        cells of the header, ``[]`` where there is none
``fingerprint``   of the header: the mapping is for files that have the same one
``date_order``    ``dmy`` · ``mdy`` · ``ymd``
``decimal``       ``.`` or ``,``
``sign``          ``signed`` · ``inverted`` (expenses are positive) · ``words`` (a column contains debit or credit)
``debit_words``   values of that column that mean a debit; all others are credits
``debit_signed``  whether debits in their own column have a minus sign
``fee``           ``apart`` (subtracted from the amount) · ``included`` · null
``currency``      of the account, if no column contains it
``number``        of the account, from the lines above the table
``kind`` · ``delimiter`` · ``sheet``
``unsure``        list of questions: ``field``, ``sentence``, ``choices`` (list of ``value`` and ``label``)
``warnings``      list of sentences
``sample``        the first data rows, as texts · ``sample_line``: their first line · ``rows``: how many there are
``preview``       the first transactions as they would be read
"""

import hashlib
import json

from odoo.addons.bank_sync_common.tools.words import _lt

from . import table_rows
from .encodings import decode
from .errors import FormatError, MappingNeeded
from .lines import whole
from .statement import Format, Options
from .table_columns import Columns, Proposal
from .table_reader import Reader
from .table_words import plain

VERSION = 1
#: Number of rows of the file that are shown with the questions.
SAMPLE_ROWS = 10


def propose_mapping(stream, filename="", options=None):
    """
    :param stream: binary file object that can seek
    :return: dict, see above
    :raise FormatError: if the file is not a table of transactions
    """
    options = options or Options()
    table = _open(stream, options)
    return _propose(table, options)


def answer(mapping, field, value):
    """
    :param str field: of one of the questions in ``unsure``
    :param value: of one of its choices
    :return: the mapping without that question
    :raise ValueError: for other fields or values
    """
    asked = [question for question in mapping["unsure"] if question["field"] == field]
    if not any(choice["value"] == value for question in asked for choice in question["choices"]):
        raise ValueError(f"{field} was not asked, or has no such answer")
    changed = {**mapping, "unsure": [question for question in mapping["unsure"] if question["field"] != field]}
    if field.startswith("column:"):
        changed["columns"] = {**mapping["columns"], field.removeprefix("column:"): [value]}
    else:
        changed[field] = value
    return changed


def fits(mapping, stream, options=None):
    """:return: whether a file has the header that the mapping was made for"""
    try:
        table = _open(stream, options or Options(), mapping)
    except FormatError:
        return False
    return _find_header(table, mapping) is not None


def fingerprint(kind, header, width):
    """:return: key of a stored mapping"""
    cells = [plain(str(cell)) for cell in header] if header else ["", str(width)]
    while cells and not cells[-1]:
        cells.pop()
    return hashlib.sha256(json.dumps([VERSION, kind, cells]).encode()).hexdigest()[:32]


def _open(stream, options, mapping=None):
    head = stream.read(8)
    stream.seek(0)
    if head.startswith((table_rows.ZIP, table_rows.OLE2)):
        return table_rows.read_workbook(stream, options, mapping)
    data = whole(stream, options.limits)
    stream.seek(0)
    return table_rows.read_csv(data, options, mapping)


def _propose(table, options):
    proposal = Proposal(table, options)
    mapping = proposal.mapping
    mapping["fingerprint"] = fingerprint(table.kind, mapping["header"], proposal.width)
    mapping["version"] = VERSION
    mapping["kind"], mapping["delimiter"], mapping["sheet"] = table.kind, table.delimiter, table.sheet
    mapping["encoding"] = table.encoding
    mapping["warnings"] = [*table.warnings, *mapping["warnings"]]
    mapping["sample"] = [[str(cell) for cell in row] for _line, row in proposal.data[:SAMPLE_ROWS]]
    mapping["sample_line"] = proposal.data[0][0] if proposal.data else None
    mapping["rows"] = len(proposal.data)
    mapping["preview"] = Reader(table, mapping, proposal.start, options).preview(SAMPLE_ROWS)
    return mapping


def _find_header(table, mapping):
    """:return: number of the first row below the header, None where the file has another one"""
    if not mapping["header"]:
        width = max((len(row) for _line, row in table.rows), default=0)
        return 0 if fingerprint(table.kind, [], width) == mapping["fingerprint"] else None
    for number, (_line, row) in enumerate(table.rows[: table_rows.HEADER_ROWS]):
        if fingerprint(table.kind, row, len(row)) == mapping["fingerprint"]:
            return number + 1
    return None


class _Table(Format):
    """Common base of CSV and XLSX."""

    @classmethod
    def statements(cls, stream, options):
        table = _open(stream, options, options.mapping)
        mapping, start = options.mapping, None
        if mapping:
            start = _find_header(table, mapping)
            if start is None:
                raise MappingNeeded(
                    _lt(
                        "The columns of this file are not those of the files before, so the kept choice of columns was "
                        "not used. Look at the columns again."
                    ),
                    _propose(table, options),
                )
        else:
            mapping = _propose(table, options)
            start = Columns.find_header(table)[0]
        if mapping["unsure"]:
            raise MappingNeeded(
                _lt("It is not certain what the columns of this file mean. Look at the columns once."), mapping
            )
        yield from Reader(table, mapping, start, options).statements()


class CSV(_Table):
    code = "csv"
    label = "CSV"
    extensions = (".csv", ".txt", ".tsv")

    @classmethod
    def recognises(cls, head, filename):
        if not head.strip() or head.startswith((table_rows.ZIP, table_rows.OLE2, b"%PDF", b"<")):
            return 0
        # The excerpt may end inside a multi-byte character.
        part = head[: head.rfind(b"\n") + 1] or head
        try:
            text, _encoding, _warnings = decode(part)
        except FormatError:
            return 0
        if "\0" in text:
            return 0
        delimiter = table_rows.find_delimiter(text)
        if not delimiter:
            return 0
        return 40 if filename.lower().endswith(cls.extensions) else 30


class XLSX(_Table):
    code = "xlsx"
    label = "XLSX"
    extensions = (".xlsx", ".xlsm")

    @classmethod
    def recognises(cls, head, filename):
        if head.startswith(table_rows.OLE2):
            return 60
        return 60 if head.startswith(table_rows.ZIP) and (b"[Content_Types].xml" in head or b"xl/" in head) else 0
