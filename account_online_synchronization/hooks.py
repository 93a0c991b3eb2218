import logging

from . import legacy

_logger = logging.getLogger(__name__)


def pre_init_hook(env):
    """Rename tables and columns that an earlier module of this name, or account_online_sync, left behind.

    Their contents are migrated at the end of the installation (``data/account_online_migration.xml``), when this
    addon's tables exist.
    """
    renamed, problems = legacy.set_aside(env.cr, columns_in_use(env))
    if renamed:
        _logger.info("Kept under other names, because an earlier module left them: %s", ", ".join(renamed))
    for problem in problems:
        _logger.warning("An earlier module's %s could not be set aside: %s", problem.table, problem.text)


def columns_in_use(env):
    """Columns with names of this addon that are fields of another installed addon.

    :return: set of (table, column)
    """
    found = set()
    for model in env.registry.values():
        for column in legacy.SHARED_COLUMNS.get(model._table, ()):
            field = model._fields.get(column)
            if field and set(field._modules) - {"account_online_synchronization"}:
                found.add((model._table, column))
    return found


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
