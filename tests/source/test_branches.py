# SPDX-License-Identifier: Apache-2.0
"""Which branches a repository has, asked of the real git."""

from __future__ import annotations

import pytest

from okd_payload.errors import SourceError
from okd_payload.source.branches import GitBranches
from okd_payload.source.git import Git
from okd_payload.testing.memory_branches import MemoryBranches

pytestmark = pytest.mark.integration


@pytest.fixture
def branches(clock) -> GitBranches:
    """Branches of real repositories."""
    return GitBranches(Git(clock))


async def test_names_and_patterns_are_answered_at_once(repository, branches):
    """Branches that were named or fit, with their commits; names that look alike are others."""
    commit = repository.commit(file="x")
    for name in ("release-4.15", "release-4.16", "openshift-4.16", "feature/main"):
        repository.git("branch", name)
    found = await branches.find(repository.url, ["main", "master"], patterns=["release-*"])
    assert found.commits == dict.fromkeys(["main", "release-4.15", "release-4.16"], commit)
    assert "release-4.16" in found
    assert "master" not in found


async def test_a_tag_counts_where_there_is_no_branch(repository, branches):
    """An annotated tag means the commit that it points at; a branch of its name wins."""
    first = repository.commit(file="x")
    repository.git("tag", "-a", "-m", "one", "v1")
    repository.git("tag", "both")
    second = repository.commit(file="y")
    repository.git("branch", "both")
    found = await branches.find(repository.url, ["v1", "both", "main"])
    assert found.commits == {"v1": first, "both": second, "main": second}


async def test_a_repository_that_is_not_there_is_an_error(tmp_path, branches):
    """The error names it, and so does one about what is no URL."""
    with pytest.raises(SourceError, match="cannot list the branches of file:///"):
        await branches.find(f"file://{tmp_path}/none", ["main"])
    with pytest.raises(SourceError, match="is not a git URL"):
        await branches.find("ext::sh", ["main"])


async def test_the_twin_answers_alike(repository, branches):
    """Names, patterns and what is not there: the same as of the real git."""
    repository.commit(file="x")
    repository.git("branch", "release-4.15")
    twin = MemoryBranches()
    twin.put(repository.url, "main", "release-4.15")
    for names, patterns in ((["main", "none"], []), ([], ["release-*"]), (["none"], ["x-*"])):
        real = await branches.find(repository.url, names, patterns=patterns)
        same = await twin.find(repository.url, names, patterns=patterns)
        assert set(real.commits) == set(same.commits)
    with pytest.raises(SourceError):
        await twin.find("https://git.test/none", ["main"])
