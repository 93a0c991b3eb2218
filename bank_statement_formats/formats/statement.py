"""The result of every format: statements of accounts, with transactions in the form of docs/protocol.md.

Amounts are :class:`~decimal.Decimal`, credit positive; days are :class:`~datetime.date`. Values that a file does not
contain are None, never a guess.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

MEBI = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Limits of resources for a file. Every reader checks them and raises :class:`~.errors.TooLarge`."""

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

    ``transactions`` is an iterator of *transaction* objects of docs/protocol.md (``amount`` is a string): consume it
    before the next statement is requested. ``closing``, ``end`` and ``sums`` are final only after the last transaction,
    because some formats have them at the end. An unreadable transaction does not affect the others: it is replaced by
    an object with ``problem``, as docs/protocol.md describes.

    ``kind``: ``statement`` · ``interim`` (booked so far, no final balances: MT942, CAMT.052) · ``advice`` (single
    entries without balances: CAMT.054) · ``list`` (any export: CSV, QIF, OFX).
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
    """Options of the user for a file.

    :param bool split_batches: a batch entry with details becomes one transaction each, else one for the whole
    :param str encoding: overrides the detected one; None to detect it
    :param dict mapping: of a table's columns, see :mod:`.tables`; None to detect it
    :param str currency: of the journal, for formats without one
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
        :param str filename: may be empty or wrong
        :return int: from 0, not this format, to 100, certainly this format. The highest one reads the file.
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
