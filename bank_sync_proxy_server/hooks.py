def uninstall_hook(env):
    """Forget the databases elsewhere, with the consents of their users: nobody could use or end them any more."""
    env["bank.sync.client"].search([("is_embedded", "=", False)]).unlink()
