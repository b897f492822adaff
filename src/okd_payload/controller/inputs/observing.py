# SPDX-License-Identifier: Apache-2.0
"""One look at an input: what it is now, and what is remembered of it.

What cannot be read is remembered with its error and since when, so that pages can say so; what
was seen before stays, and nothing is begun from half a look.
"""

from __future__ import annotations

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.inputs.reading import InputImages, read_input
from okd_payload.controller.model import StreamState
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import OkdPayloadError


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """The images as they are now, and what to remember."""

    images: InputImages = InputImages()
    state: StreamState


async def observe(
    surroundings: Surroundings, configuration: StreamConfiguration, state: StreamState
) -> Observation:
    """Look at the input of ``configuration``; nothing is written."""
    now = surroundings.clock.now()
    try:
        images = await read_input(surroundings, configuration)
    except OkdPayloadError as error:
        since = state.error_since if state.error else now
        return Observation(
            state=msgspec.structs.replace(state, error=error.message, error_since=since)
        )
    return Observation(images=images, state=note(state, images.input_hash, now=now))


def note(state: StreamState, input_hash: str, *, now: float) -> StreamState:
    """``state`` after the inputs were seen to have ``input_hash``."""
    moved = None if state.moved is None else min(state.moved, now)  # the clock may be set back
    if input_hash != state.input_hash:
        moved = now if state.input_hash else None  # what was there first has not just changed
    return msgspec.structs.replace(
        state, input_hash=input_hash, seen=now, moved=moved, error="", error_since=None
    )
