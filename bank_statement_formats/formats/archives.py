"""Files in zip and gzip archives. Names in archives are never used to write files.

Archives are not trusted: each limit of :class:`~.statement.Limits` is checked on the unpacked data, never on the
archive's own metadata.
"""

import gzip
import io
import stat
import struct
import tempfile
import zipfile
import zlib

from odoo.addons.bank_sync_common.tools.words import _lt

from .errors import FormatError, TooLarge
from .statement import Limits

CHUNK = 64 * 1024
#: Below this size the compression ratio is not checked, because small files may be packed well.
ALWAYS = 1024 * 1024
#: Maximum nesting of archives: one in another one.
DEPTH = 2
ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
EMPTY_ZIP = b"PK\x05\x06"
#: Kinds that are recognised only to say what to do.
OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
}
#: Signatures of a zip's end record, and of the one that precedes it in very large archives.
END, END64 = b"PK\x05\x06", b"PK\x06\x07"
END_BYTES, COMMENT_BYTES, LOCATOR_BYTES = 22, 65_535, 20
#: Maximum bytes of the directory for each member: 46, its name, and extra fields.
ENTRY_BYTES = 512
#: Member that identifies a zip as a workbook, which is read as one file.
WORKBOOK = "[Content_Types].xml"


def open_all(stream, filename="", limits=None):
    """Every file of an archive, or the file itself if it is not an archive.

    A stream is valid until the next one is requested.

    :param stream: binary file object that can seek
    :param str filename: may be empty or wrong
    :param Limits limits:
    :return: iterator of (name, binary file object that can seek)
    :raise FormatError: for damaged, encrypted or unusual archives
    :raise TooLarge: for archive bombs
    """
    budget = _Budget(limits or Limits())
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > budget.limits.file_bytes:
        raise TooLarge(
            _lt(
                "%(name)s is larger than %(size)s MB. Ask the bank for shorter periods.",
                name=filename or _lt("The file"),
                size=budget.limits.file_bytes // 1024**2,
            )
        )
    yield from _open(stream, filename, budget, 0)


class _Budget:
    """Limits for all members of one archive together."""

    def __init__(self, limits):
        self.limits = limits
        self.members = self.unpacked = 0

    def take_member(self):
        self.members += 1
        if self.members > self.limits.members:
            raise TooLarge(_lt("The archive holds more than %(count)s files.", count=self.limits.members))

    def unpack(self, source, packed, name):
        """
        :param source: file object of the unpacked bytes
        :param int packed: size of the packed bytes
        :return: temporary file, positioned at its beginning
        """
        # Why no context manager: the reader of the member closes it.
        target = tempfile.SpooledTemporaryFile(max_size=ALWAYS)  # noqa: SIM115
        written = 0
        allowed = max(ALWAYS, packed * self.limits.ratio)
        while chunk := source.read(CHUNK):
            written += len(chunk)
            self.unpacked += len(chunk)
            if written > allowed or written > self.limits.file_bytes or self.unpacked > self.limits.unpacked_bytes:
                target.close()
                raise TooLarge(
                    _lt(
                        "The archive becomes unusually large when it is unpacked, so it was not read. Ask the bank "
                        "for shorter periods, or unpack it yourself."
                    ),
                    name or None,
                )
            target.write(chunk)
        target.seek(0)
        return target


def _open(stream, name, budget, depth):
    head = stream.read(8)
    stream.seek(0)
    for magic, kind in OTHERS.items():
        if head.startswith(magic):
            raise FormatError(
                _lt("%(kind)s archives can't be read here. Unpack it, or use zip.", kind=kind), name or None
            )
    if head.startswith((ZIP, EMPTY_ZIP)):
        archive = _zip(stream, name, budget.limits)
        if archive is None:
            yield name, stream
            return
        members = _zip_members(archive, budget)
    elif head.startswith(GZIP):
        members = _gzip_member(stream, name, budget)
    else:
        yield name, stream
        return
    if depth == DEPTH:
        raise TooLarge(_lt("The archive holds archives that hold archives."), name or None)
    for inner, unpacked in members:
        with unpacked:
            yield from _open(unpacked, inner, budget, depth + 1)


# -------------------------------------------------------------------------
# ZIP
# -------------------------------------------------------------------------


def _zip(stream, name, limits):
    """:return: the archive, None for a workbook"""
    _check_directory(stream, name, limits)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, struct.error, OverflowError, NotImplementedError, OSError):
        raise _damaged(name) from None
    if WORKBOOK in archive.namelist():
        stream.seek(0)
        return None
    return archive


def _check_directory(stream, name, limits):
    """Why own code: zipfile reads the whole directory into memory, and a few megabytes may have a million members."""
    size = stream.seek(0, io.SEEK_END)
    start = max(0, size - END_BYTES - COMMENT_BYTES - LOCATOR_BYTES)
    stream.seek(start)
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < END_BYTES:
        raise _damaged(name)
    count, directory = struct.unpack("<H", tail[at + 10 : at + 12])[0], struct.unpack("<I", tail[at + 12 : at + 16])[0]
    is_large = tail[max(0, at - LOCATOR_BYTES) : at].startswith(END64)
    if is_large or count > limits.members or directory > limits.members * ENTRY_BYTES:
        raise TooLarge(_lt("The archive holds more than %(count)s files.", count=limits.members), name or None)


def _zip_members(archive, budget):
    for info in archive.infolist():
        if info.is_dir() or _is_clutter(info.filename):
            continue
        budget.take_member()
        _check_member(info)
        try:
            with archive.open(info) as source:
                unpacked = budget.unpack(source, info.compress_size, info.filename)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError):
            raise _damaged(info.filename) from None
        yield info.filename, unpacked


def _is_clutter(name):
    """Whether it is a file that macOS or a file manager has added."""
    parts = name.replace("\\", "/").split("/")
    return (
        parts[0] == "__MACOSX"
        or (parts[-1].startswith(".") and ".." not in parts)
        or parts[-1].lower() in ("thumbs.db", "desktop.ini")
    )


def _check_member(info):
    name = info.filename
    if info.flag_bits & 1:
        raise FormatError(_lt("The archive is encrypted. Unpack it with its password first."), _shown(name))
    mode = info.external_attr >> 16
    is_file = not mode or stat.S_ISREG(mode) or not stat.S_IFMT(mode)
    parts = name.replace("\\", "/").split("/")
    if not is_file or ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0] or not name.isprintable():
        raise FormatError(
            _lt("The archive holds something that is not an ordinary file, so nothing of it was read."), _shown(name)
        )


# -------------------------------------------------------------------------
# GZIP
# -------------------------------------------------------------------------


def _gzip_member(stream, name, budget):
    budget.take_member()
    packed = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    inner = name[:-3] if name.lower().endswith(".gz") else name
    try:
        with gzip.GzipFile(fileobj=stream, mode="rb") as source:
            unpacked = budget.unpack(source, packed, inner)
    except (gzip.BadGzipFile, zlib.error, EOFError, OSError, struct.error):
        raise _damaged(name) from None
    yield inner, unpacked


def _damaged(name):
    return FormatError(_lt("The archive is damaged or incomplete. Fetch it from the bank again."), _shown(name))


def _shown(name):
    """A name for messages, short and on one line."""
    return "".join(letter if letter.isprintable() else "�" for letter in name)[:200] or None
