# SPDX-License-Identifier: Apache-2.0
"""Builtin checks: run in this process, told with every issue, made again after a kill."""

from __future__ import annotations

import asyncio

import pytest
from rig import CONTENT, INPUT, RELEASES, Rig
from runners_rig import MakeContext, MakeRelease, noted, until_ended

from okd_payload.controller.model import RunState
from okd_payload.controller.verification.junit import parse_junit
from okd_payload.controller.verification.runner import LocalRunner, RunContext, RunUpdate
from okd_payload.controller.verification.runners import RunnerChoices, make_runners
from okd_payload.controller.verification.runners.builtin.findings import Findings
from okd_payload.errors import RegistryUnavailable
from okd_payload.oci.digest import Digest
from okd_payload.release.accept.codes import NO_LATER_KEYS


async def run_check(rig: Rig, context: RunContext) -> RunUpdate:
    """What a new controller finds of the run, from its start to its end."""
    woken = asyncio.Event()
    choices = RunnerChoices(wake=lambda _stream: woken.set())
    runner = make_runners(rig.surroundings, choices)["builtin"]
    update = await runner.start(context)
    assert update.state is RunState.RUNNING
    return await until_ended(runner, noted(context, update), woken=woken)


async def test_a_sound_release_passes_each_check(
    rig: Rig, make_release: MakeRelease, make_context: MakeContext
) -> None:
    """With a log and results that say what was looked at."""
    release = await make_release()
    for check in ("lint", "verify", "images"):
        context = make_context("builtin", release, name=check, settings={"check": check})
        update = await run_check(rig, context)
        log = (context.folder / update.log).read_text()
        assert update.state is RunState.SUCCEEDED, log
        assert log.endswith(": succeeded\n")
        assert update.artifacts == ("artifacts/junit.xml",)
        assert not parse_junit((context.folder / update.artifacts[0]).read_bytes()).failures


@pytest.mark.parametrize(
    ("count", "told"), [(0, ""), (1, "1 finding blocks"), (3, "3 findings block")]
)
def test_what_blocks_nothing_is_counted(count: int, told: str) -> None:
    """In a sentence that stands alone on the page of the release."""
    findings = Findings(check="accept", issues=(NO_LATER_KEYS.issue("none"),) * count)
    assert findings.outcome.message == (f"{told} nothing; see the log" if told else "")


async def test_two_layouts_may_have_one_name(
    rig: Rig, make_release: MakeRelease, make_context: MakeContext
) -> None:
    """As those of a stream on a disk: each image is looked for where it is."""
    rig.configure(content_name="localhost/stream", releases_name="localhost/stream")
    release = await make_release()
    assert release.pull_spec.startswith("localhost/stream@")
    for check in ("lint", "verify", "images"):
        context = make_context("builtin", release, name=check, settings={"check": check})
        update = await run_check(rig, context)
        assert update.state is RunState.SUCCEEDED, update.message


def remove(rig: Rig, tag: str) -> Digest:
    """Take the image that is tagged ``tag`` in the input out of the content repository."""
    digest = rig.repository(INPUT).manifests.tagged[tag]
    del rig.repository(CONTENT).manifests.images[digest]
    return digest


@pytest.mark.parametrize("check", ["lint", "verify"])
async def test_every_issue_is_named(
    rig: Rig, make_release: MakeRelease, make_context: MakeContext, check: str
) -> None:
    """In the message, the log and the results; what the stream permits does not count."""
    release = await make_release()
    gone = [remove(rig, tag) for tag in ("etcd", "etcd-operator")]
    context = make_context("builtin", release, settings={"check": check})
    update = await run_check(rig, context)
    assert update.state is RunState.FAILED
    results = parse_junit((context.folder / update.artifacts[0]).read_bytes())
    log = (context.folder / update.log).read_text()
    assert all(digest in text for digest in gone for text in (update.message, log))
    codes, components = zip(*(case.name.split() for case in results.failures), strict=True)
    assert components == ("etcd", "etcd-operator")
    permitted = make_context(
        "builtin", release, name="permissive", settings={"check": check, "permit": codes[0]}
    )
    assert (await run_check(rig, permitted)).state is RunState.SUCCEEDED


