# SPDX-License-Identifier: Apache-2.0
"""Git repositories as sources: resolved, fetched, read and checked out with the real git."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from mirror_rig import source

from okd_payload.errors import MissingTool, SourceError, StorageError
from okd_payload.locations import Locations
from okd_payload.progress import Event, Failed, Finished, Started
from okd_payload.source.tree import Sources

pytestmark = pytest.mark.integration


async def test_a_branch_is_its_tip(repository, sources) -> None:
    """Resolving a branch says everything about its last commit."""
    repository.commit("First", file="one")
    tip = repository.commit("Second: grüße\n\nbody", file="two")
    commit = await sources.resolve(source(repository, "main"))
    assert commit.id == tip
    assert commit.tree == repository.git("rev-parse", "HEAD^{tree}")
    assert commit.time == int(repository.git("log", "-1", "--format=%ct"))
    assert (commit.location, commit.ref) == (repository.url, "main")
    assert commit.author == "A. Person <person@example.com>"
    assert commit.date == "Mon May 6 07:08:09 2024 +0200"
    assert commit.message == "Second: grüße"
    assert not commit.dirty


async def test_a_commit_of_no_year_is_refused(repository, sources, monkeypatch) -> None:
    """Git takes any number for a date, and what is built of it could not say when."""
    repository.commit("First", file="one")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "@99999999999999 +0000")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "Second")
    with pytest.raises(SourceError, match="in no year that there is"):
        await sources.resolve(source(repository, "main"))


async def test_without_a_ref_the_default_branch_counts(repository, sources) -> None:
    """No ref means what the repository's HEAD names."""
    tip = repository.commit(file="one")
    repository.git("checkout", "--quiet", "-b", "other")
    other = repository.commit(file="two")
    assert (await sources.resolve(source(repository))).id == other != tip


async def test_names_are_looked_for_in_order(repository, sources) -> None:
    """A branch wins over a tag of the same name; tags are peeled; other refs come last."""
    first = repository.commit(file="one")
    repository.git("tag", "-a", "v1", "-m", "annotated")
    repository.git("tag", "light")
    repository.git("tag", "both")
    repository.git("update-ref", "refs/pull/7/head", first)
    second = repository.commit(file="two")
    repository.git("branch", "both")
    repository.git("branch", "feature/a")
    found = {
        name: (await sources.resolve(source(repository, name))).id
        for name in ("v1", "light", "both", "refs/tags/both", "pull/7/head", "feature/a", first)
    }
    assert found == {
        "v1": first,
        "light": first,
        "both": second,
        "refs/tags/both": first,
        "pull/7/head": first,
        "feature/a": second,
        first: first,
    }


async def test_unknown_names_are_answered_with_near_ones(repository, sources) -> None:
    """A branch that does not exist is an error that offers those that do."""
    repository.commit(file="one")
    repository.git("branch", "release-4.19")
    with pytest.raises(SourceError, match=r"repository has no branch or tag 'release-4.91'") as no:
        await sources.resolve(source(repository, "release-4.91"))
    assert no.value.hint == "did you mean release-4.19?"
    with pytest.raises(SourceError) as short:
        await sources.resolve(source(repository, "abcdef1"))
    assert "all 40 digits" in short.value.hint
    with pytest.raises(SourceError) as far:
        await sources.resolve(source(repository, "zzz"))
    assert far.value.hint == "the repository has main, release-4.19"


async def test_an_empty_repository_is_named(repository, sources) -> None:
    """A repository without commits has nothing to build, and the error says so."""
    with pytest.raises(SourceError, match="has no default branch"):
        await sources.resolve(source(repository))
    with pytest.raises(SourceError) as refused:
        await sources.resolve(source(repository, "main"))
    assert refused.value.hint == "the repository has neither branches nor tags"


