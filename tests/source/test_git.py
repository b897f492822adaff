# SPDX-License-Identifier: Apache-2.0
"""Git repositories as sources: resolved, fetched, read and checked out with the real git."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from okd_payload.errors import MissingTool, SourceError, StorageError
from okd_payload.locations import Locations
from okd_payload.progress import Event, Failed, Finished, Started
from okd_payload.source.model import GitSource
from okd_payload.source.tree import Sources

pytestmark = pytest.mark.integration


def source(repository, ref: str = "") -> GitSource:
    """The repository of the test at ``ref``."""
    return GitSource(url=repository.url, ref=ref)


def mirror(locations: Locations) -> Path:
    """The only mirror in the cache."""
    [found] = [path for path in locations.git.iterdir() if path.is_dir()]
    return found


def objects(locations: Locations, kind: str) -> int:
    """How many objects of ``kind`` the mirror holds."""
    listing = ["git", "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"]
    done = subprocess.run(listing, cwd=mirror(locations), capture_output=True, check=True)
    return done.stdout.decode().split().count(kind)


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


async def test_only_what_was_asked_for_is_fetched(repository, sources, locations, tmp_path) -> None:
    """One commit without history; contents only when read, and all of a checkout at once."""
    for number in range(3):
        repository.commit(**{f"file{number}": f"content {number}"})
    commit = await sources.resolve(source(repository, "main"))
    assert (objects(locations, "commit"), objects(locations, "blob")) == (1, 0)
    assert await sources.read_file(source(repository), commit, "file1") == b"content 1"
    assert objects(locations, "blob") == 1
    await sources.check_out(source(repository), commit, tmp_path / "out")
    assert objects(locations, "blob") == 3
    assert len(list(mirror(locations).glob("objects/pack/*.pack"))) == 3


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


async def test_rewritten_history_is_followed(repository, locations, clock, tmp_path) -> None:
    """After a forced push the branch is its new tip, and the old commit stays readable."""
    before = Sources(locations, clock=clock)
    repository.commit("Old", file="old")
    old = await before.resolve(source(repository, "main"))
    assert await before.read_file(source(repository), old, "file") == b"old"
    repository.git("checkout", "--quiet", "--orphan", "new")
    repository.commit("New", file="new")
    repository.git("branch", "--force", "main", "new")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    after = Sources(locations, clock=clock)
    new = await after.resolve(source(repository, "main"))
    await after.check_out(source(repository), new, tmp_path / "new")
    await after.check_out(source(repository), old, tmp_path / "old")
    assert (tmp_path / "new" / "file").read_text() == "new"
    assert (tmp_path / "old" / "file").read_text() == "old"


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


@pytest.mark.parametrize("shallow_first", [False, True])
async def test_old_servers_give_everything(
    repository, sources, locations, monkeypatch, shallow_first
) -> None:
    """A server that does not give commits by id, nor filters, is read all the same."""
    repository.commit(file="old")
    old = repository.git("rev-parse", "HEAD")
    new = repository.commit(file="new")
    repository.git("config", "uploadpack.allowFilter", "false")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.version")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "0")
    if shallow_first:
        assert (await sources.resolve(source(repository, "main"))).id == new
    commit = await sources.resolve(source(repository, old))
    assert await sources.read_file(source(repository), commit, "file") == b"old"
    with pytest.raises(SourceError, match="has no commit"):
        await sources.resolve(source(repository, "1" * 40))


async def test_the_same_repository_is_fetched_once(repository, sources, locations) -> None:
    """Components of one repository that are resolved together share one fetch."""
    repository.commit(file="x")
    repository.git("branch", "same")
    refs = ("main", "same", "", "refs/heads/main")
    commits = await asyncio.gather(*(sources.resolve(source(repository, ref)) for ref in refs))
    assert len({commit.id for commit in commits}) == 1
    assert len(list(mirror(locations).glob("objects/pack/*.pack"))) == 1


async def test_several_processes_share_a_mirror(repository, locations, clock, tmp_path) -> None:
    """Sources of several runs fetch and read at once without disturbing one another."""
    refs = [f"branch{number}" for number in range(4)]
    for ref in refs:
        repository.git("checkout", "--quiet", "-B", ref)
        repository.commit(file=ref)

    async def one(ref: str) -> str:
        own = Sources(locations, clock=clock)
        commit = await own.resolve(source(repository, ref))
        await own.check_out(source(repository), commit, tmp_path / ref)
        return (tmp_path / ref / "file").read_text()

    assert await asyncio.gather(*(one(ref) for ref in refs)) == refs


DAMAGES = {
    "empty objects": lambda path: [file.write_bytes(b"") for file in path.glob("objects/pack/*")],
    "no configuration": lambda path: (path / "config").write_text("[core\n"),
    "a wrong ref": lambda path: [file.write_text("1" * 40) for file in path.glob("refs/keep/*")],
    "nothing but the ref": lambda path: [
        shutil.rmtree(item) if item.is_dir() else item.unlink()
        for item in path.iterdir()
        if item.name != "refs"
    ],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
async def test_a_damaged_mirror_is_fetched_again(
    repository, sources, locations, clock, tmp_path, damage, caplog
) -> None:
    """Whatever happened to the cache, reading ends well, and it is said that it was mended."""
    repository.commit(file="x")
    commit = await sources.resolve(source(repository, "main"))
    await sources.check_out(source(repository), commit, tmp_path / "before")
    damage(mirror(locations))
    later = Sources(locations, clock=clock)
    assert await later.read_file(source(repository), commit, "file") == b"x"
    damage(mirror(locations))
    await later.check_out(source(repository), commit, tmp_path / "after")
    damage(mirror(locations))
    assert await Sources(locations, clock=clock).resolve(source(repository, "main")) == commit
    assert (tmp_path / "after" / "file").read_text() == "x"
    assert "fetching file://" in caplog.text
    assert {path.suffix for path in locations.git.iterdir()} == {mirror(locations).suffix, ".lock"}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
async def test_a_damaged_mirror_stays_a_partial_one(repository, sources, locations, damage) -> None:
    """Damage found by a fetch does not make us fetch a whole history."""
    repository.commit(file="x")
    await sources.resolve(source(repository, "main"))
    damage(mirror(locations))
    second = repository.commit(file="y")
    assert (await sources.resolve(source(repository, second))).id == second
    assert objects(locations, "blob") == 0


async def test_a_commit_that_is_not_its_tree_is_refused(repository, sources, tmp_path) -> None:
    """A lock whose commit and tree do not belong together is not built."""
    repository.commit(file="x")
    commit = await sources.resolve(source(repository, "main"))
    wrong = msgspec.structs.replace(commit, tree="2" * 40)
    with pytest.raises(SourceError, match=f"is not the tree {'2' * 40}"):
        await sources.check_out(source(repository), wrong, tmp_path / "out")


async def test_left_overs_of_killed_commands_are_swept(
    repository, sources, locations, clock, tmp_path
) -> None:
    """Lock files and half packs of killed git commands are removed, and stop no fetch."""
    repository.commit(file="x")
    commit = await sources.resolve(source(repository, "main"))
    names = ["shallow.lock", "config.lock", "objects/pack/tmp_pack_AbC", "index-00"]
    left = [mirror(locations) / name for name in names]
    for file in left:
        file.write_text("half")
    await Sources(locations, clock=clock).check_out(source(repository), commit, tmp_path / "out")
    assert not any(file.exists() for file in left)
    second = repository.commit(file="y")
    (mirror(locations) / "refs" / "keep" / f"{second}.lock").write_text("")
    mirror(locations).with_name(f"{mirror(locations).name}.new").mkdir()
    assert (await sources.resolve(source(repository, second))).id == second


async def test_the_users_filters_and_hooks_change_nothing(
    repository, sources, tmp_path, monkeypatch
) -> None:
    """A checkout is the same whatever git is configured to convert or run."""
    ran = tmp_path / "ran"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    repository.commit(file="one\n")
    configuration = tmp_path / "user-config"
    configuration.write_text(
        f"[core]\n\tautocrlf = true\n\teol = crlf\n\thooksPath = {hooks}\n"
        f"\tattributesFile = {tmp_path}/attributes\n\tsymlinks = false\n"
        "\tsparseCheckout = true\n\tsplitIndex = true\n"
        f'[filter "x"]\n\tsmudge = sed s/one/two/\n\trequired = true\n'
        f"[init]\n\ttemplateDir = {tmp_path}\n[color]\n\tui = always\n[fetch]\n\tprune = true\n"
    )
    (tmp_path / "attributes").write_text("* filter=x\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "hook's own"))
    monkeypatch.setenv("GIT_WORK_TREE", "/")
    commit = await sources.resolve(source(repository, "main"))
    await sources.check_out(source(repository), commit, tmp_path / "out")
    assert (tmp_path / "out" / "file").read_bytes() == b"one\n"
    assert not ran.exists()


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


async def test_cancelling_a_fetch_leaves_a_usable_mirror(repository, locations, clock) -> None:
    """A run that is stopped at any moment of a fetch disturbs no later one."""
    commit = repository.commit(**{f"file{number}": str(number) for number in range(50)})
    for moment in (0.0, 0.02, 0.05, 0.08):
        stopped = Sources(locations, clock=clock)
        task = asyncio.ensure_future(stopped.resolve(source(repository, "main")))
        await asyncio.sleep(moment)
        task.cancel()
        await asyncio.wait([task])
    assert (await Sources(locations, clock=clock).resolve(source(repository, "main"))).id == commit
