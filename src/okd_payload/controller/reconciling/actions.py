# SPDX-License-Identifier: Apache-2.0
"""What a pass over a stream may do: values, so that a dry run prints what a pass would do.

Whoever takes an action tells it to the listener of progress before (``Taken``), in a dry run as
well as in earnest; what could be done and is held back by something is told too (``Held``).
"""

from __future__ import annotations

import msgspec

from okd_payload.controller.model import Phase
from okd_payload.progress import Event


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


class Mirror(Action, frozen=True, kw_only=True, tag="mirror"):
    """Copy an image of another stream into the input of this one."""

    image: str


class Adopt(OnRelease, frozen=True, kw_only=True, tag="adopt"):
    """Begin a release for what somebody put into a stable stream."""


class Rename(OnRelease, frozen=True, kw_only=True, tag="rename"):
    """Give the tag ``next`` of a stable stream the name of a release."""


class StartRun(OnRelease, frozen=True, kw_only=True, tag="start run"):
    """Start a verification of a release."""

    run: str
    runner: str


class EndRun(OnRelease, frozen=True, kw_only=True, tag="end run"):
    """End a run that nobody needs, or that takes too long."""

    run: str


class Publish(OnRelease, frozen=True, kw_only=True, tag="publish"):
    """Publish a release in one of the ways of its stream."""

    publication: str
    kind: str
    targets: tuple[str, ...] = ()
    replaces: str = ""
    restores: bool = False


class Withdraw(OnRelease, frozen=True, kw_only=True, tag="withdraw"):
    """Offer a release to nobody any more."""


class Delete(OnRelease, frozen=True, kw_only=True, tag="delete"):
    """Forget a release that was withdrawn."""


class CleanUp(OnRelease, frozen=True, kw_only=True, tag="clean up"):
    """Remove what a deleted release left, or a run that has ended left in a cluster."""


class Schedule(Action, frozen=True, kw_only=True, tag="schedule"):
    """Begin what is due: a build, a verification or a promotion."""

    schedule: str
    kind: str
    subject: str = ""
    """The stream file that is built, or the release."""


class Promote(OnRelease, frozen=True, kw_only=True, tag="promote"):
    """Make a release again under a stable name."""

    version: str
    into: str


class Taken(Event, frozen=True, kw_only=True, tag="taken"):
    """That an action is taken; the subject is the stream."""

    action: Action


class Held(Event, frozen=True, kw_only=True, tag="held"):
    """That a release is not published, and what it waits for; the subject is the stream."""

    release: str
    publication: str
    reason: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done for a stream now."""

    actions: tuple[Action, ...] = ()
    waiting: str = ""
    """Why no release is begun; empty when one is, or nothing changed."""
    wake: float | None = None
    """When to look again although nothing happens; None when only a happening matters."""
