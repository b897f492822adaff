# SPDX-License-Identifier: Apache-2.0
"""The table of rights is enough for Shipwright: a stream is built by whoever has nothing else."""

from __future__ import annotations

from okd_payload.engines.pod.rights import SHIPWRIGHT
from okd_payload.testing.kubernetes import MemoryCluster

USER = "system:serviceaccount:builds:me"


async def test_the_rights_of_the_table_suffice(world):
    """Nothing that a build does on the cluster needs another right, its log included."""
    for right in SHIPWRIGHT:
        group = f".{right.kind.group}" if right.kind.group else ""
        plural, slash, part = right.resource.partition("/")
        name = f"{plural}{group}{slash}{part}"
        world.simulated.access.grant(USER, list(right.verbs), [name])
    mine = MemoryCluster("builds", cluster=world.simulated, user=USER)
    administrator, world.cluster = world.cluster, mine
    outcome = await world.build(world.stream(1))
    world.cluster = administrator
    assert outcome.is_complete
    assert "built c0" in (outcome.folder / "logs" / "c0.log").read_text()
    assert await world.left() == []
