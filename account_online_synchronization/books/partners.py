"""Finds the partner of a transaction: by account number, then by the users' earlier choices; never by a guess."""

import functools

from odoo.addons.base.models.res_bank import sanitize_account_number


class Partners:
    """Partners of a batch of transactions, found with two queries for any number.

    :param account: ``account.online.account``
    :param transactions: list of :class:`~..client.messages.Transaction`
    """

    def __init__(self, account, transactions):
        self.company = account.company_id
        self.env = account.env
        # Why cached: counterparties repeat, and each number is needed several times.
        self.plain_number = functools.cache(sanitize_account_number)
        self.by_number = self._owners({self.plain_number(t.counterparty_number) for t in transactions} - {False})
        self.by_key = self._taught({self.key(transaction) for transaction in transactions} - {""})

    def find(self, transaction):
        """:return: id of a ``res.partner``, or None"""
        number = self.plain_number(transaction.counterparty_number)
        return self.by_number.get(number) or self.by_key.get(self.key(transaction))

    def key(self, transaction):
        """The key stored on a line for its counterparty: ``number:…``, or ``name:…`` if the bank gives no number."""
        if number := self.plain_number(transaction.counterparty_number):
            return f"number:{number}"
        return f"name:{transaction.counterparty_name.casefold()}" if transaction.counterparty_name else ""

    def _owners(self, numbers):
        """Partners by sanitized account number, if exactly one partner owns the number. Archived ones don't count,
        because often another partner has replaced them."""
        if not numbers:
            return {}
        banks = self.env["res.partner.bank"].search(
            [
                ("sanitized_acc_number", "in", list(numbers)),
                ("company_id", "in", [False, self.company.id]),
                ("partner_id.company_id", "in", [False, self.company.id]),
                ("partner_id.active", "=", True),
                ("partner_id.commercial_partner_id.active", "=", True),
            ]
        )
        owners = {}
        for bank in banks:
            owners.setdefault(bank.sanitized_acc_number, set()).add(bank.partner_id.commercial_partner_id.id)
        return _unique(owners)

    def _taught(self, keys):
        """Partners by counterparty, if all lines with this counterparty and a partner have the same one."""
        if not keys:
            return {}
        self.env["account.bank.statement.line"].flush_model(["online_partner_information", "partner_id", "company_id"])
        self.env.cr.execute(
            """
            SELECT line.online_partner_information, array_agg(DISTINCT line.partner_id)
              FROM account_bank_statement_line line
              JOIN res_partner partner ON partner.id = line.partner_id AND partner.active
             WHERE line.company_id = %s AND line.online_partner_information = ANY(%s)
          GROUP BY line.online_partner_information
            """,
            [self.company.id, list(keys)],
        )
        return _unique({key: set(partner_ids) for key, partner_ids in self.env.cr.fetchall()})


def _unique(found):
    return {key: next(iter(ids)) for key, ids in found.items() if len(ids) == 1}
