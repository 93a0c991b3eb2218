from odoo.addons.account_online_synchronization import legacy


def migrate(cr, version):
    """Delete credentials of a module with the same name from tables that version 19.0.1.0.0 has reused.

    Tables of account_online_sync are migrated by data/account_online_migration.xml, as in a new installation.
    """
    legacy.blank_secrets(legacy.Schema(cr), [])
