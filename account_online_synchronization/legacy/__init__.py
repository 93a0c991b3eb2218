"""What earlier modules for bank feeds left in the database, and how it becomes part of this one.

Two of them are known by their tables: ``account_online_sync`` (Odoo up to 13, early 14) and the Enterprise module that
has the same name as this addon (14 and later). Nothing here imports Odoo: a cursor of psycopg2 goes in, so that the
same code reads a database before the move (``migration/``) and changes it during the installation.
"""

from .aside import set_aside
from .migrate import migrate
from .names import SHARED_COLUMNS
from .schema import Schema
from .secrets import blank_secrets

__all__ = ["SHARED_COLUMNS", "Schema", "blank_secrets", "migrate", "set_aside"]
