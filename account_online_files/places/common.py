"""What all places have in common."""

from typing import NamedTuple

#: Files that a place may have; more of them are nobody's statements.
MAX_FILES = 10_000
#: Of a file's name.
LONGEST_NAME = 255
#: Ends of names that programs give to what they are still writing: curl, browsers, FileZilla, WinSCP, rsync, lftp.
PARTIAL = (".part", ".tmp", ".temp", ".filepart", ".partial", ".crdownload", ".lock", ".lftp", ".swp", "~")


class Entry(NamedTuple):
    """One regular file of a place."""

    name: str
    size: int
    #: Seconds since 1970, by the clock of the place.
    modified: int


class PlaceError(Exception):
    """The place can't be read. Who shows it has a sentence for its ``code``.

    ``no_root`` · ``not_below_root`` · ``no_folder`` · ``not_allowed`` · ``too_many`` · ``no_library`` · ``no_answer`` ·
    ``private_address`` · ``other_host_key`` · ``unknown_host_key`` · ``bad_key`` · ``refused`` · ``bad_name`` ·
    ``unreadable_secret``

    :ivar str detail: what the other side has said, or a fingerprint
    """

    def __init__(self, code, detail=""):
        super().__init__(f"{code} {detail}".strip())
        self.code, self.detail = code, detail


class Changed(Exception):
    """The file is not what was listed: somebody writes it, or has put another one in its place."""


def is_partial(name):
    """Whether the name says that the file is not whole yet; hidden files are nobody's statements, either.

    >>> is_partial("statement.xml.filepart"), is_partial(".statement.xml"), is_partial("statement.xml")
    (True, True, False)
    """
    return name.startswith((".", "~")) or name.lower().endswith(PARTIAL)


def is_usable(name):
    """Whether it can be the name of a file of the place itself, and of nothing elsewhere."""
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
