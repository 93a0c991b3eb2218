"""Transactions of a table whose columns are known."""

from datetime import timedelta
from decimal import Decimal

from odoo.addons.bank_sync_common.tools.words import _lt

from . import values
from .errors import FormatError, TooLarge
from .statement import Balance, Statement
from .table_balances import best_order, compare, opening_and_closing
from .table_cells import day_of, number_of
from .table_words import DROPPED_WORDS, PENDING_WORDS, plain

ZERO = Decimal(0)
NAMED_LINES = 3
REFERENCES = (
    ("creditor_reference", values.structured_reference),
    ("end_to_end_id", values.text),
    ("mandate_id", values.text),
)
COUNTERPARTY = {"counterparty_name", "counterparty_number", "counterparty_bic", "payer", "payee"}


class Amounts:
    """The amount of a line, from one or several columns."""

    def __init__(self, mapping):
        columns = mapping["columns"]
        self.decimal, self.mode = mapping["decimal"], mapping["sign"]
        self.amount, self.debit, self.credit, self.sign, self.fee = (
            columns[role][0] if columns.get(role) else None for role in ("amount", "debit", "credit", "sign", "fee")
        )
        if mapping["fee"] != "apart":
            self.fee = None
        self.debit_words = set(mapping["debit_words"])
        self.debit_signed = mapping["debit_signed"]

    def of(self, row):
        """
        :return: credit positive
        :raise ValueError: with the words that can't be read
        """
        if self.amount is not None:
            found = self._at(row, self.amount)
            if found is None:
                raise ValueError("no amount")
            if self.mode == "inverted":
                found = -found
            elif self.mode == "words":
                word = str(row[self.sign]).strip() if self.sign < len(row) else ""
                found = -found if word in self.debit_words else found
        else:
            debit = None if self.debit is None else self._at(row, self.debit)
            credit = None if self.credit is None else self._at(row, self.credit)
            if debit is None and credit is None:
                raise ValueError("no amount")
            debit = debit or ZERO
            found = (credit or ZERO) + (debit if self.debit_signed else -debit)
        if self.fee is not None:
            found -= abs(self._at(row, self.fee) or ZERO)
        return found

    def _at(self, row, column):
        cell = row[column] if column < len(row) else ""
        if cell == "" or cell == "-":
            return None
        found = number_of(cell, self.decimal)
        if found is None and cell.strip():
            raise ValueError(f"amount {cell[:40]}")
        return found


