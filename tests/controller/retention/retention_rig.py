# SPDX-License-Identifier: Apache-2.0
"""Releases that expire, a follower that removes them, and what may be there afterwards."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from rig import CONTENT, INPUT, STREAM, Rig
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import (
    Retention,
)
from okd_payload.controller.creation.keeping import KEPT_PREFIX
from okd_payload.controller.creation.making import make_payload
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import (
    Phase,
    Release,
)
from okd_payload.controller.records import releases
from okd_payload.controller.retention.follower import RetentionFollower
from okd_payload.controller.surroundings import Surroundings
from okd_payload.testing.small_stream import push_small_stream

HOUR = 3600.0

SOON = Retention(expires=HOUR, keep_accepted=1, keep_rejected=1, keep_failed=1, grace=HOUR)


async def write(surroundings: Surroundings, unit: Callable[[Connection], None]) -> None:
    """Write whoever acts."""
    await surroundings.database.write(unit)


def follower(surroundings: Surroundings) -> RetentionFollower:
    """Retention in these surroundings."""
    return RetentionFollower(surroundings, write=lambda unit: write(surroundings, unit))


async def make(
    rig: Rig, name: str, change: str, phase: Phase = Phase.ACCEPTED, stream: str = STREAM
) -> Release:
    """A release with a real payload, made of the small stream as it is after ``change``."""
    await push_small_stream(rig.repository(INPUT), change=change)
    configuration = rig.streams[stream]
    images = await read_input(rig.surroundings, configuration)
    now = rig.clock.now()
    begun = Release(
        name=name, stream=stream, created=now, changed=now, input_hash=images.input_hash
    )
    await rig.database.write(lambda unit: releases.create(unit, begun, images.images))
    made = await make_payload(rig.surroundings, configuration, begun, images.images)

    def finish(unit: Connection) -> Release:
        releases.write_inputs(unit, name, made.images)
        ready = msgspec.structs.replace(begun, digest=made.digest, pull_spec=made.pull_spec)
        moved = releases.move(unit, ready, Phase.READY, time=now)
        return releases.move(unit, moved, phase, time=now)

    rig.clock.advance(1)
    return await rig.database.write(finish)


async def known(rig: Rig, stream: str = STREAM) -> dict[str, bool]:
    """The releases there are, and whether they are withdrawn."""
    found = await rig.database.read(lambda unit: releases.list_of(unit, stream, withdrawn=None))
    return {each.name: each.withdrawn is not None for each in found}


async def kept_tags(rig: Rig) -> list[str]:
    """The tags that hold images."""
    tags = await rig.repository(CONTENT).manifests.tags()
    return [tag for tag in tags if tag.startswith(KEPT_PREFIX)]
