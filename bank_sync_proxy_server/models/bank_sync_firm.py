import re
import secrets

from odoo import api, fields, models
from odoo.addons.bank_sync_common.models.server_fields import as_server
from odoo.addons.bank_sync_proxy.models.bank_sync_error import ALPHABET
from odoo.addons.bank_sync_proxy.providers.errors import ConsentError, RateLimited

#: Characters of a code, of an alphabet of 30: 78 bits, which can't be guessed at 20 attempts an hour.
CODE_LENGTH = 16


class BankSyncFirm(models.Model):
    """An accounting firm: its users see the bank consents of the clients that have agreed to that.

    The operator creates it. Only the client itself can add itself, with the firm's code.
    """

    _name = "bank.sync.firm"
    _description = "Accounting Firm"
    _inherit = ["mail.thread", "bank.sync.server.fields"]
    _order = "name, id"

    name = fields.Char(required=True, tracking=True, help="Clients read it before they agree.")
    active = fields.Boolean(
        default=True, tracking=True, help="The users of an archived firm see nothing, and nobody can agree with it."
    )
    code = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self._new_code(),
        help="The firm gives it to its clients, who enter it in their settings. It gives no access to anything.",
    )
    member_ids = fields.One2many(comodel_name="bank.sync.firm.member", inverse_name="firm_id", string="Users")
    agreement_ids = fields.One2many(
        comodel_name="bank.sync.firm.agreement", inverse_name="firm_id", string="Agreements", readonly=True
    )
    agreement_count = fields.Integer(string="Clients", compute="_compute_agreement_count")

    _code_unique = models.UniqueIndex("(code)", "Codes of accounting firms are unique.")

    @api.model
    def _new_code(self):
        text = "".join(secrets.choice(ALPHABET) for _letter in range(CODE_LENGTH))
        return "-".join(text[start : start + 4] for start in range(0, CODE_LENGTH, 4))

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends("agreement_ids.ended_at")
    def _compute_agreement_count(self):
        in_force = [("firm_id", "in", self.ids), ("ended_at", "=", False)]
        counts = dict(self.env["bank.sync.firm.agreement"]._read_group(in_force, ["firm_id"], ["__count"]))
        for firm in self:
            firm.agreement_count = counts.get(firm, 0)

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_replace_code(self):
        """*Replace Code*: the previous code is no longer accepted; existing agreements stay."""
        self.check_access("write")
        for firm in self:
            # sudo: write access to the firm was checked above, and the code is random
            as_server(firm).code = self._new_code()
            firm.message_post(body=self.env._("The code was replaced. The former one is no longer accepted."))

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _find_by_code(self, client, code):
        """:param str code: as a person has typed it
        :return: the firm
        :raise ProviderError: ``firm_unknown``, which is counted; ``too_many_requests`` after too many of them
        """
        suspicions = self.env["bank.sync.suspicion"]
        seconds = suspicions._seconds_until_one_more(client, "firm")
        if seconds:
            raise RateLimited("too_many_requests", "too many wrong codes of firms", retry_after=seconds)
        letters = re.sub(r"[\W_]", "", code).upper()
        spelled = "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
        # sudo: finds one firm by a code that cannot be guessed; the caller is a client, not a user
        firm = self.sudo().search([("code", "=", spelled)], limit=1)
        if not firm:
            suspicions._note(client, "firm")
            raise ConsentError("firm_unknown", "no firm has this code", keeps=True)
        return firm
