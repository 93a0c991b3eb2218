"""Common parts of all places."""

from typing import NamedTuple

#: Maximum number of files of a place.
MAX_FILES = 10_000
#: Maximum length of a file's name.
LONGEST_NAME = 255
#: Suffixes of files that are still being written by curl, browsers, FileZilla, WinSCP, rsync or lftp.
PARTIAL = (".part", ".tmp", ".temp", ".filepart", ".partial", ".crdownload", ".lock", ".lftp", ".swp", "~")


class Entry(NamedTuple):
    """One regular file of a place."""

    name: str
    size: int
    #: Seconds since 1970, by the clock of the place.
    modified: int


class PlaceError(Exception):
    """The place can't be read. The caller has a sentence for each ``code``.

    ``no_root`` · ``not_below_root`` · ``no_folder`` · ``not_allowed`` · ``too_many`` · ``no_library`` · ``no_answer`` ·
    ``ended`` · ``private_address`` · ``other_host_key`` · ``unknown_host_key`` · ``bad_key`` · ``refused`` ·
    ``sign_in_ended`` · ``bad_name`` · ``unreadable_secret``

    :ivar str detail: message of the other side, or a fingerprint
    """

    def __init__(self, code, detail=""):
        super().__init__(f"{code} {detail}".strip())
        self.code, self.detail = code, detail


class Changed(Exception):
    """The file has changed since it was listed, or was replaced."""


def is_partial(name):
    """Whether the file is incomplete according to its name, or hidden.

    >>> is_partial("statement.xml.filepart"), is_partial(".statement.xml"), is_partial("statement.xml")
    (True, True, False)
    """
    return name.startswith((".", "~")) or name.lower().endswith(PARTIAL)


def is_usable(name):
    """Whether the name is that of a file directly in the place."""
    return bool(name) and len(name) <= LONGEST_NAME and "/" not in name and name.isprintable() and not is_partial(name)


def checked(entries):
    """:return: list of the usable ones, oldest first; of two with the same name the last one
    :raise PlaceError: for too many
    """
    found = {}
    for number, entry in enumerate(entries):
        if number >= MAX_FILES:
            raise PlaceError("too_many", str(MAX_FILES))
        if entry and is_usable(entry.name):
            found[entry.name] = entry
    return sorted(found.values(), key=lambda entry: (entry.modified, entry.name))
