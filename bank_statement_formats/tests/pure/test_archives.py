"""Archives give their files, and a bomb gives a sentence."""

import contextlib
import gzip
import io
import stat
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_statement_formats.formats import FormatError, Limits, TooLarge
from bank_statement_formats.formats.archives import open_all

KIBI = 1024


def packed(*members, compression=zipfile.ZIP_DEFLATED):
    """:param members: pairs of a name, or ZipInfo, and contents"""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


def names_and_contents(content, name="archive", limits=None):
    return [(inner, stream.read()) for inner, stream in open_all(io.BytesIO(content), name, limits)]


def test_a_file_that_is_not_an_archive_is_returned_unchanged():
    assert names_and_contents(b"hello", "a.txt") == [("a.txt", b"hello")]


def test_each_member_of_a_zip_is_a_file_of_its_own():
    content = packed(
        ("a.xml", "1"), ("folder/b.sta", "2"), ("folder/", ""), ("__MACOSX/a.xml", "x"), (".DS_Store", "x")
    )
    assert names_and_contents(content) == [("a.xml", b"1"), ("folder/b.sta", b"2")]


def test_gzip_loses_its_ending():
    assert names_and_contents(gzip.compress(b"hello"), "may.sta.gz") == [("may.sta", b"hello")]


def test_archives_may_lie_in_an_archive_once():
    inner = packed(("b.sta", "2"))
    once = packed(("inner.zip", inner), ("c.sta.gz", gzip.compress(b"3")))
    assert names_and_contents(once) == [("b.sta", b"2"), ("c.sta", b"3")]
    with pytest.raises(TooLarge):
        names_and_contents(packed(("once.zip", once)))


def test_a_workbook_is_one_file():
    workbook = packed(("[Content_Types].xml", "<a/>"), ("xl/workbook.xml", "<a/>"))
    assert names_and_contents(workbook, "may.xlsx") == [("may.xlsx", workbook)]


def test_a_member_that_unpacks_far_too_large_is_a_bomb():
    with pytest.raises(TooLarge):
        names_and_contents(packed(("zeros.sta", b"\0" * 4 * KIBI**2)))
    with pytest.raises(TooLarge):
        names_and_contents(gzip.compress(b"\0" * 4 * KIBI**2))


def test_all_members_together_have_a_limit():
    content = packed(*((f"{number}.sta", b"a" * 300) for number in range(5)))
    assert len(names_and_contents(content)) == 5
    with pytest.raises(TooLarge):
        names_and_contents(content, limits=Limits(unpacked_bytes=1400))
    with pytest.raises(TooLarge):
        names_and_contents(content, limits=Limits(members=4))
    with pytest.raises(TooLarge):
        names_and_contents(content, limits=Limits(file_bytes=200))


def test_a_directory_of_a_million_members_is_refused_before_it_is_read():
    content = bytearray(packed(("a", "1")))
    at = content.rfind(b"PK\x05\x06")
    content[at + 12 : at + 16] = struct.pack("<I", 512 * 1001)
    with pytest.raises(TooLarge):
        names_and_contents(bytes(content))


@pytest.mark.parametrize("name", ["../a.sta", "/etc/passwd", "C:/a.sta", "..\\a.sta", "a\nb.sta"])
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(FormatError):
        names_and_contents(packed((name, "1")))


def test_a_link_is_refused():
    link = zipfile.ZipInfo("link.sta")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(FormatError):
        names_and_contents(packed((link, "/etc/passwd")))


def test_an_encrypted_member_is_named():
    content = bytearray(packed(("a.sta", "1")))
    content[content.find(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(FormatError) as caught:
        names_and_contents(bytes(content))
    assert "password" in caught.value.sentence and caught.value.place == "a.sta"


@pytest.mark.parametrize("magic", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x00", b"\xfd7zXZ\x00", b"BZh91AY"])
def test_other_archives_say_what_to_do(magic):
    with pytest.raises(FormatError) as caught:
        names_and_contents(magic + b"0" * 20)
    assert "zip" in caught.value.sentence


@pytest.mark.parametrize("cut", [1, 10, 25, 60])
def test_half_an_archive_is_refused(cut):
    whole = packed(("a.sta", "hello" * 20), compression=zipfile.ZIP_STORED)
    for content in (whole[:-cut], gzip.compress(b"hello" * 20)[: -min(cut, 12)]):
        with pytest.raises(FormatError):
            names_and_contents(content)


@given(data=st.data())
def test_any_damage_raises_only_a_format_error(data):
    content = bytearray(packed(("a.sta", "hello"), ("b.zip", packed(("c", "d")))))
    for _damage in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FormatError):
        names_and_contents(bytes(content))
