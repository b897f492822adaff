# SPDX-License-Identifier: Apache-2.0
"""All who need the snapshot get the same one, brought up to date."""

from __future__ import annotations

import asyncio

from rig import STREAM, Rig

from okd_payload.controller.graph.following import SnapshotReader
from okd_payload.controller.model import Release
from okd_payload.controller.records import releases


def made(number: int) -> Release:
    """A release of the rig's stream."""
    return Release(
        name=f"4.20.{number}", stream=STREAM, created=1.0, changed=1.0, input_hash=str(number)
    )


async def test_whoever_asks_again_gets_what_was_read(rig: Rig) -> None:
    """Also at the same time: it is read once, however many wait for it."""
    await rig.database.write(lambda unit: releases.create(unit, made(1), ()))
    reader = SnapshotReader()
    first, *others = await asyncio.gather(*(reader.read(rig.surroundings) for _ in range(5)))
    assert [node.release for node in first.nodes] == ["4.20.1"]
    assert all(each.nodes is first.nodes for each in others)


async def test_what_changed_is_in_the_next_one(rig: Rig) -> None:
    """A release, and a configuration without any change of the records."""
    reader = SnapshotReader()
    assert (await reader.read(rig.surroundings)).nodes == ()
    await rig.database.write(lambda unit: releases.create(unit, made(1), ()))
    (node,) = (await reader.read(rig.surroundings)).nodes
    assert node.channels == ("nightly-4.20",)
    rig.configure(channels=("mine",))
    (node,) = (await reader.read(rig.surroundings)).nodes
    assert node.channels == ("mine",)
