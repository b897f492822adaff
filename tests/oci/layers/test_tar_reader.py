# SPDX-License-Identifier: Apache-2.0
"""Parsing archives."""

from __future__ import annotations

import contextlib
import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import ContentError, TooLarge, UnsupportedContent
from okd_payload.oci.layers.bounds import Bounds
from okd_payload.oci.layers.entry import EntryKind
from okd_payload.oci.layers.tar_reader import TarReader

FORMS = [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]
NAME = st.text(alphabet="abé.-_", min_size=1, max_size=30)
PATH = st.lists(NAME, min_size=1, max_size=9).map("/".join)
SPECIAL = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]


@st.composite
def members(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    """A member of an archive and its content."""
    info = tarfile.TarInfo(draw(PATH))
    info.mode = draw(st.integers(0, 0o7777))
    info.uid = draw(st.integers(0, 2**40))
    info.gid = draw(st.integers(0, 2**21))
    info.uname, info.gname = draw(st.sampled_from([("", ""), ("root", "wheel"), ("ü" * 40, "g")]))
    info.mtime = draw(st.integers(-(2**33), 2**40) | st.just(1.5))
    info.type = draw(st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, *SPECIAL]))
    if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = draw(PATH)
    if info.type in (tarfile.CHRTYPE, tarfile.BLKTYPE):
        info.devmajor, info.devminor = draw(st.tuples(st.integers(0, 300), st.integers(0, 300)))
    content = draw(st.binary(max_size=1200)) if info.type == tarfile.REGTYPE else b""
    info.size = len(content)
    return info, content


def build(items: list[tuple[tarfile.TarInfo, bytes]], form: int) -> bytes:
    """An archive of ``items``."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for info, content in items:
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def block(name: str, *, kind: bytes = b"0", size: int = 0, **fields: Any) -> bytes:
    """One raw header."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.GNU_FORMAT)


def pax(data: bytes, *, kind: bytes = b"x") -> bytes:
    """A raw extended header with ``data``."""
    return block("pax", kind=kind, size=len(data)) + data + bytes(-len(data) % 512)


def record(text: str) -> bytes:
    """One PAX record."""
    size = next(n for n in range(1, 10_000) if n == len(f"{n} {text}\n".encode()))
    return f"{size} {text}\n".encode()


@given(
    st.lists(members(), max_size=5),
    st.sampled_from(FORMS[1:]),
    st.lists(st.integers(1, 3000), max_size=6),
)
def test_entries_agree_with_tarfile(
    seen_in: Callable[..., Any],
    items: list[tuple[tarfile.TarInfo, bytes]],
    form: int,
    sizes: list[int],
) -> None:
    """We see what Python's tarfile sees, in chunks of any size."""
    content = build(items, form)
    seen = seen_in(content, sizes)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        expected = archive.getmembers()
    assert seen.contents == [item[1] for item in items]
    for entry, info in zip(seen.entries, expected, strict=True):
        assert (entry.name.rstrip("/"), entry.link) == (info.name, info.linkname)
        assert (entry.mode, entry.uid, entry.gid) == (info.mode, info.uid, info.gid)
        assert (entry.uname, entry.gname) == (info.uname, info.gname)
        assert (entry.size, entry.mtime_ns / 1_000_000_000) == (info.size, info.mtime)
        assert entry.kind.value == info.type
        assert entry.device == (info.devmajor, info.devminor)
        if info.isreg():
            assert content[entry.position :][: entry.size] == seen.contents[expected.index(info)]


def test_long_names_are_joined_from_their_prefix(seen_in: Callable[..., Any]) -> None:
    """A POSIX header may hold a name in two parts."""
    info = tarfile.TarInfo("/".join(["folder" * 4] * 8) + "/name")
    seen = seen_in(build([(info, b"")], tarfile.USTAR_FORMAT))
    assert seen.entries[0].name == info.name


def test_extended_attributes_and_fractions_of_seconds_are_kept(
    seen_in: Callable[..., Any],
) -> None:
    """PAX records for attributes and exact times are read to the byte."""
    data = b"30 SCHILY.xattr.security.a=\x00\xff\n" + record("mtime=-1.25")
    entry = seen_in(pax(data) + block("a")).entries[0]
    assert entry.xattrs == {"security.a": b"\x00\xff"}
    assert entry.mtime_ns == -1_250_000_000
    assert (entry.mtime, entry.rounded_mtime) == (-2, -1)


