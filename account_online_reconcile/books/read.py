"""Reads what the matcher needs of one journal, with a constant number of queries.

Amounts are read as text, because Odoo converts PostgreSQL's ``numeric`` to float, and the matcher uses decimals.
"""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from odoo import fields
from odoo.tools import SQL

from ..matching.decide import Books
from ..matching.facts import STEPS, ZERO, Batch, Charges, Discount, Line, Money, OpenItem, Payment, Policy
from ..matching.memory import Booking
from ..matching.rules import Rule, RuleLine
from .returns import find_returnable

#: Period of the bookings that are learned from, and of dry runs.
MONTHS = 12
OPEN_NOW = SQL("(item.reconciled IS NOT TRUE AND item.amount_residual_currency <> 0)")
#: Maximum number of bookings, the newest ones.
MOST_BOOKINGS = 5000


class JournalReader:
    """
    :param journal: ``account.journal``; the caller has checked that the user may reconcile in it
    """

    def __init__(self, journal):
        self.journal, self.env = journal, journal.env
        self.company = journal.company_id
        self.currency = journal.currency_id or self.company.currency_id
        self._flush()

    def _flush(self):
        """Flush what the queries read."""
        for model in ("account.move.line", "account.move", "account.bank.statement.line", "account.payment"):
            self.env[model].flush_model()
        self.env["account.partial.reconcile"].flush_model()
        self.env["res.partner.bank"].flush_model()
        self.env["res.partner"].flush_model()

    def _rows(self, query):
        self.env.cr.execute(query)
        return self.env.cr.dictfetchall()

    # -------------------------------------------------------------------------
    # LINES
    # -------------------------------------------------------------------------

    def lines(self, keys=None):
        """
        :param keys: ids of the lines to read, None for those that are not reconciled
        :return: list of :class:`Line` of this journal
        """
        wanted = SQL("line.is_reconciled IS NOT TRUE") if keys is None else SQL("line.id = ANY(%s)", list(keys))
        return self._lines(SQL("line.journal_id = %s AND %s", self.journal.id, wanted))

    def booked_lines(self):
        """:return: list of (:class:`Line`, the account it was booked on, None for several) of the past year, newest
        first"""
        accounts = {
            row["line"]: row["account"]
            for row in self._rows(
                SQL(
                    """
                    SELECT line.id AS line,
                           CASE WHEN count(DISTINCT item.account_id) = 1 THEN min(item.account_id) END AS account
                      FROM account_bank_statement_line line
                      JOIN account_journal journal ON journal.id = line.journal_id
                      JOIN account_move move ON move.id = line.move_id
                      JOIN account_move_line item
                           ON item.move_id = line.move_id AND item.account_id <> journal.default_account_id
                              AND item.tax_repartition_line_id IS NULL
                     WHERE line.journal_id = %s AND line.is_reconciled AND move.date >= %s
                  GROUP BY line.id ORDER BY line.id DESC LIMIT %s
                    """,
                    self.journal.id,
                    self._since(),
                    MOST_BOOKINGS,
                )
            )
        }
        return [(line, accounts[line.key]) for line in self.lines(accounts)] if accounts else []

    def _since(self):
        return fields.Date.subtract(fields.Date.context_today(self.journal), months=MONTHS)

    def _lines(self, condition):
        return [
            Line(
                key=row["id"],
                day=row["date"],
                amount=Decimal(row["amount"]),
                currency=row["currency"],
                label=row["payment_ref"] or "",
                details=row["remittance"] or "",
                note=row["note"] or "",
                reference=row["reference"] or "",
                end_to_end=row["end_to_end"] or "",
                partner=row["partner"],
                name=row["partner_name"] or "",
                account=row["account_number"] or "",
                journal=row["journal_id"],
                foreign=Money(Decimal(row["foreign_amount"]), row["foreign_currency"])
                if row["foreign_currency"]
                else None,
                decimals=row["decimals"],
                payout=row["payout"] or "",
                fee=_fee(row),
            )
            for row in self._rows(
                SQL(
                    """
                    SELECT line.id, line.journal_id, move.date, line.amount::text AS amount, line.payment_ref,
                           line.account_number, line.partner_name, partner.commercial_partner_id AS partner,
                           regexp_replace(COALESCE(move.narration, ''), '<[^>]*>', ' ', 'g') AS note,
                           line.transaction_details->>'creditor_reference' AS reference,
                           line.transaction_details->>'end_to_end_id' AS end_to_end,
                           line.transaction_details->'payout'->>'id' AS payout,
                           line.transaction_details->'payout'->>'amount' AS paid_out,
                           line.transaction_details->'payout'->>'currency' AS payout_currency,
                           CASE WHEN jsonb_typeof(line.transaction_details->'remittance') = 'array'
                                THEN (SELECT string_agg(text, ' ')
                                        FROM jsonb_array_elements_text(line.transaction_details->'remittance') text)
                           END AS remittance,
                           line.amount_currency::text AS foreign_amount, foreign_currency.name AS foreign_currency,
                           currency.name AS currency, currency.decimal_places AS decimals
                      FROM account_bank_statement_line line
                      JOIN account_move move ON move.id = line.move_id
                      JOIN account_journal journal ON journal.id = line.journal_id
                      JOIN res_company company ON company.id = journal.company_id
                      JOIN res_currency currency ON currency.id = COALESCE(journal.currency_id, company.currency_id)
                 LEFT JOIN res_currency foreign_currency ON foreign_currency.id = line.foreign_currency_id
                 LEFT JOIN res_partner partner ON partner.id = line.partner_id
                     WHERE move.state = 'posted' AND line.company_id = %s AND %s
                  ORDER BY line.id
                    """,
                    self.company.id,
                    condition,
                )
            )
        ]

    # -------------------------------------------------------------------------
    # BOOKS
    # -------------------------------------------------------------------------

    def books(self, lines):
        """
        :param lines: list of :class:`Line`; payments that none of them can return are left out
        :return: :class:`Books`
        """
        journals = self.env["account.journal"].search(
            [("company_id", "=", self.company.id), ("type", "in", ("bank", "credit"))]
        )
        other_lines = SQL("line.journal_id <> %s AND line.is_reconciled IS NOT TRUE", self.journal.id)
        payments = self.payments()
        return Books(
            candidates=[*self.open_items(), *payments, *self.batches(payments), *find_returnable(self.journal, lines)],
            rules=self.rules(),
            bookings=self.bookings(),
            accounts={journal.id: journal.bank_acc_number for journal in journals if journal.bank_acc_number},
            other_lines=self._lines(other_lines),
            fee_accounts={journal.id: journal.reconcile_charges_account_id.id for journal in journals},
        )

    def open_items(self):
        """:return: list of :class:`OpenItem`: receivables and payables of the company"""
        said = self._said_by_payments()
        return [
            _item({**row, "said": said.get(row["move"], ())}, Decimal(row["residual"]))
            for row in self._item_rows(OPEN_NOW)
        ]

    def _said_by_payments(self):
        """References of payments without an entry, which leave their documents open.

        :return: dict from a document to the numbers and ids of such payments of this journal
        """
        said = defaultdict(list)
        for row in self._rows(
            SQL(
                """
                SELECT rel.invoice_id AS move, payment.name, payment.payment_reference
                  FROM account_payment payment
                  JOIN account_move__account_payment rel ON rel.payment_id = payment.id
                 WHERE payment.journal_id = %s AND payment.move_id IS NULL AND payment.state = 'in_process'
                   AND payment.is_matched IS NOT TRUE
              ORDER BY payment.id
                """,
                self.journal.id,
            )
        ):
            said[row["move"]] += filter(None, (row["name"], row["payment_reference"]))
        return said

    def _item_rows(self, condition):
        """:return: receivables and payables of the company, with the account numbers of their partners"""
        rows = self._rows(
            SQL(
                """
                SELECT item.id, item.amount_residual_currency::text AS residual, item.amount_currency::text AS amount,
                       item.move_id AS move, currency.name AS currency, move.name AS number,
                       move.payment_reference, move.ref, move.invoice_origin, commercial.id AS partner,
                       commercial.name AS partner_name, COALESCE(move.invoice_date, move.date) AS day,
                       item.discount_date, item.discount_amount_currency::text AS discount_amount
                  FROM account_move_line item
                  JOIN account_account account ON account.id = item.account_id
                  JOIN account_move move ON move.id = item.move_id
                  JOIN res_currency currency ON currency.id = item.currency_id
             LEFT JOIN res_partner partner ON partner.id = item.partner_id
             LEFT JOIN res_partner commercial ON commercial.id = partner.commercial_partner_id
                 WHERE item.company_id = %(company)s AND item.parent_state = 'posted'
                   AND account.account_type IN ('asset_receivable', 'liability_payable') AND %(condition)s
              ORDER BY item.id
                """,
                company=self.company.id,
                condition=condition,
            )
        )
        numbers = self._account_numbers()
        return [{**row, "accounts": numbers.get(row["partner"], ())} for row in rows]

    def _account_numbers(self):
        """:return: dict from a commercial partner to the account numbers of it and its contacts"""
        found = defaultdict(list)
        for row in self._rows(
            SQL(
                """
                SELECT partner.commercial_partner_id AS partner, bank.acc_number
                  FROM res_partner_bank bank
                  JOIN res_partner partner ON partner.id = bank.partner_id
                 WHERE bank.active AND (bank.company_id IS NULL OR bank.company_id = %s)
                """,
                self.company.id,
            )
        ):
            found[row["partner"]].append(row["acc_number"])
        return {partner: tuple(numbers) for partner, numbers in found.items()}

    def payments(self):
        """:return: list of :class:`Payment` of this journal in transit; the key is the journal item on the outstanding
        account"""
        return [
            Payment(
                key=row["id"],
                amount=Decimal(row["amount"]),
                currency=row["currency"],
                number=row["number"] or "",
                references=_different(row["memo"], row["payment_reference"]),
                partner=row["partner"],
                name=row["partner_name"] or "",
                day=row["date"],
                end_to_end=row["payment_reference"] or "",
            )
            for row in self._rows(
                SQL(
                    """
                    SELECT item.id, item.amount_residual_currency::text AS amount, currency.name AS currency,
                           move.name AS number, payment.memo, payment.payment_reference, item.date,
                           commercial.id AS partner, commercial.name AS partner_name
                      FROM account_payment payment
                      JOIN account_move move ON move.id = payment.move_id
                      JOIN account_move_line item
                           ON item.move_id = move.id AND item.account_id = payment.outstanding_account_id
                      JOIN res_currency currency ON currency.id = item.currency_id
                 LEFT JOIN res_partner partner ON partner.id = item.partner_id
                 LEFT JOIN res_partner commercial ON commercial.id = partner.commercial_partner_id
                     WHERE payment.journal_id = %s AND item.parent_state = 'posted'
                       AND item.reconciled IS NOT TRUE AND item.amount_residual_currency <> 0
                  ORDER BY item.id
                    """,
                    self.journal.id,
                )
            )
        ]

    def batches(self, payments):
        """Payments that were registered together, which the bank often shows as one line without their references.
        Extension point for addons with batches.

        :param payments: list of :class:`Payment`
        :return: list of :class:`Batch`
        """
        together = defaultdict(list)
        for payment in payments:
            together[payment.day, payment.currency, payment.amount > 0].append(payment)
        return [
            Batch(
                key=some[0].key,
                amount=sum((payment.amount for payment in some), ZERO),
                currency=some[0].currency,
                payments=tuple(payment.key for payment in some),
                day=some[0].day,
            )
            for some in together.values()
            if len(some) > 1
        ]

    # -------------------------------------------------------------------------
    # RULES, MEMORY, SETTINGS
    # -------------------------------------------------------------------------

    def rules(self):
        """:return: list of :class:`Rule`, in the user's order"""
        models = self.env["account.reconcile.model"].search([("company_id", "=", self.company.id)])
        return [rule_of(model) for model in models]

    def bookings(self):
        """:return: list of :class:`Booking`: lines booked against a single account, with or without taxes"""
        booked = {row["line"]: row for row in self._rows(self._booked())}
        if not booked:
            return []
        taxes = defaultdict(list)
        for row in self._rows(
            SQL(
                """
                SELECT account_move_line_id AS item, account_tax_id AS tax FROM account_move_line_account_tax_rel
                 WHERE account_move_line_id = ANY(%s) ORDER BY account_tax_id
                """,
                [row["item"] for row in booked.values()],
            )
        ):
            taxes[row["item"]].append(row["tax"])
        return [
            Booking(line, row["account"], tuple(taxes[row["item"]]), row["partner"], row["analytic"])
            for line in self._lines(SQL("line.id = ANY(%s)", list(booked)))
            for row in (booked[line.key],)
        ]

    def _booked(self):
        """The newest lines with one counterpart besides taxes."""
        return SQL(
            """
            SELECT line.id AS line, base.id AS item, base.account_id AS account, base.partner_id AS partner,
                   base.analytic_distribution AS analytic
              FROM account_bank_statement_line line
              JOIN account_journal journal ON journal.id = line.journal_id
              JOIN account_move_line base
                   ON base.move_id = line.move_id AND base.account_id <> journal.default_account_id
                      AND base.tax_repartition_line_id IS NULL
              JOIN account_account account ON account.id = base.account_id
              JOIN account_move move ON move.id = line.move_id
             WHERE line.journal_id = %(journal)s AND line.is_reconciled AND move.date >= %(since)s
                   AND split_part(account.account_type, '_', 1) IN ('income', 'expense')
                   AND NOT EXISTS (
                       SELECT FROM account_move_line other
                        WHERE other.move_id = line.move_id AND other.id <> base.id
                              AND other.account_id <> journal.default_account_id
                              AND other.tax_repartition_line_id IS NULL
                   )
          ORDER BY line.id DESC LIMIT %(most)s
            """,
            journal=self.journal.id,
            since=self._since(),
            most=MOST_BOOKINGS,
        )

    def policy(self, is_automatic):
        """:return: :class:`Policy`"""
        limit, account = self.journal.reconcile_charges_limit, self.journal.reconcile_charges_account_id
        charges = Charges(Decimal(str(self.currency.round(limit))), account.id) if limit and account else None
        prefixes = self._rows(
            SQL(
                """
                SELECT DISTINCT move.sequence_prefix
                  FROM account_move move JOIN account_journal journal ON journal.id = move.journal_id
                 WHERE journal.company_id = %s AND journal.type IN ('sale', 'purchase')
                       AND move.sequence_prefix IS NOT NULL
                """,
                self.company.id,
            )
        )
        return Policy(
            steps=frozenset(STEPS) if is_automatic else frozenset(),
            charges=charges,
            prefixes=frozenset(row["sequence_prefix"] for row in prefixes),
            most=Decimal(str(self.currency.round(most))) if (most := self.journal.reconcile_limit) else None,
        )

    # -------------------------------------------------------------------------
    # DRY RUN
    # -------------------------------------------------------------------------

    def past(self):
        """The lines that were matched with documents, week by week, with the books as of that week: without later
        documents, and without those paid before.

        :return: iterator over (list of :class:`Line`, :class:`Books`, dict from a line's key to the set of (kind, key)
            of its counterparts)
        """
        booked = self._booked_documents()
        lines = self.lines(booked) if booked else []
        weeks, rows, settled = defaultdict(list), [], {}
        for line in lines:
            weeks[line.day - timedelta(days=line.day.weekday())].append(line)
        if lines:
            settled = self._settled_since(min(weeks))
            rows = self._item_rows(SQL("(%s OR item.id = ANY(%s))", OPEN_NOW, list(settled)))
        mine = self._moves_of(booked)
        for monday, some in sorted(weeks.items()):
            sunday, items = monday + timedelta(days=6), []
            for row in rows:
                if row["day"] > sunday or row["move"] in mine:
                    continue
                later = (amount for day, amount in settled.get(row["id"], ()) if day >= monday)
                amount = Decimal(row["residual"]) + sum(later, ZERO)
                if amount:
                    items.append(_item(row, amount))
            yield some, Books(candidates=items), {line.key: booked[line.key] for line in some}

    def _booked_documents(self):
        """:return: dict from a line to the set of ("item", id) that it was matched with"""
        booked = defaultdict(set)
        for row in self._rows(
            SQL(
                """
                SELECT line.id AS line, CASE WHEN partial.debit_move_id = mine.id THEN partial.credit_move_id
                                             ELSE partial.debit_move_id END AS item
                  FROM account_bank_statement_line line
                  JOIN account_move move ON move.id = line.move_id
                  JOIN account_move_line mine ON mine.move_id = move.id
                  JOIN account_account account ON account.id = mine.account_id
                  JOIN account_partial_reconcile partial
                       ON partial.debit_move_id = mine.id OR partial.credit_move_id = mine.id
                 WHERE line.journal_id = %s AND line.is_reconciled AND move.date >= %s
                   AND account.account_type IN ('asset_receivable', 'liability_payable')
                """,
                self.journal.id,
                self._since(),
            )
        ):
            booked[row["line"]].add(("item", row["item"]))
        return dict(booked)

    def _settled_since(self, day):
        """:return: dict from a receivable or payable to the list of (day, amount) by which it was settled since"""
        settled = defaultdict(list)
        for row in self._rows(
            SQL(
                """
                SELECT partial.max_date AS day, partial.debit_move_id AS debit, partial.credit_move_id AS credit,
                       partial.debit_amount_currency::text AS debit_amount,
                       partial.credit_amount_currency::text AS credit_amount
                  FROM account_partial_reconcile partial
                  JOIN account_move_line item ON item.id = partial.debit_move_id
                  JOIN account_account account ON account.id = item.account_id
                 WHERE item.company_id = %s AND partial.max_date >= %s
                   AND account.account_type IN ('asset_receivable', 'liability_payable')
                """,
                self.company.id,
                day,
            )
        ):
            settled[row["debit"]].append((row["day"], Decimal(row["debit_amount"])))
            settled[row["credit"]].append((row["day"], -Decimal(row["credit_amount"])))
        return settled

    def _moves_of(self, lines):
        rows = self._rows(SQL("SELECT move_id FROM account_bank_statement_line WHERE id = ANY(%s)", list(lines)))
        return {row["move_id"] for row in rows}


