from odoo.addons.account_online_synchronization import legacy


def migrate(cr, version):
    """Take the credentials out that a module of our name had left in tables that version 19.0.1.0.0 made its own.

    What account_online_sync left is taken over by data/account_online_migration.xml, as in a new installation.
    """
    legacy.blank_secrets(legacy.Schema(cr), [])
