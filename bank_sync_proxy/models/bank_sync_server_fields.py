from .server_fields import ServerFields


class BankSyncServerFields(ServerFields):
    """For every model of this addon."""

    _name = "bank.sync.server.fields"
    _description = "Fields That Only the Server Sets"
