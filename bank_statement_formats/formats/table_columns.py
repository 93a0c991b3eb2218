"""Detects the roles of a table's columns and their notation: found by words, verified with all rows."""

import re
from collections import Counter
from itertools import pairwise

from odoo.addons.bank_sync_common.tools.words import _lt

from . import values
from .errors import FormatError
from .table_balances import best_order
from .table_cells import ORDERS, day_of, is_ambiguous, number_of, orders, separators, side_of
from .table_reader import Amounts
from .table_rows import DAYS, HEADER_ROWS, MONEY, header_score, is_day, is_number, looks_like_data
from .table_words import CLOSING_WORDS, OPENING_WORDS, SEVERAL, plain, role_of

CODE = re.compile(r"[A-Z]{3}")
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[ ]?[A-Z0-9][A-Z0-9 ]{9,38}")
NUMBERS = (*MONEY, "balance", "fee", "foreign_amount")
#: Columns with decimals: from their cells the separator is deduced.
SEPARATED = (*sorted(MONEY), "balance", "fee")
#: Share of rows that must fit for a column that is found only by its contents.
MOST = 0.9
#: The same for a column that is found by its header: some lines may be damaged.
HALF = 0.5
#: Result for balances that prove nothing, such as that of a single line.
NOTHING_TO_COMPARE = -1
#: Maximum number of lines that a warning names.
NAMED_LINES = 3
DAY_LABELS = {"dmy": _lt("day, month, year"), "mdy": _lt("month, day, year"), "ymd": _lt("year, month, day")}


