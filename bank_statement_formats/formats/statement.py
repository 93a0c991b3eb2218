"""What every format gives: statements of accounts, with transactions in the form of docs/protocol.md.

Amounts are :class:`~decimal.Decimal`, credit positive; days are :class:`~datetime.date`. What a file does not say is
None, never a guess.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

MEBI = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What a file may cost. Every reader keeps to them and raises :class:`~.errors.TooLarge`."""

    file_bytes: int = 64 * MEBI
    #: Of all members of an archive together, unpacked.
    unpacked_bytes: int = 512 * MEBI
    members: int = 1_000
    #: Unpacked bytes for each packed one.
    ratio: int = 200
    #: Of XML elements.
    depth: int = 64
    #: Characters of one line, or bytes of one XML text.
    line: int = 1 * MEBI
    transactions: int = 1_000_000
    #: Of them in formats that must be held as a whole: a table's notation is proved over all rows, and OFX says behind
    #: the transactions whether their ids are trustworthy. :attr:`held` is the lower of the two.
    whole: int = 250_000

    @property
    def held(self):
        return min(self.whole, self.transactions)


@dataclass(frozen=True)
class Balance:
    """A booked balance. ``day`` is the last booking day that it contains; for an opening balance the day before the
    first one of the statement, or the day that the file names."""

    amount: Decimal
    day: date | None = None


@dataclass
class Statement:
    """One statement of one account.

    ``transactions`` gives *transaction* objects of docs/protocol.md (``amount`` a string), once, as they are read: take
    them all before the next statement is asked for. Only after the last one ``closing``, ``end`` and ``sums`` are
    final, because some formats say them at the end. What can't be read of one transaction does not keep the others
    away: in its place is an object with ``problem``, as docs/protocol.md describes.

    ``kind``: ``statement`` · ``interim`` (booked so far, no final balances: MT942, CAMT.052) · ``advice`` (single
    entries without balances: CAMT.054) · ``list`` (CSV, QIF, OFX: whatever was exported).
    """

    number: str | None
    """Of the account: IBAN without blanks, else as the file says. None where the file names none."""
    currency: str | None
    transactions: Iterator[dict]
    kind: str = "statement"
    number_type: str = "other"
    """``iban`` or ``other``, as *account* of docs/protocol.md."""
    name: str | None = None
    """What the file calls the account."""
    bank: str | None = None
    """BIC, else whatever names the bank."""
    reference: str | None = None
    """Number or id of the statement itself."""
    opening: Balance | None = None
    closing: Balance | None = None
    start: date | None = None
    end: date | None = None
    sums: dict[str, Decimal | int] = field(default_factory=dict)
    """What the file says of itself for a check: ``credit``, ``debit``, ``credit_count``, ``debit_count``."""
    id_scheme: str = "fingerprint"
    """As *account* of docs/protocol.md: where ``id`` of the transactions comes from."""
    warnings: list = field(default_factory=list)
    """:class:`~.words.Sentence` for the preview: what had to be assumed, what does not add up."""


@dataclass(frozen=True)
class Options:
    """What a person can decide about a file.

    :param bool split_batches: a batch entry with details becomes one transaction each, else one for the whole
    :param str encoding: where the found one is wrong; None to find it
    :param dict mapping: of a table's columns, see :mod:`.tables`; None to find it
    :param str currency: of the journal, for formats that name none
    """

    split_batches: bool = True
    encoding: str | None = None
    mapping: dict | None = None
    currency: str | None = None
    limits: Limits = Limits()


class Format:
    """One format. Register it in :data:`~bank_statement_formats.formats.FORMATS`."""

    code = ""
    label = ""
    #: For the file dialog, such as ``(".xml",)``.
    extensions = ()

    @classmethod
    def recognises(cls, head, filename):
        """
        :param bytes head: the first 64 KiB of the file
        :param str filename: may be empty, and may lie
        :return int: 0 not mine … 100 certainly mine. The highest reads the file.
        """
        raise NotImplementedError

    @classmethod
    def statements(cls, stream, options):
        """
        :param stream: binary file object that can seek
        :param Options options:
        :return: iterator of :class:`Statement`
        :raise FormatError: with the place
        """
        raise NotImplementedError
