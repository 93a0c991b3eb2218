"""Rows of CSV files and workbooks, before their columns are known.

Cells are texts; number and date cells of workbooks are :class:`~decimal.Decimal` and :class:`~datetime.date`.
"""

import csv
import io
import itertools
import re
import warnings
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec

from odoo.addons.bank_sync_common.tools.words import _lt

from . import encodings, table_cells, workbooks
from .errors import FormatError, TooLarge
from .table_words import role_of
from .workbooks import MAX_COLUMNS

DELIMITERS = (";", ",", "\t", "|")
#: The first line that Excel may write: sep=;
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
#: Lines from which the delimiter is detected, and rows in which the header is searched for.
SAMPLE_LINES, HEADER_ROWS = 200, 120
#: Maximum number of characters of those lines, and of one of them.
SAMPLE_LETTERS, SAMPLE_LINE = 256 * 1024, 8 * 1024
#: Lines of one quoted cell. More of them: a quotation mark was not closed.
MAX_LINES_OF_A_CELL = 30
MAX_SHEETS = 20
#: Maximum number of rows in Excel, and of rows that may be wider than MAX_COLUMNS.
MAX_LINES, MAX_WIDE = 2**20, 100
#: Maximum length of a column's name.
LONGEST_NAME = 100
ZIP, OLE2 = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MONEY = {"amount", "debit", "credit"}
DAYS = {"booking_date", "value_date"}


@dataclass
class Table:
    """``rows``: list of (line number, list of cells), without empty rows. ``is_open``: the last line has no end."""

    kind: str
    rows: list
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    is_open: bool = False
    warnings: list = field(default_factory=list)


def is_number(cell):
    return bool(table_cells.separators(cell))


def is_day(cell):
    return bool(table_cells.orders(cell))


def header_score(cells):
    """
    :return: (how much a row looks like a header, number of roles that it names). 0 for rows with days or amounts.
    """
    best = {}
    for cell in cells:
        if type(cell) is not str or len(cell) > LONGEST_NAME or not cell.strip():
            continue
        if is_day(cell) or is_number(cell):
            return 0, 0
        role, certainty = role_of(cell)
        if role and role != "ignore":
            best[role] = max(best.get(role, 0), certainty)
    if len(best) < 2 or not best.keys() & (MONEY | DAYS | {"balance"}):
        return 0, 0
    bonus = bool(best.keys() & DAYS) + bool(best.keys() & MONEY)
    return sum(best.values()) + bonus, len(best)


def looks_like_data(cells):
    """:return: whether a row has a day and an amount"""
    found_day = found_number = False
    for cell in cells:
        if not found_day and is_day(cell):
            found_day = True
        elif is_number(cell):
            found_number = True
    return found_day and found_number


# -------------------------------------------------------------------------
# CSV
# -------------------------------------------------------------------------


def read_csv(data, options, mapping=None):
    """
    :param bytes data: the whole file
    :param dict mapping: whose delimiter is used, see :mod:`.tables`
    :return: :class:`Table`
    """
    text, encoding, told = encodings.decode(data, options)
    if "\0" in text:
        raise FormatError(_lt("The file holds bytes that no text has, so it is not a table of text."))
    text = text.lstrip("\r\n")
    delimiter = mapping and mapping.get("delimiter")
    if marked := SEPARATOR_LINE.match(text):
        text = text[marked.end() :]
        delimiter = marked[1] if marked[1] in DELIMITERS else delimiter
    delimiter = delimiter or find_delimiter(text)
    if not delimiter:
        raise FormatError(
            _lt("The file is not a table: no character separates its columns. Ask the bank for CSV, CAMT or MT940.")
        )
    try:
        rows, quote = _split(text, delimiter, '"', options.limits), '"'
    except csv.Error:
        # A quotation mark inside a text. Unquoted cells contain no delimiter, which the widths of the rows prove.
        rows, quote = _split_without_quotes(text, delimiter, options.limits), None
    return Table("csv", rows, encoding, delimiter, quote, is_open=not text.endswith(("\n", "\r")), warnings=told)


def find_delimiter(text):
    """:return: the character that separates columns, None where there is none"""
    lines = text[:SAMPLE_LETTERS].splitlines()[:SAMPLE_LINES]
    sample = "\n".join(line[:SAMPLE_LINE] for line in lines)
    best, found = (0, 0), None
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if len(row) > 1]
        except csv.Error:
            continue
        if not rows:
            continue
        header = max(header_score(row)[0] for row in rows[:HEADER_ROWS])
        data = sum(map(looks_like_data, rows))
        widths = [len(row) for row in rows]
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        score = (header + 4 * data / len(rows), widths.count(usual) / len(rows) * min(usual, 8))
        if header + data and score > best:
            best, found = score, delimiter
    return found


