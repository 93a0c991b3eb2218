import logging

import psycopg2

from odoo.modules.db import has_trigram

_logger = logging.getLogger(__name__)


def pre_init_hook(env):
    """Install PostgreSQL's pg_trgm, with which banks are found by misspelt names.

    It is a trusted extension: the owner of a database may create it. Where that is not allowed, or it is not available,
    the search tolerates no misspellings and is slower; everything else is the same.
    """
    if env.registry.has_trigram:
        return
    try:
        with env.cr.savepoint(flush=False):
            env.cr.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except psycopg2.Error as error:
        _logger.warning(
            "Banks are searched without forgiving misspellings: pg_trgm could not be created (%s). Let an "
            "administrator of PostgreSQL run CREATE EXTENSION pg_trgm in database %s, then update bank_sync_proxy.",
            str(error).strip(),
            env.cr.dbname,
        )
    # Why set here: Odoo checked this when the registry was created, and creates the index during this installation.
    env.registry.has_trigram = has_trigram(env.cr)


def uninstall_hook(env):
    """Let Odoo remove the provider that came as data.

    A bank with connections cannot be deleted, so the connections are deleted first.
    The key file in the data directory stays: a backup of the database may still need it.
    """
    env["bank.sync.connection"].search([("id", "!=", False)]).unlink()
