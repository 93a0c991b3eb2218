"""Places where banks and their programs put statement files: a folder of this server, and an SFTP server.

Pure Python: no Odoo, no database. A place is opened with ``with``, lists its files and reads them. Nothing in it is
ever written, renamed or deleted.
"""

from .common import Changed, Entry, PlaceError, is_partial
from .folder import Folder
from .sftp import SFTP

__all__ = ["SFTP", "Changed", "Entry", "Folder", "PlaceError", "is_partial"]
