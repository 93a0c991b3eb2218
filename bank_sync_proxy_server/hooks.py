def uninstall_hook(env):
    """Delete the clients of other databases with their consents, which could no longer be used or revoked."""
    env["bank.sync.client"].search([("is_embedded", "=", False)]).unlink()
