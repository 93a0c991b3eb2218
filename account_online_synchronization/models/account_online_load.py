from babel.dates import format_date as format_babel_date
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools.date_utils import date_range
from odoo.tools.misc import babel_locale_parse, format_date, get_lang

from ..books.ledger import OpeningBalance

#: Maximum number of bars in the chart.
MAX_BARS = 24


class AccountOnlineLoad(models.Model):
    """The counters of a long run for one account. The run itself counts for all accounts of its link."""

    _name = "account.online.load"
    _description = "Load of a Bank Account"
    _inherit = ["account.online.counters", "account.online.server.fields"]
    _order = "id desc"

    run_id = fields.Many2one(comodel_name="account.online.run", required=True, ondelete="cascade", index=True)
    account_online_account_id = fields.Many2one(
        comodel_name="account.online.account", string="Bank Account", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="run_id.company_id", store=True)

    _account_unique = models.Constraint(
        "UNIQUE(run_id, account_online_account_id)", "One load for each account of a run."
    )

    @api.model
    def _begin(self, account, run):
        """Start counters for this account.

        :return: the load of the account; empty for a short run, which needs none
        """
        load = self.browse()
        if not account.last_sync or run.is_deferred:
            load = self.search([("run_id", "=", run.id), ("account_online_account_id", "=", account.id)])
            load = load or self.create({"run_id": run.id, "account_online_account_id": account.id})
        if run.current_load_id != load:
            run.current_load_id = load
        return load

    def _summary(self):
        """:return: dict of the values that the screen shows, with formatted amounts"""
        account, domain = self.account_online_account_id, self._lines_domain()
        Line = self.env["account.bank.statement.line"]
        # Why groups, not records: there may be years of lines.
        months = Line._read_group(domain, ["date:month"], ["date:min", "date:max", "__count"])
        money_in, money_out = (
            Line._read_group([*domain, ("amount", sign, 0)], [], ["amount:sum"])[0][0] for sign in "><"
        )
        money = account.currency_id.format
        return {
            "imported": self.imported,
            "adopted": self.adopted,
            "first_day": format_date(self.env, min((group[1] for group in months), default=False)),
            "last_day": format_date(self.env, max((group[2] for group in months), default=False)),
            "money_in": money(money_in or 0),
            "money_out": money(money_out or 0),
            "left_out": self._left_out(),
            "bars": self._bars({fields.Date.to_date(month): number for month, _first, _last, number in months}),
            **self._balances(),
        }

    def _lines_domain(self):
        """The lines that it has created. Why by creation time: a line does not refer to its run."""
        run = self.run_id
        end = run.write_date if run.ended_at else fields.Datetime.now()
        return [
            ("online_account_id", "=", self.account_online_account_id.id),
            ("online_adopted", "=", False),
            ("create_date", ">=", run.create_date),
            ("create_date", "<=", max(end, self.write_date)),
        ]

    def _left_out(self):
        """:return: list of {number, reason} for each reason with transactions"""
        reasons = [
            (self.skipped_before_start, self.env._("before the start date, seen to recognize late bookings")),
            (self.skipped_locked, self.env._("in a locked period")),
            (self.skipped_deleted, self.env._("deleted by a user before")),
            (self.pending, self.env._("pending at the bank, imported once booked")),
            (self.parked, self.env._("could not be imported, to review")),
            (self.possible_duplicates, self.env._("imported, but marked as possible duplicates, to review")),
        ]
        return [{"number": number, "reason": reason} for number, reason in reasons if number]

    def _balances(self):
        account = self.account_online_account_id
        journal = account.journal_ids
        money, is_zero = account.currency_id.format, account.currency_id.is_zero
        first = self.env["account.bank.statement"].search(
            [("journal_id", "=", journal.id), ("first_line_index", "!=", False)], order="first_line_index", limit=1
        )
        known = bool(account.balance_at) and not account.opening_unknown
        return {
            "bank_balance": money(account._signed_balance()) if known else "",
            "journal_balance": money(account.journal_balance) if known else "",
            "difference": "" if is_zero(account.balance_difference) else money(account.balance_difference),
            "opening": money(first.balance_start) if first and not account.opening_unknown else "",
            "opening_day": format_date(self.env, first.online_period_start) if first.online_period_start else "",
            "opening_unknown": OpeningBalance(account).explain_unknown() if account.opening_unknown else "",
            "missing_opening": "" if is_zero(account.opening_balance) else money(account.opening_balance),
            "opening_declined": account.opening_declined,
            "explain_opening": "" if is_zero(account.opening_balance) else OpeningBalance(account).explain(),
        }

    def _bars(self, months):
        """
        :param dict months: number of lines by the first day of their month
        :return: list of {label, number, share} by month, or by year if there are too many months; ``share`` is the
            percentage of the highest bar
        """
        if not months:
            return []
        locale = babel_locale_parse(get_lang(self.env).code)
        first, last = min(months), max(months)
        is_long = (last.year - first.year) * 12 + last.month - first.month >= MAX_BARS
        step = relativedelta(years=1) if is_long else relativedelta(months=1)
        first = first.replace(month=1) if is_long else first
        # Why months without lines, too: a gap must be visible.
        bars = dict.fromkeys(date_range(first, last, step), 0)
        for month, number in months.items():
            start = month.replace(month=1) if is_long else month
            bars[start] += number
        highest = max(bars.values())
        return [
            {
                "label": format_babel_date(start, format="yyyy" if is_long else "MMM yyyy", locale=locale),
                "number": bars[start],
                "share": round(100 * bars[start] / highest),
            }
            for start in sorted(bars)[-MAX_BARS:]
        ]