@pytest.mark.parametrize("ref", ["-x", "a b", "a..b", "a*", "x.lock", "/a", "a/", "a\n"])
async def test_impossible_names_are_refused(ref: str, repository, sources) -> None:
    """What git would take for an option or a pattern is no ref."""
    with pytest.raises(SourceError, match="cannot be a git branch"):
        await sources.resolve(source(repository, ref))


async def test_files_are_read_through_links(repository, sources) -> None:
    """Links of the tree are followed within it; what is no file is None."""
    (repository.path / "Dockerfile").symlink_to("images/Dockerfile.rhel")
    (repository.path / "folder").symlink_to("images")
    (repository.path / "loop").symlink_to("loop")
    (repository.path / "dangling").symlink_to("nowhere")
    repository.commit(**{"images__Dockerfile_DOT_rhel": "FROM base\n", "a blob": "x"})
    commit = await sources.resolve(source(repository, "main"))
    wanted = ["Dockerfile", "folder/Dockerfile.rhel", "./images/../a blob", "images//x", "my blob"]
    wanted += ["images", "folder", "loop", "dangling", "Dockerfile/x", "a\nb", ""]
    found = [await sources.read_file(source(repository), commit, path) for path in wanted]
    assert found == [b"FROM base\n", b"FROM base\n", b"x", *[None] * 9]


async def test_links_out_of_the_repository_are_refused(repository, sources) -> None:
    """A link to a file of this machine is not read."""
    (repository.path / "absolute").symlink_to("/etc/passwd")
    (repository.path / "relative").symlink_to("../x")
    repository.commit()
    commit = await sources.resolve(source(repository, "main"))
    for path in ("absolute", "relative", "../x", "./../x"):
        with pytest.raises(SourceError, match=f"{path} leads out of the source"):
            await sources.read_file(source(repository), commit, path)


async def test_checkouts_are_exact(repository, sources, tmp_path) -> None:
    """A checkout is the tree byte for byte, with plain permissions and times, and no .git."""
    repository.write(
        script="#!/bin/sh\n",
        crlf="one\r\ntwo\n",
        ident="$Id$\n",
        deep__er__file="x",
        _DOT_gitattributes="* text=auto eol=crlf ident export-subst\nsecret export-ignore\n",
        secret="x",
    )
    (repository.path / "script").chmod(0o755)
    (repository.path / "link").symlink_to("/nowhere")
    repository.git("-c", "core.autocrlf=false", "add", "--all")
    repository.commit()
    commit = await sources.resolve(source(repository, "main"))
    await sources.check_out(source(repository), commit, tmp_path / "out")
    out = tmp_path / "out"
    names = {str(path.relative_to(out)) for path in out.rglob("*") if not path.is_dir()}
    assert names == set(repository.git("ls-files").splitlines())
    assert (out / "ident").read_text() == "$Id$\n"
    assert (out / "script").read_bytes() == b"#!/bin/sh\n"
    assert (out / "link").readlink() == Path("/nowhere")
    modes = {path.name: path.lstat().st_mode & 0o777 for path in out.rglob("*")}
    assert (modes["script"], modes["crlf"], modes["deep"]) == (0o755, 0o644, 0o755)
    assert {path.lstat().st_mtime for path in (out, *out.rglob("*"))} == {commit.time}


async def test_submodules_are_refused(repository, sources, tmp_path) -> None:
    """A submodule is named, with a way to build all the same."""
    repository.commit(file="x")
    allow = ("-c", "protocol.file.allow=always")
    repository.git(*allow, "submodule", "--quiet", "add", repository.url, "vendor/sub")
    repository.commit()
    commit = await sources.resolve(source(repository, "main"))
    with pytest.raises(SourceError, match="has a submodule at vendor/sub") as refused:
        await sources.check_out(source(repository), commit, tmp_path / "out")
    assert "folder" in refused.value.hint


