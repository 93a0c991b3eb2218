"""Reads uploads into checked statements, without access to the books: nothing here writes."""

import hashlib
import io
import json
from dataclasses import dataclass, field, replace
from datetime import date

from odoo.addons.account_online_synchronization.sync.decide import Window
from odoo.addons.account_online_synchronization.sync.fetch import read_page
from odoo.addons.account_online_synchronization.sync.files import Coverage
from odoo.addons.bank_statement_formats import formats
from odoo.addons.bank_statement_formats.formats import archives
from odoo.addons.bank_sync_common.tools.words import Sentence


@dataclass
class ReadStatement:
    """One completely read statement of a file. ``key`` identifies it within the upload.

    ``problem`` is the reason why it could not be read; everything else is empty then.
    """

    key: str
    filename: str
    code: str = ""
    label: str = ""
    number: str = ""
    currency: str = ""
    name: str = ""
    kind: str = "statement"
    messages: list = field(default_factory=list)
    opening: object = None
    closing: object = None
    start: date | None = None
    end: date | None = None
    warnings: list = field(default_factory=list)
    problem: str = ""
    #: Questions to the user about the columns of a table, see :mod:`.formats.tables`.
    mapping: dict | None = None

    @property
    def digest(self):
        """A hash of the content, independent of the file's name."""
        balances = [one and str(one.amount) for one in (self.opening, self.closing)]
        content = [self.code, self.number, self.currency, balances, str(self.start), str(self.end), self.messages]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def window(self, currency, decimal_places):
        """The transactions as a list of changes, because those that are missing in a file have not vanished.

        Why without pending ones: no later file reports that they have disappeared.

        :return: :class:`~..sync.decide.Window`
        """
        window = Window(is_delta=True)
        read_page({"transactions": self.messages}, window, currency, decimal_places)
        window.pending = []
        return window

    def coverage(self, transactions):
        """:return: :class:`~..sync.files.Coverage` of its booked transactions; None without any"""
        days = [one.booking_date for one in transactions]
        if not days:
            return None
        first, last = min(days), max(days)
        is_final = self.kind == "statement"
        opening_day = self.opening and self.opening.day
        # Why not of interim reports: they begin where the previous one ended. Why an earlier day of lists: if they
        # begin on the day of the first row, the start of that day may be missing.
        begins = self.start and (self.start <= first if is_final else self.kind == "list" and self.start < first)
        from_start = bool(begins or (is_final and opening_day and opening_day < first))
        ends = [day for day in (self.end, self.closing and self.closing.day) if day]
        return Coverage(
            min(first, self.start) if from_start and self.start else first,
            last,
            from_start=from_start,
            # Why not of lists: an export of today contains only what was booked so far.
            to_end=is_final and bool(self.closing) and any(day >= last for day in ends),
            is_complete=self.kind != "advice",
            opening=self.opening and self.opening.amount,
            closing=self.closing and self.closing.amount,
        )


def read_upload(content, filename, options=None, mappings=None):
    """
    :param bytes content: of the upload, which may be an archive
    :param dict mappings: of tables that a user has confirmed, by the fingerprint of their header
    :param options: :class:`~odoo.addons.bank_statement_formats.formats.Options`
    :return: list of :class:`ReadStatement`; unreadable ones have a ``problem``
    """
    options = options or formats.Options()
    statements = []
    try:
        for name, stream in archives.open_all(io.BytesIO(content), filename, options.limits):
            statements += _read_member(stream, name or filename, options, len(statements), mappings or {})
    except formats.FormatError as error:
        statements.append(_failed(len(statements), filename, error))
    if not statements:
        empty = Sentence("%(name)s contains no statement.", name=filename)
        statements.append(ReadStatement("0", filename, problem=empty))
    return statements


def _read_member(stream, filename, options, number, mappings):
    try:
        head = stream.read(formats.HEAD)
        stream.seek(0)
        found = formats.recognise(head, filename)
        return _read_statements(stream, filename, options, number, found)
    except formats.FormatError as error:
        # Why nothing of this file: files are not imported partially.
        mapping = getattr(error, "mapping", None)
        known = mapping and mappings.get(mapping["fingerprint"])
        if not known or known["unsure"] or options.mapping:
            return [_failed(number, filename, error, mapping)]
        stream.seek(0)
        return _read_member(stream, filename, replace(options, mapping=known), number, {})


def _read_statements(stream, filename, options, number, found):
    statements = []
    for one in formats.read(stream, filename, options):
        # Why first: some formats contain the end of the statement only after its transactions.
        messages = list(one.transactions)
        statements.append(
            ReadStatement(
                key=str(number + len(statements)),
                filename=filename,
                code=found.code,
                label=found.label,
                number=one.number or "",
                currency=one.currency or "",
                name=one.name or "",
                kind=one.kind,
                messages=messages,
                opening=one.opening,
                closing=one.closing,
                start=one.start,
                end=one.end,
                warnings=list(one.warnings),
            )
        )
    return statements


def _failed(number, filename, error, mapping=None):
    return ReadStatement(str(number), filename, problem=error, mapping=mapping)
