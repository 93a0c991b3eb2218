"""A folder of this server, below a root that its operator has configured.

Every path component is opened relative to an open directory and without following symbolic links. So nothing outside
the root can be reached by any name, even if a folder is replaced by a link in the meantime.
"""

import os
import stat
from contextlib import suppress

from .common import Changed, Entry, PlaceError, checked, is_usable

NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
STEP = os.O_RDONLY | NO_LINKS | getattr(os, "O_DIRECTORY", 0)
#: Why non-blocking: opening a pipe would block before its type can be checked.
FILE = os.O_RDONLY | NO_LINKS | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Folder:
    """
    :param str root: absolute path, as the operator has configured it; it may be a link itself
    :param str path: below it, with slashes; empty for the root
    """

    def __init__(self, root, path=""):
        self.root, self.path, self.directory = root, path or "", None

    def __enter__(self):
        if not self.root or not NO_LINKS or os.open not in os.supports_dir_fd:
            raise PlaceError("no_root")
        parts = [part for part in self.path.split("/") if part]
        if any(part in (".", "..") or "\0" in part or "\\" in part for part in parts):
            raise PlaceError("not_below_root")
        try:
            current = os.open(self.root, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        except OSError as error:
            raise PlaceError("no_root", os.strerror(error.errno)) from None
        for part in parts:
            try:
                following = os.open(part, STEP, dir_fd=current)
            except PermissionError:
                raise PlaceError("not_allowed") from None
            except OSError:
                # Also for links, so that their targets are not disclosed.
                raise PlaceError("no_folder") from None
            finally:
                os.close(current)
            current = following
        self.directory = current
        return self

    def __exit__(self, *_exception):
        os.close(self.directory)
        self.directory = None

    def entries(self):
        """:return: list of :class:`.Entry`, oldest first"""
        try:
            with os.scandir(self.directory) as found:
                return checked(map(self._entry, found))
        except PermissionError:
            raise PlaceError("not_allowed") from None

    @staticmethod
    def _entry(found):
        # Why suppressed: it may have been removed since it was listed.
        with suppress(FileNotFoundError):
            about = found.stat(follow_symlinks=False)
            if stat.S_ISREG(about.st_mode):
                return Entry(found.name, about.st_size, int(about.st_mtime))
        return None

    def content(self, entry, limit):
        """
        :param Entry entry: of :meth:`entries`
        :return: bytes; one more than ``limit`` for a larger file
        :raise Changed: when it has changed since it was listed
        """
        if not is_usable(entry.name):
            raise PlaceError("not_below_root")
        try:
            file = os.open(entry.name, FILE, dir_fd=self.directory)
        except PermissionError:
            raise PlaceError("not_allowed", entry.name) from None
        except OSError:
            raise Changed(entry.name) from None
        with os.fdopen(file, "rb") as stream:
            self._check(stream, entry)
            content = stream.read(limit + 1)
            self._check(stream, entry)
        return content

    @staticmethod
    def _check(stream, entry):
        about = os.fstat(stream.fileno())
        if not stat.S_ISREG(about.st_mode) or (about.st_size, int(about.st_mtime)) != (entry.size, entry.modified):
            raise Changed(entry.name)
