# SPDX-License-Identifier: Apache-2.0
"""Whatever a run leaves in its folder, it has ended: it is listed as far as it can be, or not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from okd_payload.controller.model import RunState
from okd_payload.controller.verification import endings, run_files
from okd_payload.controller.verification.endings import judge_exit
from okd_payload.controller.verification.junit import CaseOutcome, TestCase, write_junit
from okd_payload.controller.verification.run_files import list_artifacts, tell_outcome
from okd_payload.scratch import remove_tree

FAILED = write_junit("suite", [TestCase(name="it breaks", outcome=CaseOutcome.FAILED)])
DEEPER = "import os\nfor _ in range(1500): os.mkdir('a'); os.chdir('a'); open('f.xml', 'w').close()"


def make_deep(folder: Path) -> None:
    """Folders in folders, deeper than any path."""
    subprocess.run([sys.executable, "-c", DEEPER], cwd=folder, check=True)


def make_long(folder: Path) -> None:
    """A file whose path is longer than a path may be, though each name is not."""
    script = "import os\nfor _ in range(20): os.mkdir('b' * 200); os.chdir('b' * 200)\n"
    script += "open('c' * 250, 'w').close()"
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)


def make_bytes(folder: Path) -> None:
    """A folder whose name is no text."""
    inner = os.fsencode(folder) + b"/\xff"
    os.mkdir(inner)  # noqa: PTH102 - a path of bytes
    (Path(os.fsdecode(inner)) / "junit.xml").write_bytes(FAILED)


def make_controls(folder: Path) -> None:
    """A folder that a terminal would act on."""
    (folder / "a\x1b[31m\nb").mkdir()
    (folder / "a\x1b[31m\nb" / "junit.xml").write_bytes(FAILED)


def make_pipe(folder: Path) -> None:
    """What nobody ever writes to."""
    os.mkfifo(folder / "junit.xml")


def make_links(folder: Path) -> None:
    """Links out of the folder, to a file and to a folder."""
    outside = folder.parent.parent / "outside"
    outside.mkdir()
    (outside / "junit.xml").write_bytes(FAILED)
    (folder / "junit.xml").symlink_to(outside / "junit.xml")
    (folder / "more").symlink_to(outside)


def make_encoding(folder: Path) -> None:
    """Results in an encoding that there is not."""
    (folder / "junit.xml").write_bytes(b'<?xml version="1.0" encoding="none"?><testsuite/>')


def make_laughs(folder: Path) -> None:
    """Results that would grow to gigabytes."""
    entities = "".join(
        f'<!ENTITY l{number} "{f"&l{number - 1};" * 10 if number else "lol"}">'
        for number in range(10)
    )
    text = f'<!DOCTYPE x [{entities}]><testsuite><testcase name="&l9;"/></testsuite>'
    (folder / "junit.xml").write_text(text)


def make_rubbish(folder: Path) -> None:
    """Bytes that are no results, and results in the middle of which the disk was full."""
    (folder / "a.xml").write_bytes(os.urandom(4096))
    (folder / "b.xml").write_bytes(FAILED[: len(FAILED) // 2])


HOSTILE: list[Callable[[Path], None]] = [
    make_deep,
    make_long,
    make_bytes,
    make_controls,
    make_pipe,
    make_links,
    make_encoding,
    make_laughs,
    make_rubbish,
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of a run, which is gone afterwards: pytest itself cannot remove all of these."""
    folder = tmp_path / "run"
    (folder / "artifacts").mkdir(parents=True)
    yield folder
    remove_tree(folder)


@pytest.mark.parametrize("make", HOSTILE)
def test_a_program_ends_whatever_it_leaves(folder: Path, make: Callable[[Path], None]) -> None:
    """Its exit code is the verdict, the good files are there, and all names can be stored."""
    (folder / "artifacts/good.txt").write_text("good")
    (folder / "log").write_text("the last line\n")
    make(folder / "artifacts")
    outcome = judge_exit(folder, 3)
    assert (outcome.state, outcome.message) == (RunState.FAILED, "exit code 3: the last line")
    told = tell_outcome(folder, outcome)
    assert "artifacts/good.txt" in told.artifacts
    assert msgspec.json.decode(msgspec.json.encode(told.artifacts)) == list(told.artifacts)
    assert all(len(name) <= 512 and name.isprintable() for name in told.artifacts)
    remove_tree(folder)
    assert not folder.exists()


def test_a_folder_or_log_that_was_replaced_shows_nothing(tmp_path: Path) -> None:
    """A link in the place of all artifacts leads to files of others; a pipe is waited for."""
    (tmp_path / "others").mkdir()
    (tmp_path / "others/secret").write_text("secret")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "artifacts").symlink_to(tmp_path / "others")
    os.mkfifo(folder / "log")
    outcome = judge_exit(folder, 1)
    assert (outcome.state, outcome.message) == (RunState.FAILED, "exit code 1")
    assert tell_outcome(folder, outcome).artifacts == ()
    assert tell_outcome(folder, outcome).log == ""


def test_of_many_files_only_so_many_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program may leave millions; nor are all results read to name a failure."""
    monkeypatch.setattr(run_files, "_MOST_LOOKED_AT", 30)
    for number in range(10):
        (tmp_path / f"artifacts/{number}").mkdir(parents=True)
        for name in "abcdefghij":
            (tmp_path / f"artifacts/{number}/{name}.xml").write_bytes(FAILED)
    assert 0 < len(list_artifacts(tmp_path)) <= 30
    monkeypatch.setattr(endings, "_MOST_RESULTS", 3 * len(FAILED))
    message = judge_exit(tmp_path, 1).message
    assert message.count("it breaks") == 3
