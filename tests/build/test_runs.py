# SPDX-License-Identifier: Apache-2.0
"""Whole runs: only what changed is built, and everything comes out the same everywhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from streams import inline, write_stream
from workshop import Workshop, actions, digests, from_git, record, source_of

from okd_payload.build.change_set import ChangeSet, apply_change_set
from okd_payload.build.job import check_imports
from okd_payload.build.records import Action, read_runs
from okd_payload.catalog.catalog import Catalog
from okd_payload.errors import BuildError, MissingTool, TransientBuildError
from okd_payload.oci.manifest import Manifest
from okd_payload.progress import Failed, Finished, Noticed, Started
from okd_payload.source.model import FolderSource
from okd_payload.testing.images import push_image

ELSEWHERE = "quay.io/okd/os:1"
COMPONENTS = ("base", "builder", "etcd", "operator")
STREAM = """
imports:
  os: {image: "quay.io/okd/os:1"}
  kuryr: {tag: base, stub: nobody builds it}
"""


async def fill(workshop: Workshop) -> Manifest:
    """Put sources for ``COMPONENTS`` and the image of elsewhere; the latter is returned."""
    workshop.put("base", "FROM os\n")
    workshop.put("builder", "FROM base\n")
    workshop.put("etcd", "FROM builder AS b\nFROM base\nCOPY --from=b /x /x\n")
    workshop.put("operator", "FROM builder AS b\nFROM base\nCOPY --from=b /x /x\n")
    return await push_image(workshop.registry("quay.io/okd/os"), tag="1")


@pytest.fixture
async def catalog(workshop: Workshop, tmp_path: Path) -> Catalog:
    """A stream of four components, an image of elsewhere and a stub."""
    await fill(workshop)
    return write_stream(tmp_path, {name: from_git(name) for name in COMPONENTS}, stream=STREAM)


async def test_a_first_run_makes_everything_in_order(workshop: Workshop, catalog: Catalog):
    """Imports are imported, components built after their parents, stubs taken, tags moved."""
    outcome = await workshop.run(catalog, jobs=1)
    assert outcome.is_complete
    assert actions(outcome) == {
        "base": "built",
        "builder": "built",
        "etcd": "built",
        "kuryr": "stub",
        "operator": "built",
        "os": "imported",
    }
    assert workshop.built == ["base", "builder", "etcd", "operator"]
    tags = {tag for tag in await workshop.content.manifests.tags() if not tag.startswith("build-")}
    assert tags == {"base", "builder", "etcd", "kuryr", "operator", "os"}
    assert record(outcome, "kuryr").reason == "nobody builds it"
    assert record(outcome, "kuryr").digest == record(outcome, "base").digest
    assert record(outcome, "etcd").reason == "not built yet"


async def test_a_second_run_builds_nothing(workshop: Workshop, catalog: Catalog):
    """What is there is taken: the same images, and no build and no copy is begun."""
    first = await workshop.run(catalog)
    workshop.events.clear()
    second = await workshop.run(catalog)
    assert workshop.built == []
    assert digests(second) == digests(first)
    assert set(actions(second).values()) == {"reused", "stub"}
    assert {record(second, name).reason for name in COMPONENTS} == {"nothing changed"}
    assert not any(isinstance(event, Started) for event in workshop.events)


async def test_a_change_builds_what_stands_on_it_and_nothing_else(
    workshop: Workshop, catalog: Catalog
):
    """After one changed line, the component and its dependants are built, with the reasons."""
    await workshop.run(catalog)
    before = source_of("builder")
    old = await workshop.sources.resolve(before)
    new = workshop.put("builder", "FROM base\n# changed\n")
    outcome = await workshop.run(catalog)
    assert sorted(workshop.built) == ["builder", "etcd", "operator"]
    assert actions(outcome)["base"] == "reused"
    reason = f"changed commit {old.id[:10]} -> {new.id[:10]}"
    assert record(outcome, "builder").reason == reason
    assert record(outcome, "etcd").reason == "changed parent builder"


async def test_switching_back_builds_nothing(workshop: Workshop, catalog: Catalog):
    """Images of an earlier commit are found by their keys, and get their tags back."""
    first = await workshop.run(catalog)
    workshop.put("base", "FROM os\n# changed\n")
    changed = await workshop.run(catalog)
    assert digests(changed) != digests(first)
    workshop.put("base", "FROM os\n")
    back = await workshop.run(catalog)
    assert workshop.built == []
    assert digests(back) == digests(first)
    assert (await workshop.made("etcd")).digest == digests(first)["etcd"]


async def test_a_change_that_changes_no_image_stops_there(workshop: Workshop, catalog: Catalog):
    """A build made again with the same result lets everything above it be."""
    first = await workshop.run(catalog)
    outcome = await workshop.run(catalog, forced={"base"})
    assert workshop.built == ["base"]
    assert record(outcome, "base").reason == "forced"
    assert digests(outcome) == digests(first)
    assert actions(outcome)["etcd"] == "reused"


async def test_a_forced_import_that_brings_the_same_stops_there(
    workshop: Workshop, catalog: Catalog
):
    """An image brought again is the same image, so nothing is built on it again."""
    await workshop.run(catalog)
    outcome = await workshop.run(catalog, forced={"os"})
    assert actions(outcome)["os"] == "imported"
    assert workshop.built == []


async def test_a_moved_tag_of_elsewhere_is_followed(workshop: Workshop, catalog: Catalog):
    """When the image behind an imported tag changes, everything on it is built again."""
    await workshop.run(catalog)
    await push_image(workshop.registry("quay.io/okd/os"), tag="1", layers=[b"newer"])
    outcome = await workshop.run(catalog)
    assert actions(outcome)["os"] == "imported"
    assert sorted(workshop.built) == sorted(COMPONENTS)
    assert record(outcome, "base").reason == "changed parent os"


async def test_everything_comes_out_the_same_elsewhere(
    workshop: Workshop, catalog: Catalog, tmp_path: Path
):
    """With all state gone, in another place and one build at a time, digests are the same."""
    first = await workshop.run(catalog, jobs=4)
    other = Workshop(tmp_path / "other")
    other.clock.advance(1_000_000)
    await fill(other)
    second = await other.run(catalog, jobs=1)
    assert digests(second) == digests(first)


async def test_a_failure_leaves_other_branches_alone(workshop: Workshop, catalog: Catalog):
    """Only what stands on the failed build is skipped, and it says on what."""
    workshop.engine.fail("etcd", BuildError("make: no rule", hint="look at the log"))
    outcome = await workshop.run(catalog)
    assert not outcome.is_complete
    assert actions(outcome)["operator"] == "built"
    failed = record(outcome, "etcd")
    assert (failed.action, failed.reason, failed.hint) == (
        Action.FAILED,
        "make: no rule",
        "look at the log",
    )
    assert failed.commit == (await workshop.sources.resolve(source_of("etcd"))).id
    assert (outcome.folder / failed.log).read_text() == "building etcd\nmake: no rule\n"


async def test_what_stands_on_a_failure_is_skipped(workshop: Workshop, catalog: Catalog):
    """A failed base skips all above it, and the next run goes on where this one stopped."""
    workshop.engine.fail("builder", BuildError("no"))
    outcome = await workshop.run(catalog)
    assert actions(outcome)["etcd"] == actions(outcome)["operator"] == "skipped"
    assert record(outcome, "etcd").reason == "builder failed"
    assert [event.subject for event in workshop.events if isinstance(event, Failed)] == ["builder"]
    again = await workshop.run(catalog)
    assert again.is_complete
    assert sorted(workshop.built) == ["builder", "etcd", "operator"]


async def test_fail_fast_stops_the_run(workshop: Workshop, catalog: Catalog):
    """After the first failure nothing new starts and what runs is stopped."""
    workshop.engine.fail("etcd", BuildError("no"))
    workshop.engine.hold("operator")
    outcome = await workshop.run(catalog, fail_fast=True)
    assert actions(outcome)["etcd"] == "failed"
    assert actions(outcome)["operator"] == "skipped"
    assert record(outcome, "operator").reason == "the run stopped before"


async def test_a_missing_program_stops_the_run(workshop: Workshop, catalog: Catalog):
    """What this machine lacks is said once, instead of once for every component."""
    workshop.engine.fail("base", MissingTool("there is no buildah", hint="install it"))
    outcome = await workshop.run(catalog)
    assert dict(workshop.engine.attempts) == {"base": 1}
    assert record(outcome, "base").hint == "install it"
    assert actions(outcome)["etcd"] == "skipped"


async def test_transient_failures_are_tried_again_after_a_pause(
    workshop: Workshop, catalog: Catalog
):
    """Two failures of the surroundings cost two pauses, and the record counts the attempts."""
    workshop.engine.fail("etcd", TransientBuildError("network"), TransientBuildError("network"))
    outcome = await workshop.run(catalog)
    assert record(outcome, "etcd").action is Action.BUILT
    assert record(outcome, "etcd").attempts == 3
    assert record(outcome, "etcd").retries == {
        "the build failed for reasons of its surroundings": 2
    }
    assert workshop.clock.waits == [2.0, 4.0]
    notes = [event.message for event in workshop.events if isinstance(event, Noticed)]
    assert notes == [f"attempt {number} failed (network), trying again" for number in (1, 2)]


async def test_transient_failures_end_at_last(workshop: Workshop, catalog: Catalog):
    """The third attempt is the last one."""
    workshop.engine.fail("etcd", *[TransientBuildError("network")] * 3)
    outcome = await workshop.run(catalog)
    assert record(outcome, "etcd").action is Action.FAILED
    assert record(outcome, "etcd").attempts == 3
    assert workshop.engine.attempts["etcd"] == 3


async def test_overridden_builds_leave_the_tags_of_the_stream(workshop: Workshop, catalog: Catalog):
    """Images of other sources are built and kept by key, while all tags stay where they were."""
    first = await workshop.run(catalog)
    checkout = FolderSource(path="/home/me/builder")
    workshop.sources.put(checkout, {"Dockerfile": "FROM base\n# mine\n"}, dirty=True)
    mine = apply_change_set(ChangeSet(sources={"builder": checkout}), catalog)
    outcome = await workshop.run(mine, moves_tags=False)
    assert sorted(workshop.built) == ["builder", "etcd", "operator"]
    assert record(outcome, "builder").dirty
    for tag, digest in digests(first).items():
        assert (await workshop.made(tag)).digest == digest
    again = await workshop.run(mine, moves_tags=False)
    assert workshop.built == []
    assert digests(again) == digests(outcome)


async def test_a_lock_builds_the_same_without_asking(
    workshop: Workshop, catalog: Catalog, tmp_path: Path
):
    """With a lock, branches and tags may move on: nobody is asked what they mean now."""
    first = await workshop.run(catalog)
    workshop.put("base", "FROM os\n# moved on\n")
    await push_image(workshop.registry("quay.io/okd/os"), tag="1", layers=[b"moved on"])
    workshop.content.manifests.images.clear()
    workshop.content.manifests.tagged.clear()
    workshop.sources.operations.clear()
    workshop.asked.clear()
    second = await workshop.run(catalog, lock=first.lock)
    assert digests(second) == digests(first)
    assert "resolve" not in {verb for verb, _ in workshop.sources.operations}
    assert workshop.asked == [f"quay.io/okd/os@{digests(first)['os']}"]
    assert second.lock == first.lock


async def test_another_image_of_a_command_than_the_lock_has_is_an_issue(
    workshop: Workshop, tmp_path: Path
):
    """The lock cannot be kept when a command writes something else, and the message says both."""
    (tmp_path / "root.sh").write_text('#!/bin/sh\nexec tar -c -C "$0.d" .\n')
    (tmp_path / "root.sh").chmod(0o755)
    (tmp_path / "root.sh.d").mkdir()
    catalog = write_stream(
        tmp_path, {"base": inline("FROM root")}, stream="imports: {root: {command: [./root.sh]}}\n"
    )
    first = await workshop.run(catalog)
    assert check_imports(first.lock, first) == []
    (tmp_path / "root.sh.d" / "file").write_text("new")
    second = await workshop.run(catalog, lock=first.lock, forced={"root"})
    (issue,) = check_imports(first.lock, second)
    assert (issue.code, issue.component, issue.blocks) == ("changed-import", "root", True)
    assert digests(first)["root"] in issue.message
    assert digests(second)["root"] in issue.message


async def test_images_are_published_last(workshop: Workshop, catalog: Catalog):
    """The tag of the key follows the image, and the stream's tag follows both."""
    await workshop.run(catalog)
    key = (await workshop.images.read_inputs("etcd")) is not None
    assert key
    puts = [name for verb, name in workshop.content.operations if verb == "put"]
    digest = (await workshop.made("etcd")).digest
    order = puts[puts.index(digest) :]
    assert order[1].startswith("build-")
    assert "etcd" in order[2:]