def _split(text, delimiter, quote, limits):
    """:raise csv.Error: for a quotation mark that is not closed, or in the wrong place"""
    if quote:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, strict=True)
    else:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    rows, line = [], 0
    for row in _bounded(reader):
        first, line = line + 1, reader.line_num
        if line - first > MAX_LINES_OF_A_CELL:
            raise csv.Error
        if len(row) > MAX_COLUMNS:
            row = row[:MAX_COLUMNS]
        if not any(row) or not any(map(str.strip, row)):
            continue
        rows.append((first, row if quote else [_unquoted(cell) for cell in row]))
        if len(rows) > limits.held + HEADER_ROWS:
            raise TooLarge(_lt("The table has more than %(count)s rows.", count=limits.held))
    return rows


def _bounded(reader):
    """:return: iterator of its rows; a cell that is too long is not a quotation mark in the wrong place"""
    try:
        yield from reader
    except csv.Error as error:
        if "limit" not in str(error):
            raise
        raise TooLarge(
            _lt("A cell is longer than %(limit)s characters.", limit=csv.field_size_limit()), f"line {reader.line_num}"
        ) from None


def _split_without_quotes(text, delimiter, limits):
    """:raise FormatError: if that does not give a table, either"""
    with suppress(csv.Error):
        rows = _split(text, delimiter, None, limits)
        if _has_one_width(rows):
            return rows
    raise _unclosed(text, delimiter)


def _unquoted(cell):
    cell = cell.strip()
    inner = cell[1:-1].replace('""', "")
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner
    return cell[1:-1].replace('""', '"') if is_quoted else cell


def _has_one_width(rows):
    widths = [len(row) for _line, row in rows if len(row) > 1]
    usual = max(set(widths), key=widths.count, default=0)
    return usual and widths.count(usual) >= 0.9 * len(widths)


def _unclosed(text, delimiter):
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    with suppress(csv.Error):
        for _row in reader:
            line = reader.line_num + 1
    return FormatError(
        _lt("A quotation mark is not closed, so the file is incomplete or damaged. Fetch it from the bank again."),
        f"line {line}",
    )


# -------------------------------------------------------------------------
# WORKBOOKS
# -------------------------------------------------------------------------


def read_workbook(stream, options, mapping=None):
    """
    :return: :class:`Table` of the sheet that looks like transactions, or of the one that the mapping names
    """
    head = stream.read(8)
    stream.seek(0)
    if head == OLE2:
        raise FormatError(
            _lt(
                "This is a workbook of Excel 97 to 2003 (.xls), or one with a password. Open it, save it as .xlsx "
                "without a password, or ask the bank for CSV."
            )
        )
    _check_size(stream, options.limits)
    if find_spec("openpyxl") is None:
        raise FormatError(_lt("Workbooks need the Python library openpyxl. Ask for it to be installed, or use CSV."))
    try:
        with warnings.catch_warnings():
            # openpyxl warns about styles, which are irrelevant here.
            warnings.simplefilter("ignore")
            return _best_sheet(workbooks.sheets(stream), options, mapping)
    except FormatError:
        raise
    except Exception:
        # openpyxl has no own exception classes: damaged parts raise exceptions of the XML or zip parser, among others.
        raise FormatError(_lt("The workbook is damaged or incomplete. Fetch it from the bank again.")) from None


def _check_size(stream, limits):
    """Why the sizes that the archive declares are enough: the library reads no more of a part than that."""
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
    except Exception:
        raise FormatError(_lt("The workbook is damaged or incomplete. Fetch it from the bank again.")) from None
    finally:
        stream.seek(0)
    if len(parts) > limits.members or sum(part.file_size for part in parts) > 4 * limits.file_bytes:
        raise TooLarge(_lt("The workbook is too large. Ask the bank for shorter periods, or for CSV."))


def _best_sheet(sheets, options, mapping):
    wanted = mapping and mapping.get("sheet")
    best, found = (False, -1), None
    for title, read, is_hidden, count in itertools.islice(sheets, MAX_SHEETS):
        if wanted and title != wanted and count > 1:
            continue
        rows = _sheet_rows(read(), options.limits)
        score = max((header_score(row)[0] for _line, row in rows[:HEADER_ROWS]), default=0)
        score += sum(looks_like_data(row) for _line, row in rows[:HEADER_ROWS]) / HEADER_ROWS
        # Why: hidden sheets contain old data, or data for programs.
        rank = bool(score) and not is_hidden, score
        if rank > best:
            best, found = rank, Table("xlsx", rows, sheet=title)
    if found is None or not found.rows:
        raise FormatError(_lt("The workbook holds no table."))
    return found


def _sheet_rows(sheet, limits):
    rows, wide = [], 0
    for line, row, is_wide in sheet:
        wide += is_wide
        if row:
            rows.append((line, row))
        if len(rows) > limits.held + HEADER_ROWS or line > MAX_LINES or wide > MAX_WIDE:
            # Why the last two: a few bytes can place cells far away; that is not a bank statement.
            raise TooLarge(_lt("The table has more than %(count)s rows.", count=limits.held))
    return rows