class Columns:
    """Roles of the columns of one table."""

    def __init__(self, table):
        self.start, self.header = self.find_header(table)
        rows = table.rows[self.start :]
        self.width = max((len(row) for _line, row in rows), default=0)
        self.data = [row for _line, row in rows if any(is_day(cell) for cell in row)]
        self.roles = {}
        self.questions = []
        if not self.data:
            raise FormatError(_lt("The table has no line with a date."))
        self._by_words()
        self._by_contents()
        if "booking_date" not in self.roles or not MONEY & self.roles.keys():
            raise FormatError(
                _lt("No column was found for the date, or none for the amount. Ask the bank for CAMT or MT940.")
            )
        self._choose_counterparty()
        self._choose_account()

    @staticmethod
    def find_header(table):
        """:return: (number of the first row below the header, cells of the header; ``[]`` where there is none)"""
        best, found = 0, None
        for number, (_line, row) in enumerate(table.rows[:HEADER_ROWS]):
            score, _roles = header_score(row)
            if score > best:
                best, found = score, number
        if found is not None:
            return found + 1, [str(cell).strip() for cell in table.rows[found][1]]
        for number, (_line, row) in enumerate(table.rows[:HEADER_ROWS]):
            if looks_like_data(row):
                return number, []
        raise FormatError(_lt("The file holds no table of transactions: no line has a date and an amount."))

    def cells(self, column):
        """:return: list of the cells of a column, without empty ones"""
        return [row[column] for row in self.data if column < len(row) and row[column] != ""]

    def _is(self, column, test, part=MOST):
        cells = self.cells(column)
        passing = len(cells)
        for cell in cells:
            if not test(cell):
                passing -= 1
                if passing < part * len(cells):
                    return False
        return bool(cells)

    def _by_words(self):
        candidates = {}
        for column, cell in enumerate(self.header):
            role, certainty = role_of(cell)
            role = self._checked(column, role)
            if role:
                candidates.setdefault(role, []).append((-certainty, column))
        for role, found in candidates.items():
            found.sort()
            if role in SEVERAL:
                self.roles[role] = sorted(column for _certainty, column in found)
            elif role == "counterparty_name":
                # The account holder may have a column, too: the counterparty is the one with more different values.
                self.roles[role] = [max(found, key=lambda one: len(set(map(str, self.cells(one[1])))))[1]]
            else:
                self.roles[role] = [found[0][1]]

    def _checked(self, column, role):
        """Some headers mean different things in different languages, such as Valuta and Valor: the contents decide."""
        if role in DAYS and not self._is(column, is_day, HALF):
            if self._is(column, lambda cell: type(cell) is str and CODE.fullmatch(cell.strip())):
                return "currency"
            return "amount" if self._is(column, is_number) else None
        if role in NUMBERS and not self._is(column, is_number, HALF):
            if self._is(column, side_of):
                return "sign"
            if role == "amount" and self._is(column, is_day):
                return "value_date"
            return None if not self.cells(column) or role != "amount" else "remittance"
        if role in ("currency", "foreign_currency") and not self._is(column, _is_currency):
            return "value_date" if self._is(column, is_day) else None
        if role == "sign" and not self._is(column, side_of) and self._is(column, is_number):
            return "amount"
        return role

    def _by_contents(self):
        free = [column for column in range(self.width) if not self._named(column)]
        if not DAYS & self.roles.keys():
            # Also under a header that means something else: the real header may be one line above.
            found = [column for column in range(self.width) if self._is(column, is_day)]
            if found:
                self.roles = {role: [one for one in columns if one != found[0]] for role, columns in self.roles.items()}
                self.roles = {role: columns for role, columns in self.roles.items() if columns}
                self.roles["booking_date"] = found[:1]
        if "booking_date" not in self.roles and "value_date" in self.roles:
            self.roles["booking_date"] = self.roles.pop("value_date")
        taken = {column for columns in self.roles.values() for column in columns}
        if "sign" not in self.roles and ("amount" in self.roles or not self.header):
            for column in free:
                if column not in taken and self._is(column, side_of) and len(set(self.cells(column))) <= 4:
                    self.roles["sign"] = [column]
        if "sign" not in self.roles and "amount" in self.roles:
            self._find_sign_among_texts()
        if "counterparty_number" not in self.roles:
            numbers = [column for column in self._free() if self._is(column, _is_iban)]
            self.roles.update({"counterparty_number": numbers[:1]} if numbers else {})
        if not MONEY & self.roles.keys():
            self._find_amount([column for column in free if column not in taken])
        if not self.header:
            self._name_the_rest()

    def _free(self):
        """:return: list of the columns without a role"""
        taken = {column for columns in self.roles.values() for column in columns}
        return [column for column in range(self.width) if column not in taken]

    def _find_sign_among_texts(self):
        """“Transaction Type” contains debit or credit at some banks, and the kind of transaction at others."""
        for column in self.roles.get("remittance", ()):
            if self._is(column, side_of, 1) and {side_of(cell) for cell in self.cells(column)} == {1, -1}:
                self.roles["sign"] = [column]
                self.roles["remittance"] = [one for one in self.roles["remittance"] if one != column]
                return

    def _named(self, column):
        return bool(self.header[column : column + 1] and self.header[column])

    def _find_amount(self, free):
        numbers = [column for column in free if self._is(column, is_number) and not self._is(column, is_day)]
        if not numbers:
            return
        self.roles["amount"] = numbers[:1]
        if len(numbers) > 1:
            self.questions.append(
                {
                    "field": "column:amount",
                    "sentence": _lt("Which column has the amount?"),
                    "choices": [{"value": one, "label": self.label(one)} for one in numbers],
                }
            )

    def _name_the_rest(self):
        taken = {column for columns in self.roles.values() for column in columns}
        for column in range(self.width):
            if column in taken or self._is(column, is_number):
                continue
            if self._is(column, _is_currency) and "currency" not in self.roles:
                self.roles["currency"] = [column]
            elif self._is(column, is_day):
                self.roles.setdefault("value_date", [column])
            else:
                self.roles.setdefault("remittance", []).append(column)

    def label(self, column):
        """:return: a name by which the user recognises a column"""
        name = self.header[column] if self._named(column) else ""
        example = next(iter(self.cells(column)), "")
        return f"{name} ({example})" if name else f"{column + 1} ({example})"

    def _choose_counterparty(self):
        if "counterparty_name" not in self.roles and ("payer" in self.roles) != ("payee" in self.roles):
            self.roles["counterparty_name"] = self.roles.pop("payer", None) or self.roles.pop("payee")

    def _choose_account(self):
        """A column called IBAN contains the number of the account itself, or of the counterparty."""
        found = self.roles.get("account_number")
        if not found or "counterparty_number" in self.roles:
            return
        cells = self.cells(found[0])
        if not any(any(map(str.isdigit, str(cell))) for cell in cells):
            # Not a number, but a name that the user gave to the account.
            del self.roles["account_number"]
            return
        distinct = len(set(cells))
        if len(cells) < len(self.data) or distinct > max(2, len(cells) // 10):
            self.roles["counterparty_number"] = self.roles.pop("account_number")
        elif distinct > 1:
            self.roles["counterparty_number"] = self.roles.pop("account_number")
            self.questions.append(
                {
                    "field": "account_column",
                    "sentence": _lt(
                        "Does the column “%(column)s” hold your own account numbers, or those of payers and payees?",
                        column=self.label(found[0]),
                    ),
                    "choices": [
                        {"value": "counterparty", "label": _lt("Payers and payees")},
                        {"value": "own", "label": _lt("Own accounts")},
                    ],
                }
            )


def _is_currency(cell):
    return values.currency(str(cell).upper())


def _is_iban(cell):
    return type(cell) is str and values.iban(cell[:42])


class Proposal:
    """The result of :func:`~.tables.propose_mapping` for one table.

    :ivar data: list of (line, cells) of the transactions
    :ivar start: number of the first row below the header
    """

    def __init__(self, table, options):
        self.table, self.options = table, options
        self.columns = Columns(table)
        self.start, self.width = self.columns.start, self.columns.width
        self.unsure, self.warnings = list(self.columns.questions), []
        self.mapping = {
            "columns": self.columns.roles,
            "header": self.columns.header,
            "date_order": self._date_order(),
            "decimal": self._decimal(),
            "sign": "signed",
            "debit_words": [],
            "debit_signed": False,
            "fee": None,
            "account_column": "counterparty",
            "unsure": self.unsure,
            "warnings": self.warnings,
        }
        column, order = self.columns.roles["booking_date"][0], self.mapping["date_order"]
        self.data = [
            pair for pair in table.rows[self.start :] if column < len(pair[1]) and day_of(pair[1][column], order)
        ]
        self._read_preamble()
        self._sign()
        self._check_balances()
        self._currency()

    # Notations -----------------------------------------------------------

    def _date_order(self):
        cells = {
            cell for role in DAYS for column in self.columns.roles.get(role, ()) for cell in self.columns.cells(column)
        }
        found = [allowed for allowed in map(orders, cells) if allowed]
        counts = Counter(order for allowed in found for order in allowed)
        proved = [order for order in ORDERS if counts[order] == len(found)]
        if not proved:
            # A line in another notation is reported as a problem; the others are read.
            return max(ORDERS, key=lambda order: counts[order])
        different = [cell for cell in cells if len({day_of(cell, order) for order in proved}) > 1]
        if len(proved) > 1 and different:
            proposed = self._most_orderly(proved)
            example = different[0]
            self.unsure.append(
                {
                    "field": "date_order",
                    "sentence": _lt(
                        "The dates can be read in two ways, because no day is after the 12th. Which is right?"
                    ),
                    "choices": [
                        {
                            "value": order,
                            "label": _lt(
                                "%(order)s: %(example)s is %(day)s",
                                order=DAY_LABELS[order],
                                example=str(example),
                                day=day_of(example, order).isoformat(),
                            ),
                        }
                        for order in sorted(proved, key=lambda one: one != proposed)
                    ],
                }
            )
            return proposed
        return proved[0]

    def _most_orderly(self, proved):
        """Statements are sorted by date; this proves nothing, so it only decides which order is proposed first."""
        cells = self.columns.cells(self.columns.roles["booking_date"][0])

        def breaks(order):
            found = [day for day in (day_of(cell, order) for cell in cells) if day]
            steps = [(after > before) - (after < before) for before, after in pairwise(found)]
            return min(steps.count(1), steps.count(-1))

        return min(proved, key=breaks)

    def _decimal(self):
        cells = {
            cell
            for role in SEPARATED
            for column in self.columns.roles.get(role, ())
            for cell in self.columns.cells(column)
        }
        found = {cell: separators(cell) for cell in cells}
        numbers = {cell: allowed for cell, allowed in found.items() if allowed}
        counts = Counter(separator for allowed in numbers.values() for separator in allowed)
        certain = Counter(allowed[0] for allowed in numbers.values() if len(allowed) == 1)
        if certain:
            return max(certain, key=lambda separator: (counts[separator], certain[separator]))
        ambiguous = next((cell for cell in numbers if is_ambiguous(cell)), None)
        if ambiguous is not None:
            self.unsure.append(
                {
                    "field": "decimal",
                    "sentence": _lt("The amounts can be read in two ways. What is “%(example)s”?", example=ambiguous),
                    "choices": [
                        {"value": separator, "label": values.plain(number_of(ambiguous, separator))}
                        for separator in self._likelier(numbers)
                    ],
                }
            )
            return self._likelier(numbers)[0]
        return "."

    @staticmethod
    def _likelier(numbers):
        # Nearly all currencies have two decimals, so three digits after a separator are thousands.
        points = sum("." in str(cell) for cell in numbers)
        return (",", ".") if points * 2 > len(numbers) else (".", ",")

    # Signs ---------------------------------------------------------------

    def _sign(self):
        roles = self.columns.roles
        if "amount" in roles and roles.keys() & {"debit", "credit"}:
            # An unsigned amount next to separate debit and credit columns: those contain more information.
            amounts = self._numbers("amount")
            for role in ("amount",) if not any(amount < 0 for amount in amounts) else ("debit", "credit"):
                roles.pop(role, None)
        if "sign" in roles and "amount" in roles:
            self._sign_by_words()
        elif "amount" not in roles:
            debits = [amount for amount in self._numbers("debit") if amount]
            negative = sum(amount < 0 for amount in debits)
            self.mapping["debit_signed"] = negative * 2 > len(debits)
        elif "balance" not in roles and self._has_only_positive_amounts():
            self._ask_sign()

    def _numbers(self, role):
        decimal, column = self.mapping["decimal"], self.columns.roles.get(role, [None])[0]
        if column is None:
            return []
        found = (number_of(row[column], decimal) for _line, row in self.data if column < len(row))
        return [amount for amount in found if amount is not None]

    def _has_only_positive_amounts(self):
        """Whether nothing distinguishes incoming from outgoing amounts."""
        amounts = self._numbers("amount")
        return bool(amounts) and self.mapping["sign"] == "signed" and not any(amount < 0 for amount in amounts)

    def _ask_sign(self):
        self.unsure.append(
            {
                "field": "sign",
                "sentence": _lt("All amounts are positive. Are they money that came in, or money that went out?"),
                "choices": [
                    {"value": "signed", "label": _lt("Money that came in")},
                    {"value": "inverted", "label": _lt("Money that went out")},
                ],
            }
        )

    def _sign_by_words(self):
        column, amount = self.columns.roles["sign"][0], self.columns.roles["amount"][0]
        decimal = self.mapping["decimal"]
        words, debits, signed = {}, [], True
        for _line, row in self.data:
            word = str(row[column]).strip() if column < len(row) else ""
            words.setdefault(word, side_of(word))
            number = number_of(row[amount], decimal) if amount < len(row) else None
            if number and words[word] == -1:
                debits.append(number)
            if number and (number > 0) != (words[word] == 1):
                signed = False
        # Why most: reversals have the opposite sign.
        signed = signed or sum(number < 0 for number in debits) * 2 > len(debits)
        unknown = sorted(word for word, side in words.items() if side is None)
        if signed or (unknown and any(number < 0 for number in self._numbers("amount"))):
            # The amounts are signed already.
            return
        self.mapping["sign"] = "words"
        self.mapping["debit_words"] = sorted(word for word, side in words.items() if side == -1)
        if unknown:
            known = self.mapping["debit_words"]
            self.unsure.append(
                {
                    "field": "debit_words",
                    "sentence": _lt(
                        "The column “%(column)s” says in unknown words which side is meant: %(words)s. Which "
                        "of them mean money that went out?",
                        column=self.columns.label(column),
                        words=", ".join(f"“{word}”" for word in unknown[:5]),
                    ),
                    "choices": [
                        *({"value": [*known, word], "label": word or _lt("(empty)")} for word in unknown[:5]),
                        {"value": known, "label": _lt("None of them")},
                    ],
                }
            )

    # Balances ------------------------------------------------------------

    def _check_balances(self):
        """The balance proves sign, fee and order; otherwise it is not the balance of these transactions."""
        roles = self.columns.roles
        if "balance" not in roles:
            if "fee" in roles and any(self._numbers("fee")):
                self._ask_fee()
            return
        found = []
        for number, variant in enumerate(self._variants()):
            score = self._fit({**self.mapping, **variant})
            found.append((score, -number, variant))
            if score == 1:
                break
        score, _number, variant = max(found, key=lambda one: one[:2])
        default = found[0][0]
        if score == NOTHING_TO_COMPARE or score < HALF:
            if score != NOTHING_TO_COMPARE:
                del roles["balance"]
                self.warnings.append(
                    _lt("The balances of the file do not follow from its amounts, so they were not used as a check.")
                )
            if self._has_only_positive_amounts():
                self._ask_sign()
        elif score > default:
            self.mapping.update(variant)

    def _variants(self):
        yield {}
        if self.mapping["sign"] == "signed":
            yield {"sign": "inverted"}
        if self.mapping["sign"] == "words":
            yield {"sign": "signed"}
        if "fee" in self.columns.roles:
            yield {"fee": "apart"}
        if self.mapping["sign"] != "words" and "amount" not in self.columns.roles:
            yield {"debit_signed": not self.mapping["debit_signed"]}

    def _fit(self, mapping):
        """:return: share of the balances that follow from the amounts, or :data:`NOTHING_TO_COMPARE`"""
        amounts, column = Amounts(mapping), mapping["columns"]["balance"][0]
        own, currency = (
            mapping["columns"].get("account_number", [None])[0],
            mapping["columns"].get("currency", [None])[0],
        )
        groups = {}
        for _line, row in self.data:
            try:
                amount = amounts.of(row)
            except ValueError:
                continue
            balance = number_of(row[column], mapping["decimal"]) if column < len(row) else None
            day = day_of(row[mapping["columns"]["booking_date"][0]], mapping["date_order"])
            key = tuple(row[one] if one is not None and one < len(row) else None for one in (own, currency))
            groups.setdefault(key, []).append((day, amount, balance))
        right = total = 0
        for rows in groups.values():
            _order, fitting, compared = best_order(rows)
            right, total = right + fitting, total + compared
        return right / total if total else NOTHING_TO_COMPARE

    def _ask_fee(self):
        self.unsure.append(
            {
                "field": "fee",
                "sentence": _lt("The file has fees in a column of their own. Are they part of the amount already?"),
                "choices": [
                    {"value": "included", "label": _lt("Yes, the amount already includes them")},
                    {"value": "apart", "label": _lt("No, they are charged in addition")},
                ],
            }
        )

    # The account ---------------------------------------------------------

    def _read_preamble(self):
        """Lines above the table contain the account number, and perhaps balances."""
        self.mapping["number"] = self.mapping["currency"] = None
        before = self.table.rows[: max(0, self.start - bool(self.columns.header))]
        for _line, row in before:
            for cell in row:
                match = IBAN.search(str(cell))
                number = match and next(filter(None, (values.iban(match[0][:end]) for end in range(15, 43))), None)
                if number and not self.mapping["number"]:
                    self.mapping["number"] = number
            if any(
                plain(str(cell)) in ("currency", "wahrung", "devise", "moneda", "divisa", "valuta", "币种")
                for cell in row
            ):
                found = next(filter(None, (values.currency(str(cell)) for cell in row)), None)
                self.mapping["currency"] = self.mapping["currency"] or found
        self.mapping["balances"] = [str(number) for number in self._outside_balances()] or None

    def _outside_balances(self):
        """:return: [opening, closing] of the lines around the table, or []"""
        found = {}
        for _line, row in (*self.table.rows[: self.start], *self.table.rows[-5:]):
            words = " ".join(plain(cell) for cell in row if type(cell) is str)
            numbers = [number_of(cell, self.mapping["decimal"]) for cell in row if is_number(cell) and not is_day(cell)]
            if len(numbers) != 1 or numbers[0] is None:
                continue
            for name, phrases in (("opening", OPENING_WORDS), ("closing", CLOSING_WORDS)):
                if any(phrase in words for phrase in phrases):
                    found.setdefault(name, numbers[0])
        return [found["opening"], found["closing"]] if len(found) == 2 else []

    def _currency(self):
        """From the header, such as “Betrag (EUR)” and “Umsatz in EUR”, if no column contains it."""
        if "currency" in self.columns.roles or self.mapping["currency"]:
            return
        for role in ("amount", "debit", "credit", "balance"):
            for column in self.columns.roles.get(role, ()):
                if column < len(self.columns.header):
                    codes = re.findall(r"\b[A-Z]{3}\b", self.columns.header[column])
                    found = next((code for code in codes if code in CURRENCIES), None)
                    found = found or next((SIGNS[one] for one in SIGNS if one in self.columns.header[column]), None)
                    if found:
                        self.mapping["currency"] = found
                        return


#: Currencies that are recognised in headers, where any word of three letters could be a code.
CURRENCIES = frozenset(
    {
        *("AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP"),
        *("HKD", "HUF", "IDR", "ILS", "INR", "JPY", "KRW", "KWD", "MAD", "MXN", "MYR", "NOK", "NZD", "PEN", "PHP"),
        *("PLN", "RON", "RSD", "RUB", "SAR", "SEK", "SGD", "THB", "TND", "TRY", "TWD", "UAH", "USD", "VND", "ZAR"),
    }
)
SIGNS = {"€": "EUR", "£": "GBP", "元": "CNY", "円": "JPY", "zł": "PLN"}
