from datetime import date, timedelta

from odoo import fields, models
from odoo.tools.misc import format_date, formatLang


class AccountOnlineAccount(models.Model):
    """What is proposed to the user who chooses journals: which one, under which name, from which day, and why."""

    _inherit = "account.online.account"  # pylint: disable=consider-merging-classes-inherited

    is_left_out = fields.Boolean(
        readonly=True,
        copy=False,
        help="A user chose not to synchronize it. Fetch Accounts shows it with all accounts, not as a new one.",
    )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - WHICH JOURNAL
    # -------------------------------------------------------------------------

    def _is_new(self):
        """Nobody has said yet what becomes of it."""
        self.ensure_one()
        return not self.journal_ids and not self.is_left_out

    def _journal_type(self):
        return "credit" if self.account_type == "credit_card" else "bank"

    def _fits_currency(self, journal):
        return (journal.currency_id or journal.company_id.currency_id) == self.currency_id

    def _free_journals_domain(self):
        """Journals in its currency that it may fill: its own, that of its duplicate, and those that nothing fills."""
        same = [self.currency_id.id] + [False] * (self.currency_id == self.company_id.currency_id)
        return [
            ("company_id", "=", self.company_id.id),
            ("type", "in", ("bank", "credit")),
            ("account_online_account_id", "in", (False, self.id, *self._filled_elsewhere().ids)),
            ("currency_id", "in", same),
        ]

    def _propose_unused_journal(self, taken):
        """The only journal of this kind and currency that is empty and belongs to no bank account, if there is one.

        Why only an empty one: in a journal with transactions those of another account would be mixed with them.

        :param taken: journals that are proposed for others
        """
        journals = self.env["account.journal"].search(
            [
                *self._free_journals_domain(),
                ("type", "=", self._journal_type()),
                ("bank_account_id", "=", False),
                ("id", "not in", taken.ids),
            ]
        )
        lines = self.env["account.bank.statement.line"]._read_group(
            [("journal_id", "in", journals.ids)], ["journal_id"]
        )
        unused = journals - journals.browse().union(*(journal for (journal,) in lines))
        return unused if len(unused) == 1 and self.account_type in ("current", "credit_card") else unused.browse()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - NAME OF A NEW ONE
    # -------------------------------------------------------------------------

    def _propose_journal_name(self, taken=()):
        """“Bank ••••1234”; where two would be called the same, with the bank's name of the account, then the currency.

        :param taken: names that others are going to have
        """
        bank, number = self.account_online_link_id.name, (self.account_number or "").replace(" ", "")
        end = number[-4:] if number[-4:].isalnum() and len(number) >= 4 else ""
        names = [f"{bank} ••••{end}" if end else f"{bank} {self.name}", f"{bank} {self.name} {end}".strip()]
        names.append(f"{names[1]} {self.currency_id.name}")
        company = [("company_id", "child_of", self.company_id.root_id.id)]
        Journal = self.env["account.journal"].with_context(active_test=False)
        taken = {*taken, *Journal.search([*company, ("name", "in", names)]).mapped("name")}
        return next((name for name in names if name not in taken), names[-1])

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - FROM WHICH DAY
    # -------------------------------------------------------------------------

    def _propose_start_date(self, journal):
        """
        :param journal: the existing journal, or an empty recordset for a new one
        :return: first day to import, False for as far back as the bank allows
        """
        if filling := self._filling(journal):
            return filling.start_date
        start = self._default_start_date(journal) if journal else False
        unlocked = self._first_unlocked_day(journal)
        return max(filter(None, (start, unlocked)), default=False)

    def _filling(self, journal):
        """:return: this account or its duplicate in another connection, whichever fills the journal"""
        return (self | self.duplicate_of_id).filtered(lambda account: journal and account.journal_ids == journal)

    def _first_unlocked_day(self, journal):
        """:return: the day after the lock date, or None where nothing is locked"""
        lock = self.company_id._get_user_fiscal_lock_date(journal)
        return lock + timedelta(days=1) if lock > date.min else None

    def _first_day_of_the_bank(self):
        """:return: about the first day that the bank still gives, or None where its limit is not known"""
        days = self.account_online_link_id.history_days
        return (days and fields.Date.subtract(fields.Date.context_today(self), days=days)) or None

    def _explain_start_date(self, start, journal):
        """Why the first load begins on that day, or what the user should know of it, in a sentence.

        :param start: a date, or False for as far back as the bank allows
        :param journal: as in :meth:`_propose_start_date`
        """
        self.ensure_one()
        filling = self._filling(journal)
        if filling and start == filling.start_date:
            return self.env._("As it was chosen before: what has been imported since stays as it is.")
        limit, unlocked = self._first_day_of_the_bank(), self._first_unlocked_day(journal)
        if unlocked and (not start or start < unlocked):
            return self.env._(
                "Your books are locked up to %s: what is dated up to then is left out.",
                format_date(self.env, unlocked - timedelta(days=1)),
            )
        if not start:
            return self._explain_all_there_is(limit)
        proposed = self._propose_start_date(journal)
        if start == proposed == unlocked:
            return self.env._("The day after your lock date.")
        last = self._last_day_of_others(journal)
        if start == proposed and last and start > last:
            return self.env._(
                "The day after the last transaction in %(journal)s, of %(date)s.",
                journal=journal.name,
                date=format_date(self.env, last),
            )
        if last and start <= last:
            return self.env._(
                "%(journal)s has transactions up to %(date)s. Those that are certainly the same are recognised; "
                "others are imported and marked as possible duplicates.",
                journal=journal.name,
                date=format_date(self.env, last),
            )
        if limit and start < limit:
            return self._explain_all_there_is(limit)
        return self.env._("The day that you chose.")

    def _explain_all_there_is(self, limit):
        if limit:
            return self.env._(
                "As far back as the bank allows: %(days)s days, so from about %(date)s.",
                days=self.account_online_link_id.history_days,
                date=format_date(self.env, limit),
            )
        return self.env._("As far back as the bank allows. It does not tell how far that is.")

    def _last_day_of_others(self, journal):
        """:return: day of the last transaction that this account has not brought, or None"""
        domain = [("journal_id", "=", journal.id), ("online_account_id", "!=", self.id)]
        return (journal and self.env["account.bank.statement.line"].search(domain, limit=1).date) or None

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - HOW FAR ITS LOAD IS
    # -------------------------------------------------------------------------

    def _describe_progress(self, progress):
        """
        :param progress: ``account.online.progress``, or an empty recordset before the first page
        :return: dict for the screen; ``percent`` is False where the end is not known
        """
        self.ensure_one()
        return {
            "step": progress.step or "wait",
            "text": self._tell_progress(progress),
            "percent": self._percent(progress),
        }

    def _tell_progress(self, progress):
        if not progress:
            return self.env._("Waiting for its turn.")
        stored, given = (formatLang(self.env, number, digits=0) for number in (progress.stored, progress.transactions))
        if progress.step == "done":
            return self.env._("New transactions in the journal: %s.", stored)
        if progress.step == "store":
            return self.env._(
                "Transactions in the journal so far: %(stored)s of up to %(transactions)s.",
                stored=stored,
                transactions=given,
            )
        if not progress.first_day:
            return self.env._("The bank is asked for transactions.")
        return self.env._(
            "Transactions that the bank has given so far: %(number)s, from %(first)s to %(last)s.",
            number=given,
            first=format_date(self.env, progress.first_day),
            last=format_date(self.env, progress.last_day),
        )

    def _percent(self, progress):
        """The first half is fetching, by days; the second storing, by lines."""
        if progress.step == "done":
            return 100
        if progress.step == "store":
            return 50 + round(50 * min(1, progress.stored / max(1, progress.transactions)))
        start = self.start_date or self._first_day_of_the_bank()
        if not progress or not start or not progress.first_day:
            return 0 if not progress else False
        # Why the days between: some banks begin with the newest transaction, others with the oldest.
        days = max(1, (fields.Date.context_today(self) - start).days)
        return round(50 * min(1, (progress.last_day - progress.first_day).days / days))
