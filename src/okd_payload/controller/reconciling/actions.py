# SPDX-License-Identifier: Apache-2.0
"""What a pass over a stream may do: values, so that a dry run prints what a pass would do."""

from __future__ import annotations

import msgspec

from okd_payload.controller.model import Phase


class Action(msgspec.Struct, frozen=True, kw_only=True, tag_field="action"):
    """Base of all actions; ``reason`` is for people."""

    reason: str = ""


class OnRelease(Action, frozen=True, kw_only=True):
    """Base of those that are about one release."""

    release: str


class Begin(Action, frozen=True, kw_only=True, tag="begin"):
    """Begin a release of the inputs as they are now."""

    input_hash: str


class Make(OnRelease, frozen=True, kw_only=True, tag="make"):
    """Make the payload of a pending release, or go on with it."""

    attempt: int


class Verify(OnRelease, frozen=True, kw_only=True, tag="verify"):
    """Start, follow and end the runs of a release that is ready."""


class Settle(OnRelease, frozen=True, kw_only=True, tag="settle"):
    """Move a release on."""

    phase: Phase
    code: str
    """One word, for the record."""


class Abort(OnRelease, frozen=True, kw_only=True, tag="abort"):
    """End the runs of a release that nobody waits for any more."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done for a stream now."""

    actions: tuple[Action, ...] = ()
    waiting: str = ""
    """Why no release is begun; empty when one is, or nothing changed."""
    wake: float | None = None
    """When to look again although nothing happens; None when only a happening matters."""
