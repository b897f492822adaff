# SPDX-License-Identifier: Apache-2.0
"""Mirrors in the cache: kept, shared, and fetched again when they are damaged."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from mirror_rig import mirror, objects, source

from okd_payload.errors import SourceError
from okd_payload.source.tree import Sources


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


def empty(file: Path) -> None:
    """Leave nothing in a file, also in one that may only be read."""
    file.unlink()
    file.touch()


DAMAGES = {
    "empty objects": lambda path: [empty(file) for file in path.glob("objects/pack/*")],
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