async def test_too_large_files_are_refused(repository, sources) -> None:
    """A file beyond the bound is not cut off silently."""
    for setting in ("core.compression=0", "core.bigFileThreshold=1m"):
        repository.git("config", *setting.split("="))
    with (repository.path / "large").open("wb") as file:
        file.truncate(70 * 1024 * 1024)
    repository.commit()
    commit = await sources.resolve(source(repository, "main"))
    with pytest.raises(SourceError, match="large of file://"):
        await sources.read_file(source(repository), commit, "large")


async def test_one_run_sees_one_state(repository, sources, locations, clock) -> None:
    """A branch that moves during a run stays what it was; the next run sees the new one."""
    first = repository.commit(file="one")
    assert (await sources.resolve(source(repository, "main"))).id == first
    second = repository.commit(file="two")
    assert (await sources.resolve(source(repository, "main"))).id == first
    later = Sources(locations, clock=clock)
    assert (await later.resolve(source(repository, "main"))).id == second


async def test_a_commit_that_is_gone_is_named(repository, sources) -> None:
    """A locked commit that no server has any more is an error that says why."""
    repository.commit(file="x")
    gone = "1" * 40
    with pytest.raises(SourceError, match=f"has no commit {gone}") as refused:
        await sources.resolve(source(repository, gone))
    assert "history" in refused.value.hint


async def test_what_is_locked_needs_no_server(repository, sources, locations, clock, tmp_path):
    """With the commit known and cached, nothing asks the repository again."""
    repository.commit(file="x")
    commit = await sources.resolve(source(repository, "main"))
    await sources.check_out(source(repository), commit, tmp_path / "one")
    shutil.rmtree(repository.path)
    later = Sources(locations, clock=clock)
    assert await later.read_file(source(repository), commit, "file") == b"x"
    await later.check_out(source(repository), commit, tmp_path / "two")


async def test_a_locked_commit_is_fetched_by_its_id(repository, sources, locations, clock):
    """A lock is enough on another machine, also for a commit that is no tip any more."""
    repository.commit(file="old")
    commit = await sources.resolve(source(repository, "main"))
    repository.commit(file="new")
    elsewhere = Sources(Locations(cache=locations.cache / "2", state=locations.state), clock=clock)
    assert await elsewhere.read_file(source(repository), commit, "file") == b"old"


async def test_a_commit_that_is_not_its_tree_is_refused(repository, sources, tmp_path) -> None:
    """A lock whose commit and tree do not belong together is not built."""
    repository.commit(file="x")
    commit = await sources.resolve(source(repository, "main"))
    wrong = msgspec.structs.replace(commit, tree="2" * 40)
    with pytest.raises(SourceError, match=f"is not the tree {'2' * 40}"):
        await sources.check_out(source(repository), wrong, tmp_path / "out")


async def test_fetching_is_reported(repository, locations, clock) -> None:
    """A fetch is an event with a beginning and an end; what is cached is not."""
    events: list[Event] = []
    repository.commit(file="x")
    for _ in range(2):
        await Sources(locations, clock=clock, progress=events.append).resolve(source(repository))
    assert [type(event) for event in events] == [Started, Finished]
    assert events[0].subject == repository.url
    failing = Sources(locations, clock=clock, progress=events.append)
    with pytest.raises(SourceError):
        await failing.resolve(source(repository, "1" * 40))
    assert isinstance(events[-1], Failed)


async def test_without_git_the_error_says_so(repository, sources, monkeypatch) -> None:
    """On a machine without git the missing program is named."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingTool, match="git is not installed"):
        await sources.resolve(source(repository))


async def test_a_cache_that_cannot_be_written_is_named(repository, clock, tmp_path) -> None:
    """A cache folder that takes no files is an error of storage."""
    repository.commit(file="x")
    (tmp_path / "file").write_text("")
    unusable = Sources(Locations(cache=tmp_path / "file", state=tmp_path), clock=clock)
    with pytest.raises(StorageError, match="cannot lock"):
        await unusable.resolve(source(repository))
