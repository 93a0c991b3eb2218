"""Places from which statement files are read: a folder of this server, and an SFTP server.

Pure Python: no Odoo, no database. A place is a context manager that lists its files and reads them. It never writes,
renames or deletes files.
"""

from .common import Changed, Entry, PlaceError, is_partial
from .folder import Folder
from .sftp import SFTP

__all__ = ["SFTP", "Changed", "Entry", "Folder", "PlaceError", "is_partial"]