async def test_a_cancelled_run_leaves_nothing_half_published(workshop: Workshop, catalog: Catalog):
    """After a cancellation in the middle, the same command finishes with the same digests."""
    gate = workshop.engine.hold("builder")
    frozen = await workshop.freeze(catalog)
    task = asyncio.create_task(workshop.carry_out(frozen, workshop.maker(catalog)))
    await workshop.engine.begun("builder")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "builder" not in await workshop.content.manifests.tags()
    gate.set()
    outcome = await workshop.run(catalog)
    assert outcome.is_complete
    assert "base" not in workshop.built


async def test_two_runs_in_one_second_keep_two_records(workshop: Workshop, catalog: Catalog):
    """A run never writes into the folder of another one."""
    frozen = await workshop.freeze(catalog)
    first = await workshop.carry_out(frozen, workshop.maker(catalog))
    workshop.clock.advance(-1)
    second = await workshop.carry_out(frozen, workshop.maker(catalog))
    assert first.record.started == second.record.started
    assert [run.id for run in read_runs(tmp_runs(workshop))] == [first.record.id, second.record.id]


async def test_every_end_is_told(workshop: Workshop, catalog: Catalog):
    """For every node there is one event that says how it ended."""
    await workshop.run(catalog)
    ends = [event.subject for event in workshop.events if isinstance(event, Finished)]
    assert sorted(ends) == ["base", "builder", "etcd", "kuryr", "operator", "os"]


def tmp_runs(workshop: Workshop) -> Path:
    """Where the runs of ``workshop`` are recorded."""
    return workshop.path / "runs"
