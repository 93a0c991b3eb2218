"""CAMT.053, CAMT.052 and CAMT.054 of ISO 20022, in all versions: statement, report and advice.

Elements are found by their names and places, never by the namespace: banks write versions that no schema has. A file
is read entry by entry, so that its size does not matter.

The bank's references (``AcctSvcrRef``, ``NtryRef``) are not used as ids. At some banks they are unique, at others equal
for all of a batch, ``NONREF``, or different in report and statement, and the file does not indicate which. A wrong id
loses transactions; without an id they are recognized by their content. The references are kept in ``raw``.
"""

import codecs
import io

from lxml import etree

from odoo.addons.bank_sync_common.tools.words import _lt

from . import encodings, values
from .camt_entry import EntryReader, at, many
from .errors import FormatError, TooLarge
from .lines import Chain, Count, Totals, differences
from .statement import Balance, Format, Statement

#: Part of the name of a message → element of an account in it, and kind of the statement.
MESSAGES = {
    "BkToCstmrStmt": ("Stmt", "statement"),
    "BkToCstmrAcctRpt": ("Rpt", "interim"),
    "BkToCstmrDbtCdtNtfctn": ("Ntfctn", "advice"),
}
CONTAINERS = dict(MESSAGES.values())
TAGS = ("{*}Document", "{*}GrpHdr", "{*}Ntry", *(f"{{*}}{container}" for container in CONTAINERS))
#: Codes of balances, the best first. Interim balances are used in statements of several pages.
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
INTERIM = "ITBD"
COPIES = ("COPY", "DUPL", "CODU")
CHUNK = 256 * 1024


class Camt(Format):
    code = "camt"
    label = "CAMT"
    extensions = (".xml",)

    @classmethod
    def recognises(cls, head, filename):
        # Also in UTF-16.
        start = head.replace(b"\0", b"")
        return 100 if any(name.encode() in start for name in MESSAGES) else 0

    @classmethod
    def statements(cls, stream, options):
        _check_size(stream, options.limits)
        encoding, warnings = _encoding(stream, options)
        document = _Document(stream, encoding, options)
        count, chain = Count(options.limits), Chain()
        for statement in document.statements(count):
            statement.warnings += warnings
            warnings = []
            chain.begin(statement)
            yield statement
            for _rest in statement.transactions:
                pass
            chain.end(statement)