async def test_images_without_their_program_are_told(
    rig: Rig, make_release: MakeRelease, make_context: MakeContext
) -> None:
    """A command that is not in the image, or that nobody may run."""
    for program, problem in (
        ("/bin/absent", "is not in the image"),
        ("bin", "is not in the image"),
        ("/bin", "is no file"),
        ("/bin/plain", "may not be run by anybody"),
    ):
        release = await make_release(programs={"etcd": program})
        context = make_context(
            "builtin", release, name=program.replace("/", "x"), settings={"check": "images"}
        )
        update = await run_check(rig, context)
        assert update.state is RunState.FAILED
        assert update.message == f"etcd: its command {program} {problem}"


async def test_an_update_is_judged_as_a_cluster_would(
    rig: Rig, make_release: MakeRelease, make_context: MakeContext
) -> None:
    """From the run's origin; the reasons are a cluster's own."""
    old = await make_release()
    new = await make_release(name="4.20.0-0.test-2026-01-03-030405", change="two")
    context = make_context(
        "builtin", new, settings={"check": "accept"}, from_pull_spec=old.pull_spec
    )
    update = await run_check(rig, context)
    assert update.state is RunState.FAILED
    assert "ImageVerificationFailed" in update.message
    forced = make_context(
        "builtin",
        new,
        name="unsigned",
        settings={"check": "accept", "permit": "no-update-keys, unretrievable-update"},
        from_pull_spec=old.pull_spec,
    )
    update = await run_check(rig, forced)
    assert update.state is RunState.SUCCEEDED, update.message


async def test_a_registry_that_is_away_is_waited_for(
    rig: Rig, make_release: MakeRelease, make_context: MakeContext
) -> None:
    """It says nothing of the release: the poll tells, and a later one makes the check again."""
    context = make_context("builtin", await make_release())
    rig.errors[RELEASES] = RegistryUnavailable("quay.test is away")
    with pytest.raises(RegistryUnavailable, match="is away"):
        await run_check(rig, context)
    rig.errors.clear()
    assert (await run_check(rig, context)).state is RunState.SUCCEEDED


async def test_a_release_that_is_gone_has_failed(rig: Rig, make_context: MakeContext) -> None:
    """There is nothing that anybody could install."""
    update = await run_check(rig, make_context("builtin"))
    assert update.state is RunState.FAILED
    assert "1111" in update.message


async def test_what_ended_is_found_again_and_not_made_again(
    rig: Rig, make_release: MakeRelease, make_context: MakeContext
) -> None:
    """By another process, after a kill between the end and the note."""
    context = make_context("builtin", await make_release())
    ended = await run_check(rig, context)
    rig.errors[RELEASES] = RegistryUnavailable("nobody may look again")
    again = make_runners(rig.surroundings)["builtin"]
    assert await again.start(context) == ended
    assert await again.poll(context) == ended


async def test_checks_under_way_are_waited_for(
    rig: Rig, make_release: MakeRelease, make_context: MakeContext
) -> None:
    """Whoever does not stay waits for them; one without an outcome is no news."""
    runner = make_runners(rig.surroundings)["builtin"]
    assert isinstance(runner, LocalRunner)
    assert not await runner.wait()
    context = make_context("builtin", await make_release(), settings={"check": "verify"})
    update = await runner.start(context)
    assert await runner.wait()
    assert (await runner.poll(noted(context, update))).state is RunState.SUCCEEDED
    assert not await runner.wait()
    again = make_context("builtin", await make_release(), name="again")
    rig.errors[RELEASES] = RegistryUnavailable("quay.test is away")
    await runner.start(again)
    assert not await runner.wait()


async def test_a_check_that_is_cancelled_ends(
    rig: Rig, make_release: MakeRelease, make_context: MakeContext
) -> None:
    """It writes nothing down, and one that never began is no error."""
    context = make_context("builtin", await make_release())
    runner = make_runners(rig.surroundings)["builtin"]
    await runner.cancel(context)
    await runner.start(context)
    await runner.cancel(context)
    assert not context.folder.exists()
