# SPDX-License-Identifier: Apache-2.0
"""The table of rights is enough: a stream is built by somebody who has nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pretend_tekton import Script
from shipyard import Shipyard
from virtual_time import run_virtually
from workshop import actions

from okd_payload.engines.pod.rights import TEKTON
from okd_payload.testing.kubernetes import MemoryCluster

USER = "system:serviceaccount:builds:me"
TWO = {"base": "FROM scratch\nLABEL base=1\n", "tool": "FROM base\nLABEL tool=1\n"}


def limited(yard: Shipyard, *, without: str = "") -> None:
    """Let the engine have the rights of the table, but for ``without``."""
    for right in TEKTON:
        group = f".{right.kind.group}" if right.kind.group else ""
        plural, slash, part = right.resource.partition("/")
        verbs = [verb for verb in right.verbs if f"{verb} {plural}{slash}{part}" != without]
        yard.simulated.access.grant(USER, verbs, [f"{plural}{group}{slash}{part}"])
    yard.cluster = MemoryCluster("builds", cluster=yard.simulated, user=USER)


def build(yard: Shipyard) -> Any:
    """The outcome of building two components, of which one needs a second attempt."""

    async def work() -> Any:
        async with yard.cluster:
            return await yard.build(await yard.freeze(yard.catalog(TWO)))

    return run_virtually(work())


def test_the_rights_of_the_table_suffice(tmp_path: Path):
    """Nothing that a build does on the cluster needs another right, logs and retries included."""
    yard = Shipyard(tmp_path)
    limited(yard)
    yard.follow({"tool": [Script(end="PodEvicted"), Script()]})
    outcome = build(yard)
    assert set(actions(outcome).values()) == {"built"}
    assert yard.kept_lines
    assert yard.task_runs == []


@pytest.mark.parametrize("verb", ["create", "list", "watch"])
def test_a_right_that_is_missing_is_missed(verb: str, tmp_path: Path):
    """The rights are really asked for: without one of them nothing is built."""
    yard = Shipyard(tmp_path)
    limited(yard, without=f"{verb} taskruns")
    with pytest.raises(Exception, match=rf"lacks the right to {verb} taskruns|{verb} taskruns"):
        outcome = build(yard)
        raise AssertionError([item.reason for item in outcome.record.components])