def _different(*texts):
    return tuple(dict.fromkeys(text for text in texts if text))


def _item(row, amount):
    """:param amount: what was or is open of it"""
    is_whole = amount == Decimal(row["amount"])
    discount = Discount(row["discount_date"], Decimal(row["discount_amount"])) if row["discount_date"] else None
    return OpenItem(
        key=row["id"],
        amount=amount,
        currency=row["currency"],
        number=row["number"] or "",
        references=_different(row["payment_reference"], row["ref"], row["invoice_origin"], *row.get("said", ())),
        partner=row["partner"],
        name=row["partner_name"] or "",
        accounts=row["accounts"],
        day=row["day"],
        discount=discount if is_whole else None,
    )


def _fee(row):
    """The fee of a payout: the difference between the change of the balance and the amount that arrives."""
    return fee_of_payout(Decimal(row["amount"]), row["currency"], row["paid_out"], row["payout_currency"])


def fee_of_payout(amount, currency, paid_out, payout_currency):
    """
    :param paid_out: amount that arrives at the bank, with its sign there, as reported by the service
    """
    if not paid_out or payout_currency != currency:
        return ZERO
    try:
        fee = amount + Decimal(paid_out)
    except InvalidOperation:
        return ZERO
    # Why a limit: the service's message alone must not decide which amount is booked as its fee.
    return fee if fee.is_finite() and abs(fee) < abs(amount) else ZERO


def rule_of(model):
    """An ``account.reconcile.model``, stored or new, as a :class:`Rule`."""
    return Rule(
        key=model.id,
        name=model.name,
        is_automatic=model.trigger == "auto_reconcile",
        journals=frozenset(model.match_journal_ids.ids),
        partners=frozenset(model.match_partner_ids.commercial_partner_id.ids),
        label=model.match_label or None,
        label_value=model.match_label_param or "",
        amount=model.match_amount or None,
        least=_decimal(model.match_amount_min),
        most=_decimal(model.match_amount_max),
        lines=tuple(
            RuleLine(
                line.account_id.id or None,
                line.amount_type,
                line.amount_string or "",
                line.label or "",
                tuple(line.tax_ids.ids),
                line.partner_id.id or None,
                line.analytic_distribution or None,
            )
            for line in model.line_ids
        ),
    )


def _decimal(number):
    """A float of Odoo as a Decimal with the same digits."""
    return Decimal(repr(number)) if number else ZERO