class Reader:
    """
    :param table: :class:`~.table_rows.Table`
    :param dict mapping: see :mod:`.tables`
    :param int start: number of the first row below the header
    """

    def __init__(self, table, mapping, start, options):
        self.table, self.start, self.options = table, start, options
        if mapping.get("account_column") == "own" and "counterparty_number" in mapping["columns"]:
            columns = {**mapping["columns"]}
            columns["account_number"] = columns.pop("counterparty_number")
            mapping = {**mapping, "columns": columns}
        self.mapping = mapping
        self.amounts = Amounts(mapping)
        self.accounts = {}
        self.warnings = list(table.warnings)
        self.names = self._names()
        self.cut_line = self._cut_line()
        self.position = {role: found[0] for role, found in mapping["columns"].items() if found}
        self.texts = mapping["columns"].get("remittance", [])
        self.references = [(role, read) for role, read in REFERENCES if role in self.position]
        self.has_counterparty = not COUNTERPARTY.isdisjoint(self.position)

    def _names(self):
        """Unique names of the columns, as keys of the raw data."""
        names = []
        width = max((len(row) for _line, row in self.table.rows[self.start :]), default=0)
        for column in range(width):
            header = self.mapping["header"]
            name = (header[column] if column < len(header) else "") or f"column {column + 1}"
            names.append(name if name not in names else f"{name} {column + 1}")
        return names

    def _cut_line(self):
        """:return: number of the last line if truncated: no line end, and fewer cells than all others; else None"""
        rows = self.table.rows[self.start :]
        if not self.table.is_open or not rows:
            return None
        others = [len(row) for _line, row in rows[:-1]] or [len(self.mapping["header"])]
        line, row = rows[-1]
        return line if len(row) < min(others) else None

    def preview(self, count):
        """:return: list of the first transactions, or problems"""
        found = []
        for number, (line, row) in enumerate(self.table.rows[self.start :]):
            if len(found) == count or number > 10 * count:
                break
            if self._is_line(row):
                currency = self._account(row)[1] or "XXX"
                found.append(self._transaction(line, row, currency, self._fact(line, row, currency)))
        return found

    def statements(self):
        """:return: iterator of :class:`Statement`, one for each account and currency"""
        groups = {}
        rows = [pair for pair in self.table.rows[self.start :] if not self._is_dropped(pair[1])]
        dropped = len(self.table.rows) - self.start - len(rows)
        last = self._last_line(rows)
        for line, row in rows[: last + 1]:
            if self._at(row, "booking_date") == "" and self._is_text_only(row):
                dropped += 1
                continue
            groups.setdefault(self._account(row), []).append((line, row))
        self._note_rest(rows[last + 1 :])
        if dropped:
            self.warnings.append(
                _lt("%(count)s lines that are no transactions, or were declined, were left out.", count=dropped)
            )
        if sum(map(len, groups.values())) > self.options.limits.held:
            raise TooLarge(_lt("The file has more than %(count)s transactions.", count=self.options.limits.held))
        scheme = self._id_scheme(groups)
        for (number, currency), rows in groups.items():
            yield self._statement(number, currency, rows, scheme)

    # Lines ---------------------------------------------------------------

    def _at(self, row, role):
        column = self.position.get(role)
        return row[column] if column is not None and column < len(row) else ""

    def _text(self, row, role):
        return str(self._at(row, role)).strip()

    def _is_line(self, row):
        return bool(self._day(row, "booking_date"))

    def _day(self, row, role):
        return day_of(self._at(row, role), self.mapping["date_order"])

    def _has_amount(self, row):
        try:
            self.amounts.of(row)
        except ValueError:
            return False
        return True

    def _is_text_only(self, row):
        return not self._has_amount(row)

    def _last_line(self, rows):
        """:return: number of the last row of the table; below it are totals or remarks"""
        for number in range(len(rows) - 1, -1, -1):
            row = rows[number][1]
            cell = self._at(row, "booking_date")
            # A cell with digits counts as a day, even if it can't be read.
            if self._is_line(row) or (any(map(str.isdigit, str(cell))) and self._has_amount(row)):
                return number
        raise FormatError(_lt("The table has no line with a date."))

    def _note_rest(self, rest):
        if rest:
            line, row = rest[0]
            self.warnings.append(
                _lt(
                    "%(count)s lines below the table were not read; the first is line %(line)s: “%(text)s”.",
                    count=len(rest),
                    line=line,
                    text=" ".join(filter(None, map(str, row)))[:80],
                )
            )

    def _is_dropped(self, row):
        return "status" in self.position and plain(self._text(row, "status")) in DROPPED_WORDS

    def _account(self, row):
        """Why cached: it is needed for each line, and there are few accounts."""
        key = self._at(row, "account_number"), self._at(row, "currency")
        if key not in self.accounts:
            self.accounts[key] = self._find_account(row)
        return self.accounts[key]

    def _find_account(self, row):
        number = values.number(self._text(row, "account_number")) if "account_number" in self.position else None
        currency = values.currency(self._text(row, "currency").upper()) if "currency" in self.position else None
        return (
            number or self.mapping.get("number"),
            currency or self.mapping.get("currency") or self.options.currency,
        )

    def _id_scheme(self, groups):
        """Ids are used if each line has a different one."""
        if "id" not in self.position:
            return "fingerprint"
        ids = [self._text(row, "id") for rows in groups.values() for _line, row in rows]
        return "transaction_id" if all(map(values.identifier, ids)) and len(set(ids)) == len(ids) else "fingerprint"

    # Statements ----------------------------------------------------------

    def _statement(self, number, currency, rows, scheme):
        statement = Statement(
            number,
            currency,
            iter(()),
            kind="list",
            number_type=values.number_type(number),
            id_scheme=scheme,
            warnings=list(self.warnings),
        )
        if rows[-1][0] == self.cut_line:
            statement.warnings.append(
                _lt("The file ends within a transaction: a part of it may be missing. Download it again.")
            )
        found = [self._fact(line, row, currency) for line, row in rows]
        facts = [fact[:3] if type(fact) is tuple and not fact[3] else None for fact in found]
        order = self._order(statement, rows, facts)
        days = [fact[0] for fact in facts if fact]
        statement.start, statement.end = min(days, default=None), max(days, default=None)
        if statement.opening and statement.start:
            statement.opening = Balance(statement.opening.amount, statement.start - timedelta(days=1))
            statement.closing = Balance(statement.closing.amount, statement.end)
        # Why a generator: a transaction takes several times the memory of its line.
        statement.transactions = (self._transaction(*rows[one], currency, found[one], scheme) for one in order)
        return statement

    def _order(self, statement, rows, read):
        """
        :param read: list of (day, amount, balance), None for lines that have none
        :return: numbers of the lines, oldest first; opening and closing balance are set if they are proved
        """
        good = [number for number, fact in enumerate(read) if fact]
        facts = [read[number] for number in good]
        if not facts:
            return range(len(read))
        order, right, total = best_order(facts)
        if "balance" not in self.position or not any(balance is not None for _day, _amount, balance in facts):
            self._outside_balances(statement, facts)
            is_newest_first = facts[0][0] > facts[-1][0]
            return range(len(read) - 1, -1, -1) if is_newest_first else range(len(read))
        if right < total:
            lines = [rows[good[one]][0] for one in compare(facts, order)[2]]
            statement.warnings.append(
                _lt(
                    "At %(count)s lines the balance does not follow from the one before: lines are missing or "
                    "are there twice. The first is line %(lines)s.",
                    count=len(lines),
                    lines=", ".join(map(str, lines[:NAMED_LINES])),
                )
            )
        if len(good) < len(read):
            # A line that can't be read has no amount, so the balances around it prove nothing.
            return range(len(read))
        opening, closing = opening_and_closing(facts, order)
        if right == total:
            statement.opening, statement.closing = Balance(opening), Balance(closing)
        return [good[one] for one in order]

    def _outside_balances(self, statement, facts):
        found = self.mapping.get("balances")
        if not found:
            return
        opening, closing = map(Decimal, found)
        if opening + sum(amount for _day, amount, _balance in facts) == closing:
            statement.opening, statement.closing = Balance(opening), Balance(closing)
        else:
            statement.warnings.append(
                _lt("The opening balance and the amounts do not add up to the closing balance: lines may be missing.")
            )

    def _fact(self, line, row, currency):
        """:return: (day, amount, balance or None, whether it is pending); or a text that says what can't be read"""
        if line == self.cut_line:
            return "not whole: the file ends within it"
        day = self._day(row, "booking_date")
        if not day:
            return f"date {self._text(row, 'booking_date')[:40]}"
        try:
            amount = self.amounts.of(row)
        except ValueError as error:
            return str(error)
        if not currency:
            return "no currency"
        is_pending = "status" in self.position and plain(self._text(row, "status")) in PENDING_WORDS
        balance = number_of(self._at(row, "balance"), self.mapping["decimal"]) if "balance" in self.position else None
        return day, amount, balance, is_pending

    def _transaction(self, line, row, currency, fact, scheme="fingerprint"):
        """
        :param fact: see :meth:`_fact`
        :return: transaction, or problem
        """
        raw = {name: str(cell) for name, cell in zip(self.names, row, strict=False) if cell != ""}
        if type(fact) is str:
            return values.problem(f"line {line}: {fact}", raw)
        day, amount, _balance, is_pending = fact
        value_day = self._day(row, "value_date") if "value_date" in self.position else None
        foreign, foreign_currency = self._foreign(row, amount, currency)
        return values.transaction(
            id=values.identifier(self._text(row, "id")) if scheme == "transaction_id" else None,
            status="pending" if is_pending else "booked",
            booking_date=day.isoformat(),
            value_date=value_day and value_day.isoformat(),
            amount=values.plain(amount),
            currency=currency,
            foreign_amount=foreign,
            foreign_currency=foreign_currency,
            counterparty=self._counterparty(row, amount),
            remittance=values.texts(*(str(row[column]) for column in self.texts if column < len(row))),
            raw=raw,
            **self._references(row),
        )

    def _references(self, row):
        """Why only existing columns: few tables have one, and this is called for every line."""
        return {role: read(self._text(row, role)) for role, read in self.references}

    def _counterparty(self, row, amount):
        if not self.has_counterparty:
            return None
        name = self._text(row, "counterparty_name")
        if not name:
            name = self._text(row, "payer" if amount > 0 else "payee")
        return {
            "name": values.text(name),
            "account_number": values.number(self._text(row, "counterparty_number")),
            "bic": values.bic(self._text(row, "counterparty_bic")),
        }

    def _foreign(self, row, amount, currency):
        """:return: (original amount in another currency as text, its code), or (None, None)"""
        if "foreign_currency" not in self.position:
            return None, None
        code = values.currency(self._text(row, "foreign_currency").upper())
        foreign = number_of(self._at(row, "foreign_amount"), self.mapping["decimal"]) if code else None
        if foreign is None or code == currency:
            return None, None
        return values.plain(abs(foreign) if amount >= 0 else -abs(foreign)), code
