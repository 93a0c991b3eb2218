from datetime import timedelta

from odoo import api, fields, models
from odoo.tools.misc import format_date

from ..sync.refusals import LASTING_REFUSALS, NO_FIRST_DAY, is_worth_asking, learned_history, within_history


class AccountOnlineAccount(models.Model):
    """What the bank refuses for one account, so that it is not asked for it again in each run.

    How far back it goes is learned from its answers. That it gives an account no longer is remembered, shown and told;
    whoever presses *Synchronize Now* or renews the consent asks again.
    """

    _inherit = "account.online.account"  # pylint: disable=consider-merging-classes-inherited

    history_days = fields.Integer(
        readonly=True,
        copy=False,
        help="How many days back the bank gives transactions, learned when it refused more. 0: it has refused nothing. "
        "-1: it takes no first day.",
    )
    history_text = fields.Char(string="History at the Bank", compute="_compute_history_text")
    refusal_code = fields.Char(readonly=True, copy=False)
    refusal_message = fields.Text(string="Refused by the Bank", readonly=True, copy=False)
    refused_at = fields.Datetime(readonly=True, copy=False)

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("history_days")
    @api.depends_context("lang")
    def _compute_history_text(self):
        for account in self:
            account.history_text = account._describe_history()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - HISTORY
    # -------------------------------------------------------------------------

    def _learn_history(self, days):
        """Remember how far back the bank goes, and tell it once.

        :param days: ``history_days`` of an answer, whatever it is
        :return: whether the answer says so
        """
        known = learned_history(days)
        if known is None:
            return False
        if self.history_days != known:
            self.history_days = known
            self.account_online_link_id.message_post(body=self._describe_history())
        return True

    def _within_history(self, since):
        """:return: the first day to ask for: not earlier than the bank goes back; None for as far back as possible"""
        return within_history(since, self.history_days, fields.Date.today())

    def _describe_history(self):
        if not self.history_days:
            return False
        if self.history_days == NO_FIRST_DAY:
            return self.env._(
                "%s: the bank does not let anybody choose the first day. It gave as many transactions as it does at "
                "once; import older ones from a file, if you need them.",
                self.display_name,
            )
        first = fields.Date.today() - timedelta(days=self.history_days)
        return self.env._(
            "%(account)s: the bank gives transactions of the last %(days)s days only, so today from %(date)s on. "
            "Import older ones from a file, if you need them.",
            account=self.display_name,
            days=self.history_days,
            date=format_date(self.env, first),
        )

    # -------------------------------------------------------------------------
    # BUSINESS METHODS - REFUSALS
    # -------------------------------------------------------------------------

    def _note_refusal(self, error):
        """Remember that the bank refuses this account, where that is what a failure says.

        :param error: :class:`~..client.errors.ProxyError`
        :return: whether the others may go on as if nothing had happened
        """
        if error.code not in LASTING_REFUSALS:
            return False
        message = error.message
        if error.reference:
            message += " " + self.env._("Reference: %s", error.reference)
        is_new = self.refusal_code != error.code
        self.write({"refusal_code": error.code, "refusal_message": message, "refused_at": fields.Datetime.now()})
        if is_new:
            self.account_online_link_id.message_post(body=self._describe_refusal())
        return True

    def _describe_refusal(self):
        return f"{self.display_name}: {self.refusal_message}"

    def _forget_refusal(self):
        """It answers again, or somebody has changed what it was refused for."""
        refused = self.filtered("refusal_code")
        # Why only then: a write costs even where it changes nothing.
        if refused:
            refused.write({"refusal_code": False, "refusal_message": False, "refused_at": False})

    def _forget_what_the_consent_refused(self):
        """A new consent may cover what the one before did not, and many banks give more history just after it."""
        self._forget_refusal()
        self.filtered("history_days").write({"history_days": 0})

    def _change_identifier(self, message):
        result = super()._change_identifier(message)
        self._forget_what_the_consent_refused()
        return result

    def _return_to(self, link, message):
        result = super()._return_to(link, message)
        self._forget_what_the_consent_refused()
        return result

    def _is_worth_asking(self, user_present):
        """:param bool user_present: somebody asks for it, so perhaps something has changed"""
        return is_worth_asking(self.refusal_code, self.refused_at, fields.Datetime.now(), user_present)

    def _refused_ones(self):
        """:return: those that somebody should know of: they fill a journal, and the bank refuses them"""
        return self.filtered(lambda account: account.refusal_code and account.journal_ids)
