from odoo import api, models


class AccountOnlineAuthorization(models.TransientModel):
    """What users do with a consent stands in the chatter of its connection, with its author."""

    _inherit = "account.online.authorization"

    @api.model
    def _remember(self, kind, nonce, page, link=None, *arguments, **values):
        visit = super()._remember(kind, nonce, page, link, *arguments, **values)
        if link:
            visit.link_id._note_act("begun", kind)
        return visit

    def _end(self, state, **values):
        result = super()._end(state, **values)
        if self.link_id:
            self.link_id._note_act(state, self.kind)
        return result
