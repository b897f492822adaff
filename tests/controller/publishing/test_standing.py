# SPDX-License-Identifier: Apache-2.0
"""The last lines of the log of a way of publishing say what stands there, as all of them would."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import CONTROLLER, Publication, PublicationState
from okd_payload.controller.publishing.follower import read_current, read_standing
from okd_payload.controller.publishing.standing import Standing
from okd_payload.controller.records import Database, streams, tables

STREAM = StreamConfiguration(name="s")
LINES = st.lists(
    st.tuples(
        st.sampled_from(["4.20.1", "4.20.2"]),
        st.sampled_from([*PublicationState, PublicationState.DONE, PublicationState.UNDONE]),
        st.sampled_from([CONTROLLER, "ann"]),
        st.sampled_from(["", "4.20.1"]),
    ),
    max_size=10,
)


def told(standing: Standing) -> tuple[Any, ...]:
    """What both have to say."""
    return (
        standing.current,
        standing.published.get(standing.current),
        standing.replaced,
        standing.restoring,
        standing.asked,
    )


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
async def test_few_lines_say_what_stands_there(
    database: Database, lines: list[tuple[str, PublicationState, str, str]]
) -> None:
    """Whatever happened; what another stream or way of publishing did is none of it."""

    def unit(connection: Connection) -> None:
        connection.execute(delete(tables.publications))
        for number, (release, state, actor, replaced) in enumerate(lines):
            line = Publication(
                release=release,
                name="tag",
                state=state,
                time=float(number),
                actor=actor,
                replaced=replaced,
            )
            streams.add_publication(connection, line, stream="s")
        other = Publication(release="x", name="other", state=PublicationState.DONE, time=0.0)
        streams.add_publication(connection, other, stream="s")
        other = Publication(release="x", name="tag", state=PublicationState.DONE, time=0.0)
        streams.add_publication(connection, other, stream="another")

    await database.write(unit)
    few = await database.read(lambda unit: read_current(unit, STREAM, "tag"))
    every = await database.read(lambda unit: read_standing(unit, STREAM, "tag"))
    assert told(few) == told(every)
