"""Reads the cells of a workbook's sheets, row by row.

openpyxl reads everything except the sheets: their list, the shared strings, and which cell formats are dates. The
sheets are read here, with lxml: openpyxl creates several objects for each cell, reads a sheet without dimensions twice,
and takes more than double the time.
"""

import re
from datetime import date, datetime
from decimal import Decimal

from lxml import etree

#: No bank uses more; a workbook may declare more.
MAX_COLUMNS = 64
#: Numbers are rounded to this: workbooks store 89.40000000000001.
SMALLEST = Decimal("0.000001")
#: Matches nearly all numbers; the others are handled separately.
PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")
DIGITS = "0123456789"
OUTSIDE = "#VALUE!"


def sheets(stream):
    """
    :return: iterator of (title, function that gives the rows, whether the sheet is hidden, number of sheets)
    :raise Exception: of any kind, for damaged workbooks
    """
    from openpyxl.reader.excel import ExcelReader

    reader = ExcelReader(stream, read_only=True, data_only=True, keep_links=False)
    reader.read_manifest()
    reader.read_strings()
    reader.read_workbook()
    days, spans = _formats_of_days(reader)
    found = [
        (sheet.name, rel.target, sheet.state in ("hidden", "veryHidden"))
        for sheet, rel in reader.parser.find_sheets()
        if rel.target in reader.valid_files and "chartsheet" not in rel.Type
    ]
    for title, part, is_hidden in found:
        yield title, lambda part=part: _Sheet(reader, days, spans).rows(part), is_hidden, len(found)


def _formats_of_days(reader):
    """:return: numbers of the cell formats for dates, and of those for durations"""
    from openpyxl.styles.stylesheet import Stylesheet
    from openpyxl.xml.constants import ARC_STYLE
    from openpyxl.xml.functions import fromstring

    if ARC_STYLE not in reader.valid_files:
        return (), ()
    found = Stylesheet.from_tree(fromstring(reader.archive.read(ARC_STYLE)))
    return found.date_formats, found.timedelta_formats


class _Sheet:
    def __init__(self, reader, days, spans):
        from openpyxl.utils.cell import column_index_from_string

        self.archive, self.texts = reader.archive, [text.strip() for text in reader.shared_strings]
        self.epoch, self.days, self.spans = reader.wb.epoch, days, spans
        self.column_of = column_index_from_string
        self.columns, self.moments = {}, {}

    def rows(self, part):
        """:return: iterator of (number of the row, list of cells, whether it is wider than :data:`MAX_COLUMNS`)"""
        last = 0
        with self.archive.open(part) as source:
            events = etree.iterparse(
                source,
                tag="{*}row",
                resolve_entities=False,
                load_dtd=False,
                no_network=True,
                remove_comments=True,
                remove_pis=True,
                huge_tree=False,
            )
            for _event, row in events:
                number = int(row.get("r") or last + 1)
                if number > last:
                    last = number
                    yield number, *self._cells(row)
                row.clear()
                parent = row.getparent()
                while parent is not None and parent[0] is not row:
                    del parent[0]

    def _cells(self, row):
        cells, place, is_wide = [], 0, False
        for element in row:
            if not element.tag.endswith("}c"):
                continue
            place = self._place(element.get("r"), place)
            if place > MAX_COLUMNS:
                is_wide = True
                continue
            value = self._value(element)
            if value == "":
                continue
            if place > len(cells):
                cells.extend([""] * (place - len(cells)))
            cells[place - 1] = value
        return cells, is_wide

    def _place(self, name, before):
        """:return: number of the column, from 1"""
        if not name:
            return before + 1
        letters = name.rstrip(DIGITS)
        if letters not in self.columns:
            self.columns[letters] = self.column_of(letters)
        return self.columns[letters]

    def _value(self, element):
        kind = element.get("t", "n")
        if kind == "inlineStr":
            return _text(element)
        text = None
        # Why not ``find``: a cell has only one or two children.
        for part in element:
            if part.tag.endswith("}v"):
                text = part.text
        if not text:
            return ""
        if kind == "n":
            style = element.get("s")
            return self._day(text, int(style)) if style and int(style) in self.days else _number(text)
        if kind == "s":
            return self.texts[int(text)]
        if kind == "d":
            return self._stored_day(text)
        return str(bool(int(text))) if kind == "b" else text.strip()

    def _day(self, text, style):
        """Why cached: a statement has few days, and many rows."""
        key = text, style in self.spans
        if key not in self.moments:
            from openpyxl.utils.datetime import from_excel

            try:
                found = from_excel(float(text), self.epoch, timedelta=key[1])
            except (OverflowError, ValueError):
                found = OUTSIDE
            self.moments[key] = _cell(found)
        return self.moments[key]

    @staticmethod
    def _stored_day(text):
        from openpyxl.utils.datetime import from_ISO8601

        return _cell(from_ISO8601(text))


def _text(element):
    """The text of a cell with an inline string; without the phonetic texts of Japanese workbooks."""
    if len(element) == 1 and len(element[0]) == 1 and element[0][0].tag.endswith("}t"):
        return (element[0][0].text or "").strip()
    parts = element.xpath("*[local-name()='is']/descendant::*[local-name()='t'][not(ancestor::*[local-name()='rPh'])]")
    return "".join(part.text or "" for part in parts).strip()


def _number(text):
    if PLAIN.fullmatch(text):
        # Adding zero turns 1E+3 into 1000, and -0 into 0.
        return Decimal(text).normalize() + 0
    if text.lstrip("-").isdecimal():
        return text
    value = float(text)
    # NaN is excluded, too: it is not smaller than any number.
    return Decimal(repr(value)).quantize(SMALLEST).normalize() + 0 if abs(value) < 10**15 else str(value)


def _cell(value):
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else str(value)
