# SPDX-License-Identifier: Apache-2.0
"""Back-off and giving up."""

from __future__ import annotations

import pytest

from okd_payload.errors import RegistryUnavailable
from okd_payload.oci.registry.retry import Patience, Transient


async def _fail(patience, *, times=1000, **trouble):
    for _ in range(times):
        await patience.endure(Transient("503", **trouble))


async def test_waits_grow_and_are_bounded(clock):
    """Each wait is about twice the last, never above half a minute, and none is repeated."""
    patience = Patience("reading x", clock=clock, deadline=10_000)
    await _fail(patience, times=12)
    assert 0.25 <= clock.waits[0] <= 0.5
    assert all(15 <= wait <= 30 for wait in clock.waits[7:])
    assert len(set(clock.waits)) > 10


async def test_the_deadline_ends_it_and_says_what_was_tried(clock):
    """The error says what, how often, for how long and why."""
    patience = Patience("reading x", clock=clock, deadline=60)
    with pytest.raises(
        RegistryUnavailable, match=r"reading x: given up after \d+ tries in"
    ) as caught:
        await _fail(patience)
    assert str(caught.value).endswith("s: 503")
    assert caught.value.hint
    assert clock.monotonic() <= 60


async def test_progress_renews_the_patience(clock):
    """A transfer that gets on between its breaks is not given up."""
    patience = Patience("reading x", clock=clock, deadline=10)
    for _ in range(100):
        await _fail(patience, times=2)
        patience.note_progress()
    assert clock.monotonic() > 10


async def test_retry_after_is_waited_for(clock):
    """The host's own word counts where it is longer than the back-off."""
    patience = Patience("reading x", clock=clock, deadline=60)
    await _fail(patience, times=1, retry_after=42)
    assert clock.waits == [42]


async def test_an_unbearable_retry_after_fails_at_once(clock):
    """A host that asks for more than the deadline is not waited for."""
    patience = Patience("reading x", clock=clock, deadline=60)
    with pytest.raises(RegistryUnavailable, match=r"after 1 try .* asks to wait 3600 s"):
        await _fail(patience, retry_after=3600)
    assert clock.waits == []


async def test_a_stated_deadline_only_shortens(clock):
    """Doubtful failures are tried for less long, never for longer."""
    short = Patience("reading x", clock=clock, deadline=5)
    with pytest.raises(RegistryUnavailable):
        for _ in range(100):
            await short.endure(Transient("500"), deadline=600)
    assert clock.monotonic() <= 5


async def test_only_waits_that_people_notice_are_told(clock):
    """Less than a second is nobody's concern."""
    told = []
    patience = Patience("reading x", clock=clock, deadline=60)
    for _ in range(6):
        await patience.endure(Transient("503"), tell=lambda: told.append(clock.waits[-1:]))
    assert len(told) == sum(wait >= 1 for wait in clock.waits)
    assert 3 <= len(told) <= 4
