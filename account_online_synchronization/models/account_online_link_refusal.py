from odoo import api, fields, models

from .account_online_link_status import BUTTON_OF_ACTION, BUTTON_OF_CODE
from .server_fields import as_server

#: What the refusal of one account leads to, as the same failure of a whole connection would.
ACTION_OF_REFUSAL = {"account_refused": "leave_out", "unknown_account": "renew", "period_refused": "contact_support"}


class AccountOnlineLink(models.Model):
    """What is wrong with a part of a link while the rest of it goes on."""

    _inherit = "account.online.link"  # pylint: disable=consider-merging-classes-inherited

    service_notes = fields.Text(
        readonly=True,
        copy=False,
        help="What the connection service said with the last answer that it gave: something is missing, or old.",
    )

    has_refused_accounts = fields.Boolean(compute="_compute_has_refused_accounts", store=True)

    # -------------------------------------------------------------------------
    # COMPUTE METHODS
    # -------------------------------------------------------------------------

    @api.depends("account_online_account_ids.refusal_code")
    def _compute_has_refused_accounts(self):
        for link in self:
            link.has_refused_accounts = any(link.account_online_account_ids.mapped("refusal_code"))

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_leave_out_refused(self):
        """*Leave Out*: accounts that the bank has closed fill no journal any more. What they have brought stays."""
        self.ensure_one()
        self._check_may_connect()
        self.check_access("write")
        accounts = self.account_online_account_ids._refused_ones().filtered(
            lambda account: ACTION_OF_REFUSAL.get(account.refusal_code) == "leave_out"
        )
        names = ", ".join(accounts.mapped("display_name"))
        # sudo: the right to connect and write access to the link were checked above; the accounts are its own
        accounts, link = as_server(accounts), as_server(self)
        accounts.journal_ids._unlink_online_account()
        accounts.write({"is_left_out": True})
        accounts._forget_refusal()
        link._after_leaving_out(names)
        if not names:
            return self._notify(
                self.env._("The bank refuses no account of %s, so none was left out.", self.name), "info"
            )
        return self._notify(
            self.env._(
                "%s is no longer synchronized. Its journal and its transactions stay; Fetch Accounts brings it back.",
                names,
            ),
            "success",
        )

    def _after_leaving_out(self, names):
        if self.error_action == "leave_out":
            self._clear_error()
        if names:
            self.message_post(body=self.env._("Left out, because the bank refuses it: %s.", names))
        self._update_status_activity()

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    def _take_notes(self, answer):
        """Keep what ``connections.refresh`` says beside its answer, see :func:`..client.answers.read_visit`."""
        text = "\n".join(answer.get("notes", ())) or False
        if (self.service_notes or False) != text:
            self.service_notes = text

    def _refused_accounts(self):
        """:return: dict from a link to those of its accounts that fill a journal and that the bank refuses

        Why not the accounts of each: the dashboard asks for hundreds of links, hardly any of which has such an account.
        """
        links = self.filtered("has_refused_accounts")
        if not links:
            return {}
        accounts = self.env["account.online.account"].search(
            [
                ("account_online_link_id", "in", links.ids),
                ("refusal_code", "!=", False),
                ("journal_ids", "!=", False),
            ]
        )
        return accounts.grouped("account_online_link_id")

    def _get_status_of_a_part(self, usual_button, refused):
        """What a link that works shows: refused accounts first, then what the service noted.

        :param str usual_button: where nothing is wrong, or nothing that a button helps with
        :param refused: accounts that the bank refuses
        :return: as :meth:`_get_status`
        """
        if refused:
            code = refused[0].refusal_code
            action = ACTION_OF_REFUSAL.get(code, "contact_support")
            button = BUTTON_OF_CODE.get(code) or BUTTON_OF_ACTION[action]
            return "danger", "\n".join(account._describe_refusal() for account in refused), "", button
        if self.service_notes:
            return "warning", self.service_notes, "", usual_button
        return "", "", "", usual_button
