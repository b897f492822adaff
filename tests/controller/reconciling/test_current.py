# SPDX-License-Identifier: Apache-2.0
"""What is decided of a handful of releases is what would be decided of them all."""

from __future__ import annotations

import random

import msgspec
import pytest
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import Phase, Release, StreamState
from okd_payload.controller.reconciling.decide import Situation, Verdict, decide
from okd_payload.controller.records import Database, releases

NOW = 1_700_000_000.0


FINAL = (Phase.ACCEPTED, Phase.REJECTED, Phase.FAILED)


def fill(connection: Connection, chance: random.Random, undecided: tuple[Phase, ...]) -> None:
    """Releases of two streams; most are decided, as they are after years."""
    for number in range(40):
        phase = chance.choice([*undecided, *FINAL, *FINAL])
        created = NOW - chance.randint(0, 20) * 600.0
        release = Release(
            name=f"r{number}",
            stream=chance.choice("aab"),
            phase=phase,
            created=created,
            changed=created,
            input_hash="",
            kept=chance.random() < 0.3,
            adopted=chance.random() < 0.2,
            withdrawn=chance.choice([None, None, None, NOW]),
        )
        releases.create(connection, release, ())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("undecided", [(), (Phase.READY,), (Phase.READY, Phase.PENDING)])
async def test_a_decision_needs_no_release_that_is_past(
    database: Database, undecided: tuple[Phase, ...], seed: int
) -> None:
    """With every rule that looks at other releases, on each database."""
    chance = random.Random(seed)
    await database.write(lambda unit: fill(unit, chance, undecided))
    every = await database.read(lambda unit: releases.list_of(unit, "a"))
    few = await database.read(lambda unit: releases.list_current(unit, "a"))
    assert len(few) <= sum(not each.phase.is_final for each in every) + 2 < len(every)
    for interval, limit, supersede in ((0.0, 0, False), (7200.0, 2, True), (60.0, 1, True)):
        configuration = StreamConfiguration(
            name="a", min_interval=interval, max_unready=limit, supersede=supersede
        )
        situation = Situation(
            configuration=configuration,
            state=StreamState(name="a", rebuild=supersede and seed == 0),
            releases=tuple(every),
            input_hash="now",
            verdicts={
                each.name: Verdict(phase=chance.choice([None, Phase.ACCEPTED])) for each in every
            },
            now=NOW,
        )
        shorter = msgspec.structs.replace(situation, releases=tuple(few))
        assert decide(shorter) == decide(situation)
