# SPDX-License-Identifier: Apache-2.0
"""What was read at commits, kept: read once, and never believed when damaged."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.clock import SystemClock
from okd_payload.locations import Locations
from okd_payload.source.kept import MAX_FILE_BYTES, KeptFile, KeptReadings
from okd_payload.source.model import GitSource
from okd_payload.source.tree import Sources
from okd_payload.testing.memory_sources import MemorySourceTree

COMMIT = "1" * 40
SOURCE = GitSource(url="https://example.com/a", ref="main")


@pytest.fixture
def kept(locations) -> KeptReadings:
    """An empty cache."""
    return KeptReadings(locations, clock=SystemClock())


def test_files_and_their_absence_are_kept(kept) -> None:
    """A file, an empty one, and none at all are three answers, for each commit and path."""
    assert kept.file(COMMIT, "Dockerfile") is None
    kept.keep_file(COMMIT, "Dockerfile", b"FROM scratch\n")
    kept.keep_file(COMMIT, "empty", b"")
    kept.keep_file(COMMIT, "absent", None)
    assert kept.file(COMMIT, "Dockerfile") == KeptFile(b"FROM scratch\n")
    assert kept.file(COMMIT, "empty") == KeptFile(b"")
    assert kept.file(COMMIT, "absent") == KeptFile(None)
    assert kept.file("2" * 40, "Dockerfile") is None


@given(content=st.binary(max_size=200), path=st.text(min_size=1, max_size=20))
def test_any_content_at_any_path_comes_back(tmp_path_factory, content, path) -> None:
    """Whatever the bytes and the name, they come back as they were."""
    folder = tmp_path_factory.mktemp("kept")
    kept = KeptReadings(Locations(cache=folder, state=folder), clock=SystemClock())
    kept.keep_file(COMMIT, path, content)
    assert kept.file(COMMIT, path) == KeptFile(content)


def test_damage_counts_as_absence(kept, locations) -> None:
    """A file that rotted, and one that another version wrote, are read anew."""
    kept.keep_file(COMMIT, "Dockerfile", b"FROM scratch\n")
    for file in (locations.content / "sources").iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    assert kept.file(COMMIT, "Dockerfile") is None


def test_large_files_are_left_to_the_mirror(kept) -> None:
    """The cache is for files that are read to plan, not for whatever a tree holds."""
    kept.keep_file(COMMIT, "large", bytes(MAX_FILE_BYTES + 1))
    assert kept.file(COMMIT, "large") is None


def test_descriptions_belong_to_the_name_that_was_asked(kept) -> None:
    """A commit that two branches mean is described for each with its own ref."""
    commit = MemorySourceTree().put(SOURCE, {"a": "b"})
    kept.keep_commit(SOURCE, commit)
    assert kept.commit(SOURCE, commit.id) == commit
    assert kept.commit(msgspec.structs.replace(SOURCE, ref="other"), commit.id) is None


@pytest.mark.integration
async def test_a_second_plan_starts_no_git_for_a_locked_commit(
    repository, sources, locations, clock, monkeypatch
) -> None:
    """With the commit known, reading what was read before needs neither server nor git."""
    repository.commit(file="x")
    source = GitSource(url=repository.url, ref="main")
    commit = await sources.resolve(source)
    assert await sources.read_file(source, commit, "file") == b"x"
    assert await sources.read_file(source, commit, "absent") is None
    monkeypatch.setenv("PATH", "/nowhere")
    later = Sources(locations, clock=clock)
    assert await later.read_file(source, commit, "file") == b"x"
    assert await later.read_file(source, commit, "absent") is None