def test_global_records_hold_until_they_are_changed(seen_in: Callable[..., Any]) -> None:
    """Global records apply to all that follows; local and empty ones override them."""
    content = b"".join(
        [
            pax(record("uname=all") + record("comment=x"), kind=b"g"),
            block("a"),
            pax(record("uname=one")),
            block("b"),
            pax(record("uname=")),
            block("c", uname="own"),
            pax(record("uname="), kind=b"g"),
            block("d", uname="own"),
        ]
    )
    assert [entry.uname for entry in seen_in(content).entries] == ["all", "one", "own", "own"]


def test_a_pax_size_is_the_size_of_the_body(seen_in: Callable[..., Any]) -> None:
    """The size record wins over the header."""
    content = pax(record("size=3")) + block("a") + b"abc".ljust(512, b"\0") + block("b")
    seen = seen_in(content)
    assert [entry.name for entry in seen.entries] == ["a", "b"]
    assert seen.contents == [b"abc", b""]


def test_links_and_folders_have_no_body(seen_in: Callable[..., Any]) -> None:
    """A size in the header of something without content means nothing."""
    content = block("a", kind=b"5", size=1000) + block("b", kind=b"2", size=1000, linkname="x")
    assert [entry.size for entry in seen_in(content).entries] == [0, 0]


def test_old_folders_are_told_by_their_slash(seen_in: Callable[..., Any]) -> None:
    """In V7 archives a folder is a file whose name ends in a slash."""
    entries = seen_in(block("a/", kind=b"\0") + block("b", kind=b"7")).entries
    assert [entry.kind for entry in entries] == [EntryKind.DIRECTORY, EntryKind.FILE]


def test_headers_of_old_tools_end_with_the_link(seen_in: Callable[..., Any]) -> None:
    """A V7 header has neither user names nor devices, whatever stands in their place."""
    raw = bytearray(block("a", uname="x"))
    raw[257:265] = bytes(8)
    raw[329:345] = b"z" * 16
    raw[148:156] = b"%06o\0 " % (sum(raw[:148]) + 256 + sum(raw[156:]))
    entry = seen_in(bytes(raw)).entries[0]
    assert (entry.uname, entry.device) == ("", (0, 0))


def test_empty_extended_headers_say_nothing(seen_in: Callable[..., Any]) -> None:
    """An extended header without data changes nothing and asks for nothing."""
    assert [entry.name for entry in seen_in(pax(b"") + block("a") + pax(b"")).entries] == ["a"]


def test_names_need_not_be_utf8(seen_in: Callable[..., Any]) -> None:
    """Foreign bytes in names survive."""
    raw = bytearray(block("a"))
    raw[:3] = b"a\xffb"
    raw[148:156] = b"%06o\0 " % (sum(raw[:148]) + 256 + sum(raw[156:]))
    name = seen_in(bytes(raw)).entries[0].name
    assert name.encode(errors="surrogateescape") == b"a\xffb"


def test_signed_checksums_of_old_tools_are_accepted(seen_in: Callable[..., Any]) -> None:
    """Some tools add bytes up as signed numbers."""
    raw = bytearray(block("a"))
    raw[:3] = b"a\xffb"
    signed = sum(memoryview(bytes(raw)).cast("b")[:148]) + 256 + sum(raw[156:])
    raw[148:156] = b"%06o\0 " % signed
    assert len(seen_in(bytes(raw)).entries) == 1


