from odoo import fields, models
from odoo.addons.base.models.res_bank import sanitize_account_number

from ..sync.identity import LEGACY

#: Digits at the end of a masked number that are enough to propose a journal; the user decides.
LAST_DIGITS = 4


class AccountOnlineAccount(models.Model):
    """How an account goes on where one of an earlier module has ended.

    Its lines know by which transaction ids the former provider called them (``legacy:…``). They belong to the account
    that fills their journal next, which recognises them by day and amount.
    """

    _inherit = "account.online.account"  # pylint: disable=consider-merging-classes-inherited

    legacy_source = fields.Char(string="Earlier Module's Table", readonly=True, copy=False)
    legacy_journal_id = fields.Many2one(
        comodel_name="account.journal",
        string="Earlier Journal",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The journal that an earlier module filled from this account. It is proposed when the bank is connected "
        "anew.",
    )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - JOURNALS
    # -------------------------------------------------------------------------

    def _legacy_journals(self):
        """The journals that these accounts filled, as far as nothing fills them now."""
        return self.legacy_journal_id.filtered(
            lambda journal: (
                journal.active and journal.type in ("bank", "credit") and not journal.account_online_account_id
            )
        )

    def _propose_journal(self):
        """The journal that an earlier module filled from this account, or from one whose number may be the same."""
        self.ensure_one()
        journal = self._fitting(self._legacy_journals()) or super()._propose_journal()
        if journal or not self.account_number:
            return journal
        others = self.search([("legacy_journal_id", "!=", False), ("company_id", "=", self.company_id.id)]) - self
        alike = others.filtered(lambda other: self._may_be(other.account_number))
        found = self._fitting(alike._legacy_journals())
        # Why only one: a few digits prove little, and choosing between two would be a guess.
        return found if len(found) == 1 else found.browse()

    def _fitting(self, journals):
        return journals.filtered(
            lambda journal: (
                journal.company_id == self.company_id
                and (journal.currency_id or journal.company_id.currency_id) == self.currency_id
            )
        )

    def _may_be(self, number):
        """Whether a number that is masked, or shows its end only, may be that of this account."""
        is_known = self._certain_number(self.account_number) and self._certain_number(number)
        own, other = (sanitize_account_number(one or "") or "" for one in (self.account_number, number))
        end = other[-LAST_DIGITS:]
        return not is_known and len(end) == LAST_DIGITS and end.isdigit() and own.endswith(end)

    def _default_start_date(self, journal):
        """After lines of an earlier module some days are asked for again: the bank may have booked late since."""
        last = self.env["account.bank.statement.line"].search(
            [
                ("journal_id", "=", journal.id),
                "|",
                ("online_account_id", "!=", self.id),
                ("online_transaction_identifier", "=like", f"{LEGACY}%"),
            ],
            limit=1,
        )
        if (last.online_transaction_identifier or "").startswith(LEGACY):
            return fields.Date.add(last.date, days=1 - self._overlap_days())
        return super()._default_start_date(journal)

    def _link_journal(self, journal, start_date=None, periodicity=None):
        result = super()._link_journal(journal, start_date, periodicity)
        self._continue_legacy(journal)
        return result

    def _continue_legacy(self, journal):
        """Take over the lines that an earlier module's account, by whatever number, has brought to this journal.

        What users have deleted of them comes along, so that it does not come back.
        """
        others = self._legacy_accounts_of(journal)
        if not others:
            return
        self.env["account.bank.statement.line"].flush_model()
        self.env["account.online.transaction"].flush_model()
        for table, column in (
            ("account_bank_statement_line", "online_account_id"),
            ("account_online_transaction", "account_online_account_id"),
        ):
            # Why SQL: there may be years of them. Why not the same identifier: each is unique in its account.
            self.env.cr.execute(
                f"""
                UPDATE {table} moved
                   SET {column} = %(account)s,
                       online_transaction_identifier = online_transaction_identifier ||
                           CASE WHEN EXISTS (SELECT FROM {table} other
                                              WHERE other.online_transaction_identifier =
                                                    moved.online_transaction_identifier
                                                AND other.{column} = ANY(%(all)s)
                                                AND other.{column} != moved.{column})
                                THEN ' ~' || id ELSE '' END
                 WHERE journal_id = %(journal)s AND {column} = ANY(%(others)s)
                   AND online_transaction_identifier LIKE %(legacy)s
                """,  # pylint: disable=sql-injection
                {
                    "account": self.id,
                    "others": others.ids,
                    "all": [self.id, *others.ids],
                    "journal": journal.id,
                    "legacy": f"{LEGACY}%",
                },
            )
        self.env.invalidate_all()
        self.legacy_journal_id = journal

    def _legacy_accounts_of(self, journal):
        """Accounts of an earlier module with lines in the journal, which fill none now and may be this account."""
        groups = self.env["account.bank.statement.line"]._read_group(
            [
                ("journal_id", "=", journal.id),
                ("online_account_id", "!=", self.id),
                ("online_transaction_identifier", "=like", f"{LEGACY}%"),
            ],
            ["online_account_id"],
        )
        accounts = self.browse().union(*(account for (account,) in groups))
        return accounts.filtered(
            lambda other: not other.journal_ids and not self._is_certainly_another(other.account_number)
        )
