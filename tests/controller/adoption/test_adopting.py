# SPDX-License-Identifier: Apache-2.0
"""A payload that somebody pushes becomes a release that is ready to be verified."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from killing import each_kill
from pushed_payloads import STABLE, configure_stable, push_payload
from rig import CONTENT, RELEASES, Rig
from sqlalchemy import Connection

from okd_payload.controller.adoption.adopting import adopt_new, look_for_new
from okd_payload.controller.configuration.model import PublishAction
from okd_payload.controller.creation.keeping import kept_tag
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import payloads, releases, streams
from okd_payload.controller.service import Service
from okd_payload.controller.surroundings import Surroundings
from okd_payload.release.load import load_release
from okd_payload.testing.small_stream import push_small_stream


class NoVerifier:
    """Verifies nothing: the stream has no verifications."""

    async def advance(self, *_arguments: Any) -> None:
        """Nothing to do."""

    async def abort(self, *_arguments: Any, **_named: Any) -> None:
        """Nothing to do."""


async def passes(rig: Rig, count: int = 3) -> None:
    """So many passes over the stream."""
    await run(rig.surroundings, count)


async def run(surroundings: Surroundings, count: int = 3) -> None:
    """The same in other surroundings."""
    service = Service(surroundings, verifier=NoVerifier(), lease_seconds=1e6)
    await service.leadership.renew()
    for _ in range(count):
        await service.sync(STABLE)
    await service.leadership.give_up()


async def all_of(rig: Rig) -> list[Release]:
    """The releases, the newest first."""
    return await rig.database.read(lambda unit: releases.list_of(unit, STABLE))


async def test_a_payload_under_its_own_name_is_taken_as_it_is(rig: Rig) -> None:
    """Its images are kept, its digest stays, and what it says of updates is known."""
    configure_stable(rig)
    digest = await push_payload(rig, "4.19.0-okd-scos.0")
    await passes(rig)
    (release,) = await all_of(rig)
    assert (release.name, release.phase, release.adopted) == (
        "4.19.0-okd-scos.0",
        Phase.ACCEPTED,
        True,
    )
    assert (release.digest, release.pull_spec) == (digest, f"{RELEASES}@{digest}")
    inputs = await rig.database.read(lambda unit: releases.read_inputs(unit, release.name))
    held = await rig.repository(CONTENT).manifests.tags()
    assert held == sorted(kept_tag(each.digest) for each in inputs)
    assert all(each.commit for each in inputs)
    (facts,) = (await rig.database.read(payloads.list_all)).values()
    assert facts.previous == ("4.18.0",)


async def test_a_payload_with_another_name_is_made_again_under_its_tag(rig: Rig) -> None:
    """With the same images and the same word on updates."""
    configure_stable(rig)
    digest = await push_payload(rig, "4.19.0-0.nightly", tag="4.19.0")
    await passes(rig)
    (release,) = await all_of(rig)
    assert (release.name, release.phase) == ("4.19.0", Phase.ACCEPTED)
    assert release.input_hash == digest != release.digest
    payload = await load_release(rig.repository(RELEASES), "4.19.0")
    assert (payload.digest, payload.name) == (release.digest, "4.19.0")
    before = await load_release(rig.repository(RELEASES), digest)
    assert [(tag.name, tag.origin) for tag in payload.tags] == [
        (tag.name, tag.origin) for tag in before.tags
    ]
    assert payload.metadata is not None
    assert (payload.metadata.previous, payload.metadata.metadata["url"]) == (
        ("4.18.0",),
        "https://a.test",
    )


async def test_a_stream_that_rewrites_nothing_refuses_another_name(rig: Rig) -> None:
    """And says what the payload calls itself."""
    configure_stable(rig, rewrite=False)
    await push_payload(rig, "4.19.0-0.nightly", tag="4.19.0")
    await passes(rig)
    (release,) = await all_of(rig)
    assert release.phase is Phase.FAILED
    assert release.message == "the payload calls itself 4.19.0-0.nightly, not 4.19.0"


async def test_next_becomes_a_release_under_the_next_name(rig: Rig) -> None:
    """The tag next is gone afterwards, and free for the one after."""
    configure_stable(rig)
    await push_payload(rig, "4.19.0-okd-scos.0")
    await passes(rig)
    for change in ("two", "three"):
        await push_payload(rig, f"4.19.0-0.{change}", tag="next", change=change)
        await passes(rig, 4)
    found = {release.name: release.phase for release in await all_of(rig)}
    assert found == {f"4.19.0-okd-scos.{number}": Phase.ACCEPTED for number in range(3)}
    assert "next" not in await rig.repository(RELEASES).manifests.tags()


async def test_several_at_once_are_all_taken_over(rig: Rig) -> None:
    """None aborts another, as it would where releases are made of images."""
    configure_stable(rig)
    for number in range(3):
        await push_payload(rig, f"4.19.{number}", change=str(number))
    await passes(rig)
    assert {each.phase for each in await all_of(rig)} == {Phase.ACCEPTED}
    assert len(await all_of(rig)) == 3


async def test_what_is_no_payload_fails_and_what_is_published_is_no_release(rig: Rig) -> None:
    """The names that releases are published under are not taken for releases."""
    configure_stable(
        rig, publications=(PublishAction(name="newest", kind="tag", targets=("4.0.0",)),)
    )
    await push_payload(rig, "4.19.0")
    repository = rig.repository(RELEASES)
    await repository.manifests.put(await repository.manifests.get("4.19.0"), tag="4.0.0")
    images = await push_small_stream(repository)
    await repository.manifests.put(await repository.manifests.get(images["etcd"]), tag="4.19.5")
    await passes(rig)
    found = {each.name: each.phase for each in await all_of(rig)}
    assert found == {"4.19.0": Phase.ACCEPTED, "4.19.5": Phase.FAILED}


async def test_tags_that_are_pushed_again_are_told_on_the_page(rig: Rig) -> None:
    """The release stays what it was."""
    configure_stable(rig)
    first = await push_payload(rig, "4.19.0")
    await passes(rig)
    await push_payload(rig, "4.19.0", change="another")
    await passes(rig)
    (release,) = await all_of(rig)
    assert release.digest == first
    state = await rig.database.read(lambda unit: streams.find(unit, STABLE))
    assert "4.19.0 was pushed again" in state.error


async def test_a_look_asks_about_few_tags_however_many_there_are(rig: Rig) -> None:
    """A stable stream has hundreds of releases, and is looked at every minute."""
    configure_stable(rig)
    digest = await push_payload(rig, "4.19.0")
    repository = rig.repository(RELEASES)
    manifest = await repository.manifests.get("4.19.0")

    def fill(unit: Connection) -> None:
        for number in range(100):
            release = Release(
                name=f"4.18.{number}",
                stream=STABLE,
                phase=Phase.ACCEPTED,
                created=number,
                changed=number,
                input_hash=digest,
                digest=digest,
                adopted=True,
            )
            releases.create(unit, release, ())

    await rig.database.write(fill)
    for number in range(100):
        await repository.manifests.put(manifest, tag=f"4.18.{number}")
    repository.operations.clear()
    plan = await look_for_new(rig.surroundings, rig.streams[STABLE])
    assert [tag.name for tag in plan.adopted] == ["4.19.0"]
    assert len(repository.operations) < 10


@pytest.mark.slow
@pytest.mark.parametrize("rewritten", [False, True])
async def test_a_kill_at_any_step_changes_nothing(tmp_path: Path, *, rewritten: bool) -> None:
    """One release, with the same phases and payload, whenever the process died."""
    found = set()

    async def prepare(rig: Rig) -> None:
        configure_stable(rig)
        await push_payload(rig, "4.18.5")
        await passes(rig)
        await push_payload(rig, "0.0.1" if rewritten else "4.18.6", tag="next", change="two")

    async def act(surroundings: Surroundings) -> None:
        await run(surroundings, 4)

    async for rig in each_kill(tmp_path, prepare, act):
        newest = max(await all_of(rig), key=lambda each: each.name)
        steps = await rig.database.read(
            lambda unit, name=newest.name: releases.read_transitions(unit, name)
        )
        tags = await rig.repository(RELEASES).manifests.tags()
        found.add(
            (
                newest.name,
                len(await all_of(rig)),
                tuple(step.after for step in steps),
                tuple(tag for tag in tags if tag.startswith(("4.", "next"))),
            )
        )
    assert found == {
        (
            "4.18.6",
            2,
            (Phase.PENDING, Phase.READY, Phase.ACCEPTED),
            ("4.18.5", "4.18.6"),
        )
    }


async def test_who_was_slower_begins_no_second_release(rig: Rig) -> None:
    """Two looks at the same tags, one release."""
    configure_stable(rig)
    await push_payload(rig, "4.19.0")
    pending: list[Callable[[Connection], None]] = []

    async def later(unit: Callable[[Connection], None]) -> None:
        pending.append(unit)

    write: Callable[[Callable[[Connection], None]], Awaitable[None]] = later
    for _ in range(2):
        await adopt_new(rig.surroundings, rig.streams[STABLE], write=write)
    for unit in pending:
        await rig.database.write(unit)
    assert len(await all_of(rig)) == 1
