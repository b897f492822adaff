# SPDX-License-Identifier: Apache-2.0
"""Archives are what other programs read, and the same on every run."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import TooLarge
from okd_payload.release.extract import zip_writer
from okd_payload.release.extract.packing import HashingFile, Program, make_packer
from okd_payload.release.extract.zip_writer import ZipWriter

_CONTENT = bytes(range(256)) * 3000 + b"end"
_MTIME = 1_767_000_001


def pack(path, chunks, *, links=("kubectl",)):
    """Pack a program and give the hash that the packer told."""
    size = sum(map(len, chunks))
    out = HashingFile(path)
    program = Program(
        name="oc", size=size, mtime_ns=_MTIME * 10**9 + 5, readme="# oc\nread\n", links=links
    )
    packer = make_packer(path.name, out, program)
    for chunk in chunks:
        packer.write(chunk)
    packer.finish()
    out.close()
    return out.sha256


def test_a_tar_archive_is_laid_out_as_that_of_oc(tmp_path):
    """The page, the program, and a hard link, all with the time of the program."""
    pack(tmp_path / "a.tar.gz", [_CONTENT])
    with tarfile.open(tmp_path / "a.tar.gz") as archive:
        members = archive.getmembers()
        assert archive.extractfile("oc").read() == _CONTENT
        assert archive.extractfile("README.md").read() == b"# oc\nread\n"
    shown = [(item.name, item.mode, item.type, item.linkname) for item in members]
    assert shown == [
        ("README.md", 0o644, tarfile.REGTYPE, ""),
        ("oc", 0o755, tarfile.REGTYPE, ""),
        ("kubectl", 0o755, tarfile.LNKTYPE, "oc"),
    ]
    assert {(item.mtime, item.uid, item.uname) for item in members} == {(_MTIME, 0, "")}


def test_a_zip_archive_is_laid_out_as_that_of_oc(tmp_path):
    """The page with the line ends of Windows, and the program; both may be run."""
    pack(tmp_path / "a.zip", [_CONTENT])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert archive.read("oc") == _CONTENT
        assert archive.read("README.md") == b"# oc\r\nread\r\n"
        members = archive.infolist()
    assert {oct(item.external_attr >> 16) for item in members} == {"0o100755"}
    assert {item.date_time for item in members} == {(2025, 12, 29, 9, 20, 0)}


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip", "oc"])
def test_two_runs_give_the_same_file(tmp_path, name):
    """Content decides, not how it is cut; the hash told is that of the file."""
    (tmp_path / "again").mkdir()
    cut = [_CONTENT[start : start + 9973] for start in range(0, len(_CONTENT), 9973)]
    told = pack(tmp_path / name, [_CONTENT])
    assert pack(tmp_path / "again" / name, cut) == told
    content = (tmp_path / name).read_bytes()
    assert content == (tmp_path / "again" / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == told


def test_a_program_may_be_left_as_it_is(tmp_path):
    """A name without the ending of an archive is the program itself."""
    pack(tmp_path / "oc", [_CONTENT])
    assert (tmp_path / "oc").read_bytes() == _CONTENT


@given(
    st.dictionaries(st.text("abc/", min_size=1, max_size=8), st.binary(max_size=300), max_size=5),
    st.integers(-(2**40), 2**40),
)
def test_any_zip_archive_can_be_read(files, seconds):
    """Python's own module reads names, content and sums of whatever is written."""
    out = io.BytesIO()
    writer = ZipWriter(out.write, mtime_ns=seconds * 10**9, mode=0o755)
    for name, content in files.items():
        writer.begin(name)
        writer.write(content)
    writer.finish()
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_a_file_that_zip_cannot_hold_is_refused(monkeypatch):
    """Sizes have 32 bits in this format; nothing is written that would be misread."""
    monkeypatch.setattr(zip_writer, "_MAX_BYTES", 100)
    writer = ZipWriter(len, mtime_ns=0, mode=0o755)
    writer.begin("oc")
    writer.write(bytes(101))
    with pytest.raises(TooLarge, match="oc is too large"):
        writer.finish()
