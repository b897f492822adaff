# SPDX-License-Identifier: Apache-2.0
"""Altered sources: real repositories and folders with other files in them, and with patches."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from okd_payload.errors import SourceError
from okd_payload.process import Outcome
from okd_payload.source.alteration import (
    FileChanges,
    NewFile,
    Patch,
    PatchConflict,
    Patches,
)
from okd_payload.source.altering import read_changes
from okd_payload.source.git_objects import Mode
from okd_payload.source.model import FolderSource, GitSource, Source
from okd_payload.source.tree import Sources
from okd_payload.testing.memory_sources import MemoryFile, MemorySourceTree

pytestmark = pytest.mark.integration

LINES = "".join(f"line {number}\n" for number in range(1, 31))
CHANGES = FileChanges(
    message="With another shared library",
    emptied=("vendor/shared",),
    removed=("gone.txt",),
    files=(
        NewFile("vendor/shared/new.go", b"package shared\n"),
        NewFile("run.sh", b"#!/bin/sh\n", Mode.EXECUTABLE),
        NewFile('odd "name\\.txt', b"odd"),
    ),
    time=2_000_000_000,
)


@pytest.fixture(params=["git", "folder", "work tree"])
def source(request: pytest.FixtureRequest, repository, tmp_path: Path) -> Source:
    """The same content as a repository, as a folder and as a work tree."""
    (repository.path / "vendor" / "shared" / "below").mkdir(parents=True)
    (repository.path / "vendor" / "shared" / "old.go").write_text("package shared // old\n")
    (repository.path / "vendor" / "shared" / "below" / "b.go").write_text("package below\n")
    repository.commit(gone_DOT_txt="gone", stays_DOT_txt=LINES)
    if request.param == "git":
        return GitSource(url=repository.url, ref="main")
    if request.param == "work tree":
        return FolderSource(path=str(repository.path))
    plain = tmp_path / "plain"
    shutil.copytree(repository.path, plain, ignore=shutil.ignore_patterns(".git"))
    return FolderSource(path=str(plain))


def listing(folder: Path) -> dict[str, str]:
    """The files below ``folder``."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


def make_patch(repository, message: str, **files: str) -> Patch:
    """What ``git format-patch`` writes about a change that is then taken back."""
    repository.commit(message, **files)
    content = repository.git("format-patch", "-1", "--full-index", "--stdout")
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    return Patch(f"patches/{message}.patch", content.encode() + b"\n")


async def test_files_take_the_place_of_others(source: Source, sources: Sources, tmp_path: Path):
    """An emptied folder keeps what is below it; new files have their mode and content."""
    commit = await sources.resolve(source)
    altered = await sources.alter(source, commit, CHANGES)
    await sources.check_out(source, altered, tmp_path / "out")
    assert set(listing(tmp_path / "out")) == {
        'odd "name\\.txt',
        "run.sh",
        "stays.txt",
        "vendor/shared/below/b.go",
        "vendor/shared/new.go",
    }
    assert (tmp_path / "out" / "run.sh").stat().st_mode & 0o111
    assert await sources.read_file(source, altered, "vendor/shared/new.go") == b"package shared\n"
    assert await sources.read_file(source, altered, "gone.txt") is None
    assert (altered.dirty, altered.time) == (True, 2_000_000_000)
    assert altered.message == "With another shared library"
    assert await sources.read_file(source, commit, "gone.txt") == b"gone"


async def test_altering_again_gives_the_same_commit(
    source: Source, sources: Sources, locations, clock
):
    """The identity is that of the content, so nothing is built again for nothing."""
    commit = await sources.resolve(source)
    first = await sources.alter(source, commit, CHANGES)
    other = Sources(locations, clock=clock)
    assert await other.alter(source, await other.resolve(source), CHANGES) == first


