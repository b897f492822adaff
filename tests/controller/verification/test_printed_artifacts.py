# SPDX-License-Identifier: Apache-2.0
"""Files come through logs: whole, bounded, and from nobody who means ill."""

from __future__ import annotations

import base64
import gzip
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.controller.verification import printed_artifacts
from okd_payload.controller.verification.printed_artifacts import (
    BEGIN,
    END,
    MAX_PRINTED,
    PRINT_SCRIPT,
    take_artifacts,
)
from okd_payload.controller.verification.run_files import MAX_ARTIFACTS, list_artifacts

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A packed archive."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as made:
        for entry, body in entries:
            entry.size = len(body)
            made.addfile(entry, io.BytesIO(body))
    return content.getvalue()


def file(name: str, body: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    """A plain file of an archive."""
    return tarfile.TarInfo(name), body


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    """A link of an archive."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry, b""


def block(content: bytes) -> bytes:
    """``content`` as it is printed."""
    return b"%b\n%b%b\n" % (BEGIN.encode(), base64.encodebytes(content), END.encode())


def printed(shell: str, folder: Path, **variables: str) -> bytes:
    """What the script prints of ``folder``."""
    command = ("busybox", "sh") if shell == "busybox" else (shell,)
    variables = {"PATH": os.environ["PATH"], "ARTIFACT_DIR": str(folder), **variables}
    ended = subprocess.run(
        (*command, "-c", PRINT_SCRIPT), env=variables, check=False, capture_output=True
    )
    return ended.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_job_leaves_arrives_whole(shell: str, tmp_path: Path) -> None:
    """With any bytes, in folders, with spaces in names; the log keeps a line about it."""
    left = tmp_path / "left"
    (left / "deep/er").mkdir(parents=True)
    content = {"junit.xml": b"<testsuite/>", "deep/er/a b": bytes(range(256)) * 999}
    for name, body in content.items():
        (left / name).write_bytes(body)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    log = b"tests ran\n" + printed(shell, left, TMPDIR=str(scratch)) + b"the end\n"
    kept = take_artifacts(log, tmp_path / "run")
    assert kept == b"tests ran\n\n[artifacts kept: 2]\nthe end\n"
    assert list_artifacts(tmp_path / "run") == ("artifacts/deep/er/a b", "artifacts/junit.xml")
    for name, body in content.items():
        assert (tmp_path / "run/artifacts" / name).read_bytes() == body


@pytest.mark.parametrize("shell", SHELLS)
def test_of_too_much_the_results_of_tests_are_kept(shell: str, tmp_path: Path) -> None:
    """And of too many results nothing; an empty folder prints nothing."""
    left, scratch = tmp_path / "left", tmp_path / "tmp"
    left.mkdir()
    scratch.mkdir()
    assert printed(shell, left, TMPDIR=str(scratch)) == b""
    (left / "core").write_bytes(os.urandom(MAX_PRINTED + 9999))
    (left / "junit.xml").write_bytes(b"<testsuite/>")
    log = take_artifacts(printed(shell, left, TMPDIR=str(scratch)), tmp_path / "run")
    assert log.startswith(b"[artifacts are too many: only results of tests are kept]\n")
    assert list_artifacts(tmp_path / "run") == ("artifacts/junit.xml",)
    (left / "more.xml").write_bytes(os.urandom(MAX_PRINTED + 9999))
    assert printed(shell, left, TMPDIR=str(scratch)).endswith(b"[artifacts cannot be kept]\n")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (archive(file("good"), file("../../evil")), b"leads out of the image"),
        (gzip.compress(b"no archive at all, but long enough to be one" * 99), b"refused"),
        (gzip.compress(bytes(200 * 1024 * 1024), 9), b"refused"),
        (archive(file("good"))[:-20], b"refused"),
        (archive(file("a" * 600)), b"refused"),
    ],
    ids=["climbs", "no archive", "bomb", "cut short", "long name"],
)
def test_a_hostile_archive_is_refused_as_a_whole(
    content: bytes, told: bytes, tmp_path: Path
) -> None:
    """Names that lead elsewhere, bombs, and what is damaged; the log stays."""
    log = take_artifacts(b"before\n" + block(content) + b"after\n", tmp_path / "run")
    assert log.startswith(b"before\n[artifacts are refused: ")
    assert told in log
    assert log.endswith(b"]\nafter\n")
    assert list_artifacts(tmp_path / "run") == ()
    assert sorted(tmp_path.iterdir()) == [tmp_path / "run"]


def test_only_plain_files_are_taken_and_only_so_many(tmp_path: Path) -> None:
    """Links and devices are left out, and what was there before is replaced, not followed."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "run/artifacts"
    folder.mkdir(parents=True)
    (folder / "there").symlink_to(victim)
    content = archive(
        link("out", str(tmp_path)),
        link("hard", "/etc/passwd", tarfile.LNKTYPE),
        link("pipe", "", tarfile.FIFOTYPE),
        file("there", b"theirs"),
        file("out/evil"),
        file("red\x1b[31m"),
    )
    assert take_artifacts(block(content), tmp_path / "run") == b"[artifacts kept: 2]\n"
    assert victim.read_text() == "mine"
    assert (folder / "there").read_text() == "theirs"
    assert not (tmp_path / "evil").exists()
    many = archive(*(file(f"f{number}") for number in range(MAX_ARTIFACTS + 7)))
    told = take_artifacts(block(many), tmp_path / "other")
    assert told == b"[artifacts kept: %d, left out: 7]\n" % MAX_ARTIFACTS


def test_names_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """It is no fault of the disk, for which a run would be followed until its time is over."""
    told = take_artifacts(block(archive(file("a/b"), file("a"))), tmp_path / "folder")
    assert told == b"[artifacts are refused: a file has the name of a folder]\n"
    told = take_artifacts(block(archive(file("a"), file("a/b"))), tmp_path / "file")
    assert told.startswith(b"[artifacts are refused: ")
    assert take_artifacts(block(archive(file("."))), tmp_path / "dot") == b"[artifacts kept: 0]\n"


def test_many_blocks_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In files and in bytes: each fits, and all of them would fill the disk."""
    many = archive(*(file(f"f{number}") for number in range(MAX_ARTIFACTS - 1)))
    more = archive(*(file(f"g{number}") for number in range(3)))
    log = take_artifacts(block(many) + block(more) + block(more), tmp_path / "files")
    assert log.splitlines() == [
        b"[artifacts kept: %d]" % (MAX_ARTIFACTS - 1),
        b"[artifacts kept: 1, left out: 2]",
        b"[artifacts are refused: there are as many as are kept of one run]",
    ]
    monkeypatch.setattr(printed_artifacts, "_MOST_KEPT", 30_000)
    large = [block(archive(file(f"f{number}", bytes(18_000)))) for number in range(2)]
    log = take_artifacts(b"".join(large), tmp_path / "bytes")
    assert log.startswith(b"[artifacts kept: 1]\n[artifacts are refused: ")


def test_a_log_full_of_beginnings_is_read_at_once(tmp_path: Path) -> None:
    """Its time grows with its length: sixteen times as much takes no hundred times as long."""

    def seconds(lines: int) -> float:
        log = f"{BEGIN}\n".encode() * lines
        began = time.process_time()
        assert take_artifacts(log, tmp_path) == log
        return time.process_time() - began

    assert seconds(32_000) < 100 * max(seconds(2_000), 0.001)


def test_several_blocks_and_none(tmp_path: Path) -> None:
    """As steps of a pipeline print them; what only looks like a block is a part of the log."""
    log = block(archive(file("a"))) + b"between\n" + block(archive(file("b")))
    assert take_artifacts(log, tmp_path) == (b"[artifacts kept: 1]\nbetween\n[artifacts kept: 1]\n")
    assert list_artifacts(tmp_path) == ("artifacts/a", "artifacts/b")
    for plain in (b"", b"a log\n", BEGIN.encode(), f"say {BEGIN}\n{END}\n".encode()):
        assert take_artifacts(plain, tmp_path / "none") == plain
    assert not (tmp_path / "none").exists()


@given(st.binary(max_size=2000))
def test_any_bytes_in_a_block_are_kept_or_refused(content: bytes) -> None:
    """Never an error: a job that prints rubbish keeps no verdict back."""
    with tempfile.TemporaryDirectory() as folder:
        for written in (block(content), b"%b\n%b\n%b\n" % (BEGIN.encode(), content, END.encode())):
            told = take_artifacts(written, Path(folder) / "run")
            assert told.startswith((b"[artifacts", BEGIN.encode()))


def test_the_page_has_the_script() -> None:
    """As it is, to be copied into steps of others."""
    page = Path(__file__).parents[3] / "docs/reference/verification-runners.md"
    assert f"```sh\n{PRINT_SCRIPT}```\n" in page.read_text()
