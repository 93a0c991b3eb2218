from markupsafe import Markup

from odoo import fields, models
from odoo.tools.misc import format_date


class AccountOnlineLink(models.Model):
    """A connection of an earlier module: listed, never connected again."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    legacy_source = fields.Char(
        string="Earlier Module's Table", readonly=True, copy=False, help="Where the connection was taken over from."
    )
    legacy_provider = fields.Char(string="Earlier Provider", readonly=True, copy=False)
    legacy_reference = fields.Char(
        string="Earlier Reference",
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="The connection's id at the earlier provider. It is shown for its support only.",
    )
    legacy_institution = fields.Char(
        string="Earlier Institution Id", readonly=True, copy=False, groups="base.group_system"
    )
    migration_ids = fields.One2many(
        comodel_name="account.online.migration", inverse_name="account_online_link_id", readonly=True
    )

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_reconnect(self):
        """What an earlier module has connected can't be connected again: a new connection is made instead.

        Its accounts are recognised by their numbers, and their journals are proposed.
        """
        if not self.legacy_source:
            return super().action_reconnect()
        self.ensure_one()
        self._check_may_connect()
        self.check_access("write")
        journals = self.account_online_account_ids._legacy_journals()
        return self.with_company(self.company_id)._connect_bank(journals if len(journals) == 1 else None)

    def action_update_credentials(self):
        return self.action_reconnect() if self.legacy_source else super().action_update_credentials()

    def action_open_migration(self):
        """*Taken Over*: what became of the rows of the earlier module, and what to look at."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_online_synchronization.account_online_migration_action"
        )
        return {**action, "domain": ["|", ("account_online_link_id", "=", self.id), ("kind", "=", "problem")]}

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _tell_disconnected(self):
        """Say in the chatter what has happened to a connection that was taken over, and what to do."""
        numbers = dict(
            self.env["account.bank.statement.line"]._read_group(
                [("online_account_id", "in", self.account_online_account_ids.ids)], ["online_account_id"], ["__count"]
            )
        )
        problems = self.env["account.online.migration"].search([("kind", "=", "problem")])
        told = problems.grouped("account_online_link_id")
        bodies = {}
        for link in self:
            accounts = [
                Markup("<li>%s</li>") % link._told_account(account, numbers.get(account, 0))
                for account in link.account_online_account_ids
            ]
            sentences = [
                self.env._(
                    "This connection was made with an earlier module. It was disconnected when Online Bank "
                    "Synchronization was installed, and can't be connected again."
                ),
                self.env._(
                    "Press Reconnect, or Connect bank on the journal's card, to make a new connection. Its accounts "
                    "are recognised by their numbers, their journals are proposed, and what you have already is not "
                    "imported a second time. The transactions in your journals have not been changed."
                ),
                *(problem.text for problem in told.get(link, problems.browse())),
            ]
            body = Markup().join(Markup("<p>%s</p>") % sentence for sentence in sentences)
            bodies[link.id] = body + (Markup("<ul>%s</ul>") % Markup().join(accounts) if accounts else Markup())
        if bodies:
            self._message_log_batch(bodies=bodies)

    def _told_account(self, account, number):
        """A bank account in a line of the chatter."""
        parts = [account.display_name]
        if account.legacy_journal_id:
            parts.append(self.env._("journal %s", account.legacy_journal_id.display_name))
        if account.last_sync:
            parts.append(self.env._("synchronized until %s", format_date(self.env, account.last_sync)))
        parts.append(self.env._("%s known transactions", number))
        return ", ".join(parts)