def _check_size(stream, limits):
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > limits.file_bytes:
        raise TooLarge(
            _lt("The file is larger than %(size)s MB. Split it by periods.", size=limits.file_bytes // 1024**2)
        )


def _encoding(stream, options):
    """Check the declared encoding, because some banks declare UTF-8 and write Windows-1252.

    :return: (the encoding to read with, None if the declaration is right; list of warnings)
    """
    if options.encoding:
        return options.encoding, []
    head = stream.read(300)
    match = encodings.DECLARATION.match(head.decode("latin-1").lstrip())
    is_wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head
    if is_wide or (match and match[1].lower() not in ("utf-8", "utf8", "us-ascii")):
        stream.seek(0)
        return None, []
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", True)
        return None, []
    except UnicodeDecodeError as error:
        part = error.object[max(0, error.start - CHUNK) : error.start + CHUNK]
    finally:
        stream.seek(0)
    _text, encoding, warnings = encodings.decode(part)
    return (encoding, warnings) if warnings else (None, [])


class _Document:
    """One file. Elements are freed as soon as they are read."""

    def __init__(self, stream, encoding, options):
        self.options = options
        self.found = False
        self.page = None
        self.names = _Names()
        try:
            self.events = etree.iterparse(
                stream,
                events=("start", "end"),
                tag=TAGS,
                encoding=encoding,
                resolve_entities=False,
                load_dtd=False,
                no_network=True,
                remove_comments=True,
                remove_pis=True,
                huge_tree=False,
            )
        except LookupError:
            raise FormatError(_lt("“%(encoding)s” is not the name of an encoding.", encoding=encoding[:40])) from None

    def statements(self, count):
        for event, element in self._steps():
            name = local(element)
            if event == "end" and name == "GrpHdr":
                self.page = _page(self.plain(element).get("MsgPgntn"))
            elif event == "start" and name in CONTAINERS and _message(element):
                self.found = True
                account = _Account(self, element, CONTAINERS[name], count)
                yield account.begin()
                for _rest in account.statement.transactions:
                    pass
        if not self.found:
            raise FormatError(_lt("The file holds no statement, although it is CAMT."))

    def _steps(self):
        """:return: iterator of the parser's events; its errors become :class:`~.errors.FormatError`"""
        is_first = True
        while True:
            try:
                event, element = next(self.events)
            except StopIteration:
                return
            except etree.XMLSyntaxError as error:
                raise _broken(error) from None
            except (LookupError, ValueError):
                raise FormatError(_lt("The file's encoding can't be read.")) from None
            if is_first:
                is_first = False
                # Why refused: files of banks have no DTD, and a DTD can be an entity bomb.
                if element.getroottree().docinfo.doctype:
                    raise FormatError(
                        _lt("The file has a document type declaration, which no bank's file has. It was not read.")
                    )
            yield event, element

    def plain(self, element):
        return to_plain(element, self.options.limits.depth, self.names)

    def next_entry(self, container):
        """:return: the next entry of an account's part, None at its end"""
        for event, element in self._steps():
            if event != "end":
                continue
            if element is container:
                return None
            if element.getparent() is container:
                return element
        raise FormatError(_lt("The file ends in the middle of a statement. Download it again."))


def _broken(error):
    place = f"line {error.lineno}" if error.lineno else None
    if "excessive depth" in str(error).lower() or "huge" in str(error).lower():
        return TooLarge(_lt("The file is built in a way that no bank's file is. It was not read."), place)
    return FormatError(_lt("The file is damaged, or a part of it is missing. Download it again."), place)


class _Account:
    """The part of a file for one account: one statement."""

    def __init__(self, document, element, kind, count):
        self.document, self.element, self.kind, self.count = document, element, kind, count
        self.options = document.options
        self.totals = Totals()
        self.informational = self.split = 0

    def begin(self):
        """:return: :class:`Statement`, whose transactions have not been read"""
        self.entry = self.document.next_entry(self.element)
        head = self._head()
        account = at(head, "Acct")
        iban = values.text(at(account, "Id", "IBAN"))
        number = values.number(
            iban or at(account, "Id", "Othr", "Id") or at(account, "Id", "PrtryAcct", "Id") or at(account, "Id", "BBAN")
        )
        self.currency = (
            values.currency(at(account, "Ccy"))
            or values.currency(at(head, "Bal", "Amt", "@Ccy"))
            or (self.entry is not None and values.currency(at(self.document.plain(self.entry), "Amt", "@Ccy")))
            or None
        )
        bank = at(account, "Svcr", "FinInstnId")
        self.statement = Statement(
            number,
            self.currency,
            self._transactions(number),
            kind=self.kind,
            number_type=values.number_type(number),
            name=values.text(at(account, "Nm") or at(account, "Ownr", "Nm")),
            bank=values.text(
                at(bank, "BICFI") or at(bank, "BIC") or at(bank, "ClrSysMmbId", "MmbId") or at(bank, "Nm")
            ),
            reference=values.text(at(head, "Id")),
            warnings=list(self._notes(head)),
        )
        self._set_period(head)
        return self.statement

    def _head(self):
        """:return: the elements of the part besides its entries"""
        found = {}
        for child in self.element.iterchildren(etree.Element):
            name = local(child)
            if name != "Ntry":
                add(found, name, self.document.plain(child) if len(child) else (child.text or "").strip())
        return found

    def _notes(self, head):
        if at(head, "CpyDplctInd") in COPIES:
            yield _lt("The bank marks this statement as a copy: it was sent before.")
        page = _page(head.get("StmtPgntn")) or self.document.page
        self.is_page = bool(page) and page != ("1", True)
        if self.is_page:
            yield _lt(
                "This is page %(page)s of a statement of several pages: import the other pages as well.",
                page=page[0] or "?",
            )

    def _set_period(self, head):
        """Set balances and sums; called again at the end, because some banks write them after the entries."""
        balances = [found for found in map(self._balance, many(head, "Bal")) if found]
        interim = [balance for code, balance in balances if code == INTERIM]
        if self.kind != "statement":
            interim = []
        self.statement.opening = _first(balances, OPENING) or (interim[0] if len(interim) > 1 else None)
        closing = [balance for code, balance in balances if code in CLOSING]
        self.statement.closing = (closing or interim or [None])[-1]
        if self.kind == "advice":
            self.statement.opening = self.statement.closing = None
        period = at(head, "FrToDt")
        self.statement.start = _day(at(period, "FrDtTm") or at(period, "FrDt"))
        self.statement.end = _day(at(period, "ToDtTm") or at(period, "ToDt"))
        if not self.statement.end and self.statement.closing:
            self.statement.end = self.statement.closing.day

    def _balance(self, part):
        """:return: (code, :class:`Balance`), None for one that can't be used"""
        code = at(part, "Tp", "CdOrPrtry", "Cd") or at(part, "Tp", "Cd") or at(part, "Tp", "CdOrPrtry", "Prtry")
        if type(part) is not dict or at(part, "Amt", "@Ccy") not in (None, self.currency):
            return None
        try:
            amount = values.amount(at(part, "Amt", "#") or at(part, "Amt"))
            sign = {"CRDT": 1, "DBIT": -1}[at(part, "CdtDbtInd") or "CRDT"]
        except (ValueError, KeyError, AttributeError, TypeError):
            return None
        return code, Balance(sign * amount, _day(at(part, "Dt", "Dt") or at(part, "Dt", "DtTm")))

    def _transactions(self, number):
        reader = EntryReader(self.currency, number, self.options.split_batches)
        place = 0
        while self.entry is not None:
            place += 1
            found = reader.transactions(self.document.plain(self.entry), place)
            self.informational += found is None
            for one in found or ():
                self.count.add()
                self.totals.add(one)
                yield one
            self._drop()
            self.entry = self.document.next_entry(self.element)
        self._finish(reader)

    def _drop(self):
        """Free memory of read entries. Why the previous one: text after the current one is not read yet."""
        before = self.entry.getprevious()
        if before is not None and local(before) == "Ntry":
            self.element.remove(before)
        self.entry.clear(keep_tail=True)

    def _finish(self, reader):
        head = self._head()
        self._set_period(head)
        if not reader.batches and not self.is_page and not self.informational and not reader.pending:
            self.statement.sums = _sums(at(head, "TxsSummry"))
        warnings = self.statement.warnings
        warnings += differences(self.statement, self.totals)
        if self.informational:
            warnings.append(
                _lt(
                    "%(count)s entries are only announced, not booked, so they were left out.",
                    count=self.informational,
                )
            )
        if reader.unsplit:
            warnings.append(
                _lt(
                    "%(count)s batch entries were kept whole, because the amounts of their payments are missing or "
                    "do not add up. The first is entry %(place)s.",
                    count=len(reader.unsplit),
                    place=reader.unsplit[0],
                )
            )
        self.element.clear()


def _first(balances, codes):
    """:return: the first balance with the best of several codes, or None"""
    for code in codes:
        for found, balance in balances:
            if found == code:
                return balance
    return None


def _sums(summary):
    """:return: dict as :attr:`Statement.sums`"""
    found = {}
    for name, part in (("credit", "TtlCdtNtries"), ("debit", "TtlDbtNtries")):
        try:
            if at(summary, part, "Sum"):
                found[name] = values.amount(at(summary, part, "Sum"))
            if at(summary, part, "NbOfNtries"):
                found[f"{name}_count"] = int(at(summary, part, "NbOfNtries")[:9])
        except (ValueError, TypeError, AttributeError):
            continue
    return found


def _page(part):
    """:return: (number, whether it is the last page), or None"""
    return (at(part, "PgNb"), at(part, "LastPgInd") in ("true", "1")) if part else None


def _day(value):
    try:
        return values.day(value)
    except (ValueError, AttributeError, TypeError):
        return None


# -------------------------------------------------------------------------
# Elements
# -------------------------------------------------------------------------


def local(element):
    """:return: the name without its namespace"""
    return element.tag.rpartition("}")[2]


def _message(container):
    """Whether it is at the place of a message's statements: elsewhere the name may mean something else."""
    parent = container.getparent()
    return parent is not None and any(local(parent).startswith(name) for name in MESSAGES)


class _Names(dict):
    """Names without their namespaces, each one computed once."""

    def __missing__(self, tag):
        # Nodes without a text name are references to entities, none of which is declared.
        name = self[tag] = tag.rpartition("}")[2] if type(tag) is str else ""
        return name


def to_plain(element, depth, names):
    """The parts of an element as JSON, by their names: texts, or parts in turn. A currency is ``@Ccy``, and the amount
    beside it ``#``.

    Why in one loop: this takes most of the time of a file, and function calls for each part are slow.

    :param int depth: maximum nesting
    :param _Names names:
    """
    whole = parts = {}
    left, outer = len(element), []
    every = element.iter()
    next(every)
    for child in every:
        name = names[child.tag]
        count = len(child)
        if count:
            value = {}
        else:
            value = (child.text or "").strip()
            if "Amt" in name and (currency := child.get("Ccy")):
                value = {"@Ccy": currency, "#": value}
        if name in parts:
            add(parts, name, value)
        elif name:
            parts[name] = value
        left -= 1
        if count:
            outer.append((parts, left))
            parts, left = value, count
            if len(outer) >= depth:
                raise _too_deep(element)
        else:
            while not left and outer:
                parts, left = outer.pop()
    return whole


def _too_deep(element):
    return TooLarge(
        _lt("The file is built in a way that no bank's file is. It was not read."), f"line {element.sourceline}"
    )


def add(parts, name, value):
    """Add a part that may occur several times."""
    if name not in parts:
        parts[name] = value
    elif type(parts[name]) is list:
        parts[name].append(value)
    else:
        parts[name] = [parts[name], value]
