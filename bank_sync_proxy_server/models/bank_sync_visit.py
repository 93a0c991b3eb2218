from odoo import api, models
from odoo.addons.bank_sync_proxy.models.bank_sync_visit import MAX_VALUE_LENGTH
from odoo.addons.bank_sync_proxy.providers.errors import ProviderError


class BankSyncVisit(models.Model):
    """A visit of a user of another database."""

    _inherit = "bank.sync.visit"

    @api.model
    def _open(self, connection, *parameters, **values):
        connection.client_id._ask_to_confirm_address()
        return super()._open(connection, *parameters, **values)

    def _refusal(self):
        try:
            self.connection_id.client_id._check_usable()
        except ProviderError as error:
            return error
        return super()._refusal()

    def _choose_institution(self, identifier, address=None):
        identifier = identifier.replace("\x00", "")
        if self.may_choose:
            # Why here: it counts even if the bank can't be reached and the request is rolled back.
            self.connection_id.client_id._note_suspicion("institution", identifier[:MAX_VALUE_LENGTH], address)
        return super()._choose_institution(identifier, address)

    def _fail(self, error, record, address=None):
        if error.code == "credentials_rejected":
            self.connection_id.client_id._note_suspicion("credentials", address=address)
        return super()._fail(error, record, address)
