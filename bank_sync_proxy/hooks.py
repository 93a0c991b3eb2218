def uninstall_hook(env):
    """Let Odoo remove the provider that came as data.

    Banks protect themselves against being deleted while somebody is connected to them, so the connections go first.
    The key file in the data directory stays: a backup of the database may still need it.
    """
    env["bank.sync.connection"].search([("id", "!=", False)]).unlink()
