def uninstall_hook(env):
    """Leave core's own records as they were before the installation.

    Columns and models of this addon are dropped by Odoo itself. What remains are two things written on core's records:
    the feed source of the journals, whose selection value disappears with the addon, and the group hierarchy.
    """
    journals = env["account.journal"].with_context(active_test=False)
    journals.search([("bank_statements_source", "=", "online_sync")]).bank_statements_source = "undefined"
    basic = env.ref("account.group_account_basic")
    basic.privilege_id = False
    env.ref("account.group_account_manager").implied_ids -= basic