async def test_the_twin_gives_the_tree_that_git_gives(source: Source, sources: Sources):
    """What tests see in memory is what happens to real sources."""
    commit = await sources.resolve(source)
    altered = await sources.alter(source, commit, CHANGES)
    twin = MemorySourceTree()
    files = {
        "gone.txt": "gone",
        "stays.txt": LINES,
        "vendor/shared/old.go": "package shared // old\n",
        "vendor/shared/below/b.go": "package below\n",
    }
    memory = await twin.alter(source, twin.put(source, files), CHANGES)
    assert memory.tree == altered.tree


async def test_patches_are_applied_in_order(source: Source, sources: Sources, repository):
    """The second patch stands on the first one."""
    first = make_patch(repository, "one", stays_DOT_txt=LINES.replace("line 5\n", "FIVE\n"))
    repository.commit("one", stays_DOT_txt=LINES.replace("line 5\n", "FIVE\n"))
    both = LINES.replace("line 5\n", "FIVE\n").replace("line 6\n", "SIX\n")
    second = make_patch(repository, "two", stays_DOT_txt=both, new_DOT_txt="new\n")
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    commit = await sources.resolve(source)
    altered = await sources.alter(source, commit, Patches((first, second)))
    assert await sources.read_file(source, altered, "stays.txt") == both.encode()
    assert await sources.read_file(source, altered, "new.txt") == b"new\n"
    assert altered.message == "With one.patch, two.patch"


@pytest.mark.parametrize(
    ("name", "before", "after", "options"),
    [
        ('f\u00e4 "x"', LINES, LINES.replace("line 5\n", "FIVE\n"), ()),
        ("binary", "\0" + LINES, "\0" + LINES.upper(), ("--binary",)),
        ("a b c", "\0" + LINES, "\0" + LINES.upper(), ("--binary",)),
        ("mode only", LINES, LINES, ()),
        ("a/b", LINES, LINES.replace("line 5\n", "FIVE\n"), ("--src-prefix=i/", "--dst-prefix=w/")),
    ],
)
async def test_a_patch_of_any_form_fits_a_folder_without_history(
    repository, sources: Sources, tmp_path: Path, *, name, before, after, options
):
    """Quoted names, binary content, changes of modes and other prefixes are found there, too."""
    file, plain = repository.path / name, tmp_path / "plain" / name
    for place in (file, plain):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(before)
    repository.commit("Before")
    file.write_text(after)
    file.chmod(0o755)
    repository.commit("After")
    content = repository.git("format-patch", "-1", "--full-index", "--stdout", *options)
    source = FolderSource(path=str(tmp_path / "plain"))
    patches = Patches((Patch("one.patch", content.encode() + b"\n"),))
    altered = await sources.alter(source, await sources.resolve(source), patches)
    await sources.check_out(source, altered, tmp_path / "out")
    assert (tmp_path / "out" / name).read_text() == after
    assert (tmp_path / "out" / name).stat().st_mode & 0o111


class _LargeAnswers:
    """A repository whose answers are larger than what is kept of them."""

    async def attempt(self, *arguments, environment=None, stdin=None) -> Outcome:
        del arguments, environment, stdin
        return Outcome(0, b"the beginning", "", truncated=True)


async def test_what_git_says_is_never_taken_by_half():
    """A patched file that is too large for memory is refused, not cut."""
    with pytest.raises(SourceError, match="more than") as caught:
        await read_changes(_LargeAnswers(), "before", "after", message="Patched")
    assert caught.value.hint


async def test_a_patch_that_does_not_apply_says_which_hunk(
    source: Source, sources: Sources, repository
):
    """File and head of the hunk are named, and what to do."""
    patch = make_patch(repository, "one", stays_DOT_txt=LINES.replace("line 15\n", "XV\n"))
    other = Patch("p/other.patch", patch.content.replace(b"line 14", b"line fourteen"))
    commit = await sources.resolve(source)
    with pytest.raises(PatchConflict) as caught:
        await sources.alter(source, commit, Patches((other,)))
    assert caught.value.message == (
        "other.patch does not apply: stays.txt, hunk @@ -12,7 +12,7 @@ line 11"
    )
    assert "make the patch anew" in caught.value.hint


