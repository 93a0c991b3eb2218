import logging
import re
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from .bank_sync_error import ALPHABET

_logger = logging.getLogger(__name__)

LENGTH = 8
#: Within how many minutes before and after an error others of the same client may have to do with it.
NEARBY_MINUTES = 60
NEARBY_LIMIT = 40


class BankSyncError(models.Model):
    """How support finds the record behind a reference, and what it sees beside it."""

    _name = "bank.sync.error"
    _inherit = ["bank.sync.error"]

    database_uuid = fields.Char(related="client_id.database_uuid", string="Database UUID")
    client_url = fields.Char(related="client_id.url", string="Database Address")
    nearby_ids = fields.Many2many(
        comodel_name="bank.sync.error", string="Around That Time", compute="_compute_nearby_ids"
    )

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    def _compute_nearby_ids(self):
        span = timedelta(minutes=NEARBY_MINUTES)
        for record in self:
            domain = [
                ("id", "!=", record.id),
                ("client_id", "=", record.client_id.id),
                ("create_date", ">=", record.create_date and record.create_date - span),
                ("create_date", "<=", record.create_date and record.create_date + span),
            ]
            is_known = record.client_id and record.create_date
            record.nearby_ids = self.search(domain, limit=NEARBY_LIMIT) if is_known else False

    # -------------------------------------------------------------------------
    # CRUD METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _search_display_name(self, operator, value):
        if operator != "ilike" or not isinstance(value, str) or not value:
            return super()._search_display_name(operator, value)
        return Domain.OR(Domain("reference", "=ilike", pattern) for pattern in self._patterns(value))

    def export_data(self, fields_to_export):
        """Records of errors hold personal data: support looks at them, only administrators take many of them along."""
        if not self.env.user.has_group("bank_sync_proxy.group_administrator"):
            raise AccessError(self.env._("Error records hold personal data: only administrators may export them."))
        _logger.info("%s exports %s error records", self.env.user.login, len(self))
        return super().export_data(fields_to_export)

    # -------------------------------------------------------------------------
    # BUSINESS METHODS
    # -------------------------------------------------------------------------

    @api.model
    def _patterns(self, spoken):
        """What a reference may look like that somebody has read aloud, typed from a picture, or remembers in part.

        Case, dashes and spaces do not matter, nor does a missing E. A letter that occurs in no reference (0 O 1 I L U)
        was misread, and stands for any.

        :param str spoken: such as ``e 7kq2m9xd``, ``E-7KO2-M9XD`` or ``m9x``
        :return: list of patterns for SQL's LIKE
        """
        text = re.sub(r"[\W_]", "", spoken).upper()
        # An E at the beginning belongs to the reference, or to what is left of it.
        rests = {text, text.removeprefix("E")} if len(text) <= LENGTH else {text.removeprefix("E")}
        patterns = []
        for rest in sorted(rests):
            known = "".join(letter if letter in ALPHABET else "_" for letter in rest)
            if not known.strip("_"):
                # Nothing of it is certain: it would find everything.
                continue
            for before in range(LENGTH - len(known) + 1):
                letters = "_" * before + known + "_" * (LENGTH - before - len(known))
                patterns.append(f"E-{letters[:4]}-{letters[4:]}")
        return patterns
