from datetime import date, timedelta

from odoo.tools.misc import format_date

from ..sync.accounts import may_be_the_same, plain_number


class Proposal:
    """The proposals for a bank account: its journal, the first day, and the reasons.

    :param account: ``account.online.account``
    """

    def __init__(self, account):
        account.ensure_one()
        self.account, self.env = account, account.env

    # -------------------------------------------------------------------------
    # WHICH JOURNAL
    # -------------------------------------------------------------------------

    def known_journal(self):
        """The existing journal of the account, by an earlier module or by its number.

        None if ambiguous: a wrong journal would be worse than a new one, and the user chooses.
        """
        account = self.account
        journal = self._fitting(account._legacy_journals()) or self._journal_with_number()
        if journal or not account.account_number:
            return journal
        others = account.search([("legacy_journal_id", "!=", False), ("company_id", "=", account.company_id.id)])
        alike = (others - account).filtered(lambda other: may_be_the_same(account.account_number, other.account_number))
        found = self._fitting(alike._legacy_journals())
        # Why only one: a few digits are weak evidence, and a choice between two would be a guess.
        return found if len(found) == 1 else found.browse()

    def unused_journal(self, taken):
        """The only empty journal of this kind and currency without a bank account, if there is exactly one.

        Why only an empty one: otherwise transactions of two accounts would be mixed.

        :param taken: journals that are proposed for other accounts
        """
        journals = self.env["account.journal"].search(
            [
                *self.account._free_journals_domain(),
                ("type", "=", self.account._journal_type()),
                ("bank_account_id", "=", False),
                ("id", "not in", taken.ids),
            ]
        )
        lines = self.env["account.bank.statement.line"]._read_group(
            [("journal_id", "in", journals.ids)], ["journal_id"]
        )
        unused = journals - journals.browse().union(*(journal for (journal,) in lines))
        is_usual = self.account.account_type in ("current", "credit_card")
        return unused if len(unused) == 1 and is_usual else unused.browse()

    def _journal_with_number(self):
        """None if two accounts differ only in their names, because only the user can decide."""
        found = self.account._journals_with_number().filtered(self.account._fits_currency)
        return found.browse() if self._twins() else found[:1]

    def _twins(self):
        """:return: accounts of the connection that differ from this one only in id and name"""
        account = self.account
        return (account.account_online_link_id.account_online_account_ids - account).filtered(
            lambda other: other._is_new() and self._key(other) == self._key(account)
        )

    @staticmethod
    def _key(account):
        return plain_number(account.account_number), account.currency_id, account.account_type

    def _fitting(self, journals):
        return journals.filtered(
            lambda journal: journal.company_id == self.account.company_id and self.account._fits_currency(journal)
        )

    # -------------------------------------------------------------------------
    # FROM WHICH DAY
    # -------------------------------------------------------------------------

    def start_date(self, journal):
        """
        :param journal: the existing journal, or an empty recordset for a new one
        :return: first day to import, False for as far back as the bank allows
        """
        if filling := self._filling(journal):
            return filling.start_date
        start = self.account._default_start_date(journal) if journal else False
        unlocked = self._first_unlocked_day(journal)
        return max(filter(None, (start, unlocked)), default=False)

    def explain_start_date(self, start, journal):
        """A sentence with the reason for the first day, or with a hint about it.

        :param start: a date, or False for as far back as the bank allows
        :param journal: as in :meth:`start_date`
        """
        account = self.account
        filling = self._filling(journal)
        if filling and start == filling.start_date:
            return self.env._("As chosen before: transactions that were already imported do not change.")
        limit, unlocked = account._first_day_of_the_bank(), self._first_unlocked_day(journal)
        if unlocked and (not start or start < unlocked):
            return self.env._(
                "Your books are locked up to %s: transactions dated on or before that day are left out.",
                format_date(self.env, unlocked - timedelta(days=1)),
            )
        if not start:
            return self._explain_all_there_is(limit)
        is_proposed = start == self.start_date(journal)
        if is_proposed and start == unlocked:
            return self.env._("The day after your lock date.")
        last = self._last_day_of_others(journal)
        if last and (start <= last or is_proposed):
            return self._explain_lines(start, last, journal)
        if limit and start < limit:
            return self._explain_all_there_is(limit)
        return self.env._("The day you chose.")

    def _explain_lines(self, start, last, journal):
        """:param date last: day of the journal's last transaction"""
        values = {"journal": journal.name, "date": format_date(self.env, last)}
        if start > last:
            return self.env._("The day after the last transaction in %(journal)s, of %(date)s.", **values)
        return self.env._(
            "%(journal)s has transactions up to %(date)s. Those that are certainly the same are recognized; others "
            "are imported and marked as possible duplicates.",
            **values,
        )

    def _explain_all_there_is(self, limit):
        if limit:
            return self.env._(
                "As far back as the bank allows: %(days)s days, so from about %(date)s.",
                days=self.account.account_online_link_id.history_days,
                date=format_date(self.env, limit),
            )
        return self.env._("As far back as the bank allows (it does not say how far).")

    def _filling(self, journal):
        """:return: this account or its duplicate in another connection, whichever fills the journal"""
        accounts = self.account | self.account.duplicate_of_id
        return accounts.filtered(lambda account: journal and account.journal_ids == journal)

    def _first_unlocked_day(self, journal):
        """:return: the day after the lock date, or None without one"""
        lock = self.account.company_id._get_user_fiscal_lock_date(journal)
        return lock + timedelta(days=1) if lock > date.min else None

    def _last_day_of_others(self, journal):
        """:return: day of the last line that was not imported from this account, or None"""
        domain = [("journal_id", "=", journal.id), ("online_account_id", "!=", self.account.id)]
        return (journal and self.env["account.bank.statement.line"].search(domain, limit=1).date) or None
