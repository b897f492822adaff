# SPDX-License-Identifier: Apache-2.0
"""What people do is done at once or refused with a reason, and always told with their name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rig import STREAM, Rig

from okd_payload.controller import actions
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import events, releases, streams
from okd_payload.errors import InputError, UnknownName

NOW = 1_700_000_000.0
Act = Callable[..., Awaitable[Any]]


async def put(rig: Rig, phase: Phase) -> None:
    """A release ``r`` in this phase."""
    release = Release(
        name="r",
        stream=STREAM,
        phase=phase,
        created=NOW,
        changed=NOW,
        input_hash="h",
        attempts=3,
        message="before",
    )
    await rig.database.write(lambda unit: releases.create(unit, release, ()))


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        (actions.accept, Phase.READY, Phase.ACCEPTED),
        (actions.accept, Phase.REJECTED, Phase.ACCEPTED),
        (actions.accept, Phase.ACCEPTED, Phase.ACCEPTED),
        (actions.accept, Phase.PENDING, None),
        (actions.accept, Phase.FAILED, None),
        (actions.reject, Phase.READY, Phase.REJECTED),
        (actions.reject, Phase.ACCEPTED, Phase.REJECTED),
        (actions.reject, Phase.PENDING, None),
        (actions.retry, Phase.REJECTED, Phase.READY),
        (actions.retry, Phase.ACCEPTED, Phase.READY),
        (actions.retry, Phase.FAILED, Phase.PENDING),
        (actions.retry, Phase.PENDING, None),
    ],
)
async def test_phases_that_people_may_set(
    rig: Rig, act: Act, before: Phase, after: Phase | None
) -> None:
    """What may follow is done and logged with who and why; all else changes nothing."""
    await put(rig, before)
    if after is None:
        with pytest.raises(InputError, match=f"is {before.value} and cannot become"):
            await act(rig.surroundings, "r", actor="ann", reason="because")
    else:
        await act(rig.surroundings, "r", actor="ann", reason="because")
    found = await rig.database.read(lambda unit: releases.find(unit, "r"))
    assert found is not None
    assert found.phase is (after or before)
    steps = await rig.database.read(lambda unit: releases.read_transitions(unit, "r"))
    if after in (None, before):
        assert len(steps) == 1
    else:
        assert (steps[-1].actor, steps[-1].message, steps[-1].after) == ("ann", "because", after)
        assert found.attempts == 0


async def test_marks_are_told_of(rig: Rig) -> None:
    """Keeping and withdrawing are seen by whoever listens, and can be taken back."""
    await put(rig, Phase.ACCEPTED)
    for act, field, value in (
        (actions.keep, "kept", True),
        (actions.stop_keeping, "kept", False),
        (actions.withdraw, "withdrawn", rig.clock.now()),
        (actions.restore, "withdrawn", None),
    ):
        await act(rig.surroundings, "r", actor="ann", reason=act.__name__)
        found = await rig.database.read(lambda unit: releases.find(unit, "r"))
        assert getattr(found, field) == value
        (told,) = await rig.database.read(lambda unit: events.read_last(unit, limit=1))
        assert (told.kind, told.actor, told.message) == ("release.changed", "ann", act.__name__)


async def test_streams_are_paused_resumed_and_asked_for_releases(rig: Rig) -> None:
    """A pause has a reason and an author, which the page shows."""
    surroundings = rig.surroundings
    await actions.pause(surroundings, STREAM, actor="ann", reason="a freeze")
    await actions.rebuild(surroundings, STREAM, actor="bob", reason="again")
    state = await rig.database.read(lambda unit: streams.find(unit, STREAM))
    assert (state.paused, state.paused_by, state.rebuild) == ("a freeze", "ann", True)
    await actions.pause(surroundings, STREAM, actor="ann", reason="caf\udce9")  # no UTF-8
    state = await rig.database.read(lambda unit: streams.find(unit, STREAM))
    assert state.paused == "caf\N{REPLACEMENT CHARACTER}"
    await actions.resume(surroundings, STREAM, actor="bob", reason="")
    state = await rig.database.read(lambda unit: streams.find(unit, STREAM))
    assert (state.paused, state.rebuild) == ("", True)
    told = await rig.database.read(lambda unit: events.read_since(unit, 0))
    assert [(each.kind, each.actor) for each in told] == [
        ("stream.paused", "ann"),
        ("stream.rebuild", "bob"),
        ("stream.paused", "ann"),
        ("stream.resumed", "bob"),
    ]


async def test_what_is_not_there_is_refused_with_what_is(rig: Rig) -> None:
    """A mistyped name changes nothing; reasons are asked for where readers need them."""
    await put(rig, Phase.PENDING)
    with pytest.raises(UnknownName, match="release"):
        await actions.accept(rig.surroundings, "x", actor="ann", reason="")
    with pytest.raises(UnknownName, match="release stream"):
        await actions.pause(rig.surroundings, "x", actor="ann", reason="y")
    with pytest.raises(InputError, match="without a reason"):
        await actions.reject(rig.surroundings, "r", actor="ann", reason=" ")
    with pytest.raises(InputError, match="without a reason"):
        await actions.pause(rig.surroundings, STREAM, actor="ann", reason="")
    with pytest.raises(InputError, match="is being made"):
        await actions.withdraw(rig.surroundings, "r", actor="ann", reason="")
