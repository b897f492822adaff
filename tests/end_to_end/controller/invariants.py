# SPDX-License-Identifier: Apache-2.0
"""What must hold of the records and layouts of a controller, whatever was killed when."""

from __future__ import annotations

from collections import Counter, defaultdict

from serving import Streams

from okd_payload.controller.creation.keeping import kept_tag
from okd_payload.controller.model import (
    FOLLOWERS,
    Event,
    FrozenInput,
    Phase,
    Publication,
    PublicationState,
    Release,
    RunState,
    Transition,
    VerificationRun,
)
from okd_payload.controller.records import Database, events, releases, runs
from okd_payload.controller.records import streams as stream_records
from okd_payload.release.load import load_release


class Records:
    """Everything that the records say, read at one moment."""

    def __init__(
        self,
        found: list[Release],
        steps: dict[str, list[Transition]],
        inputs: dict[str, list[FrozenInput]],
        told: list[Event],
        made: dict[str, list[VerificationRun]],
        published: list[Publication],
    ) -> None:
        self.releases, self.steps, self.inputs, self.told = found, steps, inputs, told
        self.runs, self.publications = made, published

    def of(self, stream: str) -> list[Release]:
        """The releases of one stream, the newest first."""
        return [each for each in self.releases if each.stream == stream]

    @property
    def settled(self) -> bool:
        """Whether every release is decided, and nothing is under way for it."""
        return all(each.phase.is_final for each in self.releases) and all(
            run.state.is_final for made in self.runs.values() for run in made
        )

    def done(self, stream: str) -> list[str]:
        """The releases of one stream that were published, as that was done."""
        names = {each.name for each in self.of(stream)}
        return [
            each.release
            for each in self.publications
            if each.state is PublicationState.DONE and each.release in names
        ]


async def read_records(database: Database) -> Records:
    """What the records say now."""

    def read(unit: object) -> Records:
        found = releases.list_of(unit, withdrawn=None)  # type: ignore[arg-type]
        told: list[Event] = []
        while more := events.read_since(unit, told[-1].sequence if told else 0):  # type: ignore[arg-type]
            told += more
        return Records(
            found,
            {each.name: releases.read_transitions(unit, each.name) for each in found},  # type: ignore[arg-type]
            {each.name: list(releases.read_inputs(unit, each.name)) for each in found},  # type: ignore[arg-type]
            told,
            runs.list_of(unit, [each.name for each in found]),  # type: ignore[arg-type]
            stream_records.read_publications(unit),  # type: ignore[arg-type]
        )

    return await database.read(read)


async def check(records: Records, streams: Streams) -> None:
    """Fail unless everything holds that must hold at any time."""
    check_phases(records)
    check_once(records)
    check_runs(records)
    for stream in {each.stream for each in records.releases}:
        await check_content(records, streams, stream)
        await check_published(records, streams, stream)


def check_phases(records: Records) -> None:
    """The log of each release leads from nothing to its phase, each step a permitted one."""
    for release in records.releases:
        steps = records.steps[release.name]
        assert [step.before for step in steps] == [None, *(step.after for step in steps[:-1])]
        assert all(step.after in FOLLOWERS[step.before] for step in steps), steps
        assert steps[-1].after is release.phase
        assert [step.time for step in steps] == sorted(step.time for step in steps)


def check_once(records: Records) -> None:
    """No input was released twice, and each step was told, once."""
    hashes = Counter((each.stream, each.input_hash) for each in records.releases)
    assert [key for key, count in hashes.items() if count > 1] == []
    created = Counter(each.release for each in records.told if each.kind == "release.created")
    assert created == Counter(each.name for each in records.releases)
    told: dict[str, int] = defaultdict(int)
    for event in records.told:
        told[event.release] += event.kind == "release.phase"
    for release in records.releases:
        assert told[release.name] == len(records.steps[release.name]) - 1  # creation is told apart


def check_runs(records: Records) -> None:
    """What is accepted has passed all that blocks, and no verification was made twice."""
    for release in records.releases:
        made = records.runs[release.name]
        again = Counter((run.verification, run.attempt, run.number) for run in made)
        assert all(count == 1 for count in again.values()), again
        passed = {run.verification for run in made if run.state is RunState.SUCCEEDED}
        if release.phase is Phase.ACCEPTED:
            assert {run.verification for run in made} <= passed


async def check_published(records: Records, streams: Streams, stream: str) -> None:
    """Each release was published once at most, newer ones later, and the last one stands there."""
    done = records.done(stream)
    assert done == sorted(set(done)), done
    if done:
        standing = await streams.layout(stream, "releases").manifests.get("latest")
        assert standing.digest == next(
            each.digest for each in records.of(stream) if each.name == done[-1]
        )


async def check_content(records: Records, streams: Streams, stream: str) -> None:
    """Each payload is there under its name and no other; each image it was made of is pullable."""
    payloads = streams.layout(stream, "releases")
    content = streams.layout(stream, "content")
    made = {each.name: each for each in records.of(stream) if each.digest}
    tags = set(await payloads.manifests.tags()) - {"latest"}
    assert set(made) <= tags
    pending = {each.name for each in records.of(stream) if not each.digest}
    assert tags <= set(made) | pending
    held = set(await content.manifests.tags())
    for name, release in made.items():
        payload = await load_release(payloads, name)
        assert (payload.digest, payload.name) == (release.digest, name)
        pinned = {each.name: each for each in payload.tags}
        for image in records.inputs[name]:
            assert kept_tag(image.digest) in held
            assert image.tag in pinned
            manifest = await content.manifests.get(image.digest)
            assert manifest.digest == image.digest