def test_an_archive_may_lack_its_end(seen_in: Callable[..., Any]) -> None:
    """No zero block or one is as good as two, and nothing behind two counts."""
    for end in (b"", bytes(512), bytes(1024), bytes(1024) + b"anything"):
        assert len(seen_in(block("a") + end).entries) == 1


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"x", ContentError, "cut short"),
        (block("a", size=5), ContentError, "cut short"),
        (block("a", size=5) + b"abcde", ContentError, "cut short"),
        (pax(record("path=x")), ContentError, "cut short"),
        (bytes(512) + block("a"), ContentError, "after a zero block"),
        (b"x" * 512, ContentError, "malformed number"),
        (block("a")[:156] + b"1" + block("a")[157:], ContentError, "checksum"),
        (block("a", kind=b"S"), UnsupportedContent, "a sparse file"),
        (pax(record("GNU.sparse.major=1")) + block("a"), UnsupportedContent, "a sparse file"),
        (block("a", kind=b"M"), UnsupportedContent, "multi-volume"),
        (block("a", kind=b"?"), UnsupportedContent, r"the type b'\?'"),
        (block("a", size=-1), ContentError, "negative size"),
        (block("a", kind=b"x", size=-1), ContentError, "extended header of -1 bytes"),
        (block("a", kind=b"2"), ContentError, "a link no target"),
        (block(""), ContentError, "no name"),
        (pax(b"9 path=x\n"[:-1]), ContentError, "PAX record is malformed"),
        (pax(b"99 path=x\n"), ContentError, "PAX record is malformed"),
        (pax(b"path=x\n"), ContentError, "PAX record is malformed"),
        (pax(b"7 path\n"), ContentError, "PAX record is malformed"),
        (pax(b"0 a=b\n"), ContentError, "PAX record is malformed"),
        (pax(record("size=x")) + block("a"), ContentError, "size is no number"),
        (pax(record("size=" + "9" * 19)) + block("a"), ContentError, "size is 999"),
        (pax(record("mtime=now")) + block("a"), ContentError, "mtime is no time"),
        (pax(record("path=a\0b")) + block("a"), ContentError, "contains a NUL"),
        (block("x", kind=b"L", size=5000) + b"n" * 5120 + block("a"), TooLarge, "5000 bytes"),
    ],
)
def test_damaged_archives_are_refused(
    seen_in: Callable[..., Any], content: bytes, error: type[Exception], message: str
) -> None:
    """Truncation, damage and rarities each have their message."""
    with pytest.raises(error, match=message):
        seen_in(content)


@pytest.mark.parametrize(
    ("content", "bounds"),
    [
        (block("a") * 4, Bounds(entries=3)),
        (pax(record("path=x")), Bounds(header_bytes=8)),
        (pax(record("uname=12345"), kind=b"g"), Bounds(header_bytes=9)),
        (pax(record("uname=1")) + pax(record("gname=1")) + block("a"), Bounds(header_bytes=11)),
        (block("abcd"), Bounds(name_bytes=3)),
    ],
)
def test_bounds_are_kept(seen_in: Callable[..., Any], content: bytes, bounds: Bounds) -> None:
    """Counts and lengths end at their bound."""
    reader = TarReader(seen_in(b""), bounds=bounds)
    with pytest.raises(TooLarge):
        reader.feed(content)


@given(st.lists(members(), min_size=1, max_size=3), st.data())
def test_changed_archives_are_read_or_refused(
    seen_in: Callable[..., Any], items: list[tuple[tarfile.TarInfo, bytes]], data: st.DataObject
) -> None:
    """An archive with a few bytes changed gives entries or ContentError, nothing else."""
    content = bytearray(build(items, data.draw(st.sampled_from(FORMS[1:]))))
    for _ in range(3):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ContentError):
        seen_in(bytes(content), data.draw(st.lists(st.integers(1, 700), max_size=3)))


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(seen_in: Callable[..., Any], content: bytes) -> None:
    """Foreign bytes give entries or ContentError, nothing else."""
    with contextlib.suppress(ContentError):
        seen_in(content)


@pytest.mark.integration
@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_archives_of_the_real_tool_are_read(
    seen_in: Callable[..., Any], tmp_path: Path, form: str
) -> None:
    """GNU tar's formats with long names and links are read alike."""
    folder = tmp_path / "in" / ("d" * 90)
    folder.mkdir(parents=True)
    (folder / ("f" * 90)).write_text("content")
    (folder / "link").symlink_to("t" * 120)
    output = subprocess.run(
        ["tar", f"--format={form}", "-C", tmp_path / "in", "-c", "."],
        check=True,
        capture_output=True,
    ).stdout
    seen = seen_in(output)
    found = {entry.path: entry.link for entry in seen.entries}
    name = "d" * 90
    assert found == {"": "", name: "", f"{name}/link": "t" * 120, f"{name}/{'f' * 90}": ""}
    assert b"content" in seen.contents
