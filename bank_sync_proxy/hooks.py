import logging

import psycopg2

from odoo.modules.db import has_trigram

_logger = logging.getLogger(__name__)


def pre_init_hook(env):
    """Have PostgreSQL's pg_trgm, by which banks are found although their name is misspelt.

    It is a trusted extension: the owner of a database may create it. Where that is not allowed, or it is not installed,
    the search forgives no misspellings and is slower, and everything else is the same.
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
    # Why set here: Odoo has looked when the registry was made, and makes the index during this installation.
    env.registry.has_trigram = has_trigram(env.cr)


def uninstall_hook(env):
    """Let Odoo remove the provider that came as data.

    Banks protect themselves against being deleted while somebody is connected to them, so the connections go first.
    The key file in the data directory stays: a backup of the database may still need it.
    """
    env["bank.sync.connection"].search([("id", "!=", False)]).unlink()
