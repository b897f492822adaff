# SPDX-License-Identifier: Apache-2.0
"""The page of a stable stream says which updates nobody has seen work, and where none leads on."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from litestar.testing import AsyncTestClient
from rig import Rig
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import EdgeRule, StreamKind
from okd_payload.controller.model import Edge, Phase, Release, RunState
from okd_payload.controller.records import releases, streams
from okd_payload.oci.digest import digest_of

Client = AsyncTestClient[Any]
STABLE = "4-stable"
NAMES = ("4.20.0", "4.20.1", "4.20.2")


@pytest.fixture
async def stable(rig: Rig) -> Rig:
    """A stable stream with three releases."""
    rig.configure(STABLE, kind=StreamKind.STABLE)

    def unit(connection: Connection) -> None:
        for name in NAMES:
            digest = digest_of(name.encode())
            release = Release(
                name=name,
                stream=STABLE,
                phase=Phase.ACCEPTED,
                created=1.0,
                changed=1.0,
                input_hash="",
                digest=digest,
            )
            releases.create(connection, release, ())

    await rig.database.write(unit)
    return rig


async def warning(client: Client, stream: str = STABLE, kind: str = "warn") -> str:
    """What the page warns of, without its markup."""
    answer = await client.get(f"/releasestream/{stream}")
    assert answer.status_code == 200
    found = re.search(rf'<p class="notice {kind}">(.*?)</p>', answer.text, re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", found[1])).strip() if found else ""


async def tell(rig: Rig, source: str, target: str, state: RunState) -> None:
    """What a run says of an update."""
    edge = Edge(source=source, target=target, run=f"{target}-{state.value}", state=state, time=1.0)
    await rig.database.write(lambda unit: streams.add_edge(unit, edge))


async def test_what_nobody_saw_work_is_told(client: Client, stable: Rig) -> None:
    """The newest by its name and where it comes from, older ones by their number."""
    assert await warning(client) == (
        "Nobody has seen the update from 4.20.1 to 4.20.2 work, and clusters are offered it."
        " 1 older update has not passed a test either."
    )


async def test_what_failed_is_told_and_what_passed_is_not(client: Client, stable: Rig) -> None:
    """Until a run passes; a stream whose releases come and go is no affair of this."""
    await tell(stable, NAMES[0], NAMES[1], RunState.SUCCEEDED)
    await tell(stable, NAMES[1], NAMES[2], RunState.FAILED)
    assert await warning(client) == (
        "The update from 4.20.1 to 4.20.2 failed its tests, and is recommended to no cluster."
    )
    await tell(stable, NAMES[1], NAMES[2], RunState.SUCCEEDED)
    stable.configure(STABLE, kind=StreamKind.STABLE, title="read anew")
    assert await warning(client) == ""
    stable.configure(STABLE)
    assert await warning(client) == ""


async def test_where_no_update_leads_on_is_told(client: Client, stable: Rig) -> None:
    """Although its test has passed: whoever blocked it learns what that does."""
    for pair in itertools.pairwise(NAMES):
        await tell(stable, *pair, RunState.SUCCEEDED)
    assert await warning(client, kind="bad") == ""
    rules = tuple(
        EdgeRule(source=source, target=target, message="disks are <b>lost")
        for source, target in itertools.pairwise(NAMES)
    )
    stable.configure(STABLE, kind=StreamKind.STABLE, edges=rules)
    assert await warning(client, kind="bad") == (
        "Clusters on 4.20.1 are recommended no update, also not that to 4.20.2:"
        " disks are &lt;b&gt;lost (1 older release is a dead end, too)"
    )
    assert await warning(client) == ""


async def test_what_is_blocked_is_not_said_to_be_offered(client: Client, stable: Rig) -> None:
    """Also where nobody has tested it."""
    rule = EdgeRule(source=NAMES[1], target=NAMES[2], message="no")
    stable.configure(STABLE, kind=StreamKind.STABLE, edges=(rule,))
    assert (await warning(client)).startswith(
        "Nobody has seen the update from 4.20.1 to 4.20.2 work, and it is blocked."
    )