async def test_a_patch_that_is_in_the_source_already_changes_nothing(
    source: Source, sources: Sources, repository
):
    """After a merge upstream builds go on, as with ``git am``."""
    once = make_patch(repository, "one", added_DOT_txt="added\n", stays_DOT_txt="other\n")
    commit = await sources.resolve(source)
    altered = await sources.alter(source, commit, Patches((once,)))
    again = await sources.alter(source, altered, Patches((once,)))
    assert again.tree == altered.tree != commit.tree


async def test_a_patch_for_an_older_state_is_merged(repository, sources: Sources):
    """Three-way: lines around it have changed since, and the content it was made for is known."""
    repository.commit(f_DOT_txt=LINES)
    patch = make_patch(repository, "one", f_DOT_txt=LINES.replace("line 15\n", "XV\n"))
    repository.commit("Later", f_DOT_txt=LINES.replace("line 12\n", "XII\n"))
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    source = GitSource(url=repository.url, ref="main")
    commit = await sources.resolve(source)
    altered = await sources.alter(source, commit, Patches((patch,)))
    expected = LINES.replace("line 12\n", "XII\n").replace("line 15\n", "XV\n").encode()
    assert await sources.read_file(source, altered, "f.txt") == expected


async def test_a_merge_that_cannot_be_tried_says_what_would_help(repository, sources: Sources):
    """Abbreviated ids of contents lead nowhere in a copy that lacks the history."""
    repository.commit(f_DOT_txt=LINES)
    patch = make_patch(repository, "one", f_DOT_txt=LINES.replace("line 15\n", "XV\n"))
    short = re.sub(rb"(?m)^index (.{7})\w*\.\.(.{7})\w*", rb"index \1..\2", patch.content)
    repository.commit("Later", f_DOT_txt=LINES.replace("line 12\n", "XII\n"))
    source = GitSource(url=repository.url, ref="main")
    commit = await sources.resolve(source)
    with pytest.raises(PatchConflict) as caught:
        await sources.alter(source, commit, Patches((Patch("one.patch", short),)))
    assert "--full-index" in caught.value.hint


async def test_nothing_is_written_where_the_program_stands(
    source: Source, sources: Sources, repository, tmp_path: Path, monkeypatch
):
    """A merge that git makes in an index leaves no file in the folder of whoever runs it."""
    patch = make_patch(repository, "one", added_DOT_txt="added\n", stays_DOT_txt="other\n")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    commit = await sources.resolve(source)
    altered = await sources.alter(source, commit, Patches((patch,)))
    await sources.alter(source, altered, Patches((patch,)))
    assert list(here.iterdir()) == []


async def test_nothing_is_written_through_links_of_the_source(
    repository, sources: Sources, tmp_path: Path
):
    """A link where a folder is needed goes, in repositories, folders and the twin alike."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository.path / "vendor").symlink_to(outside)
    repository.commit(below__file="a file where a file has to go")
    changes = FileChanges(
        message="x", files=(NewFile("vendor/shared/a.go", b"a"), NewFile("below", b"b"))
    )
    trees = set()
    for source in (
        GitSource(url=repository.url, ref="main"),
        FolderSource(path=str(repository.path)),
    ):
        altered = await sources.alter(source, await sources.resolve(source), changes)
        place = tmp_path / f"out-{len(trees)}"
        await sources.check_out(source, altered, place)
        assert listing(place) == {"vendor/shared/a.go": "a", "below": "b"}
        trees.add(altered.tree)
    assert list(outside.iterdir()) == []
    twin = MemorySourceTree()
    link = MemoryFile(str(outside).encode(), Mode.LINK)
    commit = twin.put(FolderSource(path="/x"), {"vendor": link, "below/file": "y"})
    trees.add((await twin.alter(FolderSource(path="/x"), commit, changes)).tree)
    assert len(trees) == 1
