from odoo import api, models


class AccountOnlineLink(models.Model):
    """Who has done what with the consent: each act is a message whose author is the user."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _sentences_of_acts(self):
        """:return: dict from (how a visit of the bank's pages stands, its kind) to a sentence. Codes that the bank asks
        for are no acts on the consent.
        """
        return {
            ("begun", "consent"): self.env._("Reconnect was started: the bank is asked for a new consent."),
            ("begun", "credentials"): self.env._("Update Credentials was started at the bank."),
            ("done", "connect"): self.env._("The bank was connected: its consent is stored."),
            ("done", "consent"): self.env._("The consent was renewed at the bank."),
            ("done", "credentials"): self.env._(
                "The credentials, or the choice of accounts, were updated at the bank."
            ),
            ("cancelled", "consent"): self.env._("Reconnect was cancelled. The consent is as it was before."),
            ("cancelled", "credentials"): self.env._(
                "Update Credentials was cancelled. The consent is as it was before."
            ),
            ("failed", "consent"): self.env._("The bank gave no new consent."),
            ("failed", "credentials"): self.env._("The credentials were not updated at the bank."),
        }

    def _note_act(self, state, kind):
        """
        :param str state: ``begun``, or that in which the visit has ended
        :param str kind: of the visit
        """
        self.ensure_one()
        sentence = self._sentences_of_acts().get((state, kind))
        if sentence:
            self.message_post(body=sentence)

    def _note_deletion(self, journals, is_given_back):
        """A connection is deleted with its chatter, so its journals keep who has done it.

        :param journals: that it has filled
        :param bool is_given_back: False: the service could not be reached, and the consent runs until its end
        """
        consent = (
            self.env._("Its consent was given back.")
            if is_given_back
            else self.env._("Its consent could not be given back now: withdraw it at the bank, or wait for its end.")
        )
        for journal in journals:
            journal.message_post(
                body=self.env._(
                    "The bank connection %(name)s of this journal was deleted. %(consent)s",
                    name=self.name,
                    consent=consent,
                )
            )
