# SPDX-License-Identifier: Apache-2.0
"""What is read of a stream decides as all its releases would."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete

from okd_payload.controller.configuration.model import (
    Retention,
    StreamConfiguration,
    StreamKind,
)
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import Database, releases, tables
from okd_payload.controller.retention.deciding import Step, decide_fates
from okd_payload.controller.retention.reading import read_due, read_fates

NOW = 1_700_000_000.0
HOUR = 3600.0
FEW = st.integers(0, 2)
MOST = (Phase.ACCEPTED, Phase.ACCEPTED, Phase.REJECTED, Phase.REJECTED)
RULES = st.builds(
    Retention,
    expires=st.sampled_from([0.0, 3 * HOUR]),
    keep_accepted=FEW,
    keep_rejected=FEW,
    keep_failed=FEW,
    grace=st.just(HOUR),
)
HISTORIES = st.lists(
    st.tuples(
        st.sampled_from([*MOST, *Phase]),
        st.integers(0, 8),  # hours since; several may be of one moment
        st.sampled_from([False] * 5 + [True]),
        st.sampled_from([*[None] * 5, NOW - 2 * HOUR, NOW]),
    ),
    min_size=4,
    max_size=20,
)


LONG = [(phase, age, False, None) for age in range(9) for phase in (*MOST[::2], Phase.FAILED)]
SHORT_RULES = Retention(expires=HOUR, keep_accepted=2, keep_rejected=2, keep_failed=2)


@example(LONG, SHORT_RULES, StreamKind.INTEGRATION)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORIES, RULES, st.sampled_from([StreamKind.INTEGRATION, *StreamKind]))
async def test_few_decide_as_all_would(
    database: Database, history: list[tuple[Any, ...]], rules: Retention, kind: StreamKind
) -> None:
    """Whichever release is asked about; and none that goes, or will, is passed over."""
    configuration = StreamConfiguration(name="s", kind=kind, retention=rules)
    written = [
        Release(
            name=f"r{number:02}",
            stream="s",
            phase=phase,
            created=NOW - age * HOUR,
            changed=NOW,
            input_hash="h",
            kept=kept,
            withdrawn=withdrawn,
        )
        for number, (phase, age, kept, withdrawn) in enumerate(history)
    ]

    def unit(connection: Connection) -> None:
        connection.execute(delete(tables.releases))
        for each in written:
            releases.create(connection, each, ())

    await database.write(unit)
    every = sorted(written, key=lambda each: (each.created, each.name), reverse=True)
    expected = decide_fates(configuration, every, references={}, now=NOW)
    others = {"s": configuration}

    def read(connection: Connection) -> None:
        for each in written:
            found = read_fates(connection, configuration, [each], configurations=others, now=NOW)
            assert found[each.name] == expected[each.name]
        due = read_due(connection, configuration, configurations=others, now=NOW)
        assert {name: fate for name, fate in due.by_name.items() if fate != expected[name]} == {}
        for name, fate in expected.items():
            if fate.step is not Step.STAY or fate.expires is not None:
                assert name in due.by_name

    await database.read(read)
