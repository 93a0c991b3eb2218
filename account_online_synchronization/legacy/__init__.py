"""Migrates the data that earlier modules for bank feeds have left in the database.

Two of them are supported, by their tables: ``account_online_sync`` (Odoo up to 13, early 14) and the Enterprise module
with the same name as this addon (14 and later). Nothing here imports Odoo and a psycopg2 cursor is enough, so the same
code audits a database before the upgrade (``migration/``) and migrates it during the installation.
"""

from .aside import set_aside
from .migrate import migrate
from .names import SHARED_COLUMNS
from .schema import Schema
from .secrets import blank_secrets

__all__ = ["SHARED_COLUMNS", "Schema", "blank_secrets", "migrate", "set_aside"]
