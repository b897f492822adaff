# SPDX-License-Identifier: Apache-2.0
"""What the controller knows: releases and their phases, runs of jobs, publications, edges.

One record for each release is the only truth about it. A phase changes only through a
``Transition``, which says who did it and why; runs, publications and edges hang on the release
by its name, which is unique over all streams. Moments are seconds since the epoch.
"""

from __future__ import annotations

import enum

import msgspec

from okd_payload.oci.digest import Digest


class Phase(enum.Enum):
    """How far a release has come: the five words that OpenShift's release controller uses."""

    PENDING = "Pending"
    """Its inputs are frozen, its payload is being made."""
    READY = "Ready"
    """The payload is there and is being verified."""
    ACCEPTED = "Accepted"
    """All that blocks has passed, or somebody said so; what an article of 2022 calls Verified."""
    REJECTED = "Rejected"
    """Something that blocks has failed, or somebody said so."""
    FAILED = "Failed"
    """The payload could not be made."""

    @property
    def is_final(self) -> bool:
        """Whether only a person moves it on."""
        return self in (Phase.ACCEPTED, Phase.REJECTED, Phase.FAILED)


FOLLOWERS: dict[Phase | None, frozenset[Phase]] = {
    None: frozenset({Phase.PENDING}),
    Phase.PENDING: frozenset({Phase.READY, Phase.FAILED}),
    Phase.READY: frozenset({Phase.ACCEPTED, Phase.REJECTED}),
    Phase.ACCEPTED: frozenset({Phase.REJECTED, Phase.READY}),
    Phase.REJECTED: frozenset({Phase.ACCEPTED, Phase.READY}),
    Phase.FAILED: frozenset({Phase.PENDING}),
}
"""Which phase may follow which. Back to Ready or Pending only by a person, who asks for a retry."""

CONTROLLER = "controller"
"""The actor of everything that no person did."""
RETRIED = "Retried"
"""The reason of a release that was decided, and that a person had judged anew."""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One release of a stream, as it stands."""

    name: str
    stream: str
    phase: Phase = Phase.PENDING
    created: float
    changed: float
    """When the phase was entered."""
    input_hash: str
    """Over the sorted inputs and what of the configuration decides the payload."""
    digest: Digest | None = None
    """Of the payload, once it is made."""
    pull_spec: str = ""
    reason: str = ""
    """One word for why it is in this phase, as in ``CreateReleaseFailed``."""
    message: str = ""
    """The same for people."""
    kept: bool = False
    """Pinned: neither counted nor removed."""
    withdrawn: float | None = None
    """Since when it is deleted softly: hidden from the latest, still pullable, restorable."""
    attempts: int = 0
    """How often its payload was tried to make."""
    retry_at: float | None = None
    """When a failed creation is tried again; None when no more."""
    adopted: bool = False
    """Whether the payload was there already and only taken over, as in stable streams."""
    job: str = ""
    """``NAMESPACE/NAME`` of the Job that makes its payload now; empty when none does."""


class FrozenInput(msgspec.Struct, frozen=True, kw_only=True):
    """One image that a release was made of, pinned so that it stays pullable."""

    tag: str
    digest: Digest
    reference: str
    """Pull spec by digest, where it came from."""
    source: str = ""
    """Repository of its source code, where the image says."""
    commit: str = ""


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a release from phase to phase, kept for ever."""

    release: str
    before: Phase | None
    after: Phase
    time: float
    actor: str = CONTROLLER
    reason: str = ""
    message: str = ""


class RunState(enum.Enum):
    """How far one run of a verification has come."""

    QUEUED = "Queued"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERROR = "Error"
    """The run itself broke: it says nothing of the release, and may be tried again."""
    ABORTED = "Aborted"
    """Nobody needs its outcome any more."""

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


class VerificationRun(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at one verification of a release: the one schema for all runners."""

    id: str
    """Release, verification, attempt and number in words that can be a file's or object's name."""
    release: str
    verification: str
    attempt: int = 0
    number: int = 0
    """Which of the runs that are judged together; 0 where there is one."""
    state: RunState = RunState.QUEUED
    runner: str
    platform: str = ""
    architecture: str = ""
    """Which one of the release it is about; all of them without."""
    from_release: str = ""
    """Where an upgrade starts."""
    from_pull_spec: str = ""
    queued: float
    started: float | None = None
    ended: float | None = None
    url: str = ""
    """Where people look at it."""
    handle: str = ""
    """By what the runner finds it again after a restart."""
    message: str = ""
    log: str = ""
    """Its log below the state folder; empty when it has none here."""
    artifacts: tuple[str, ...] = ()
    """Files beside the log: JUnit results and whatever else a run left."""


class PublicationState(enum.Enum):
    """How far publishing a release in one way has come."""

    WAITING = "Waiting"
    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"
    UNDONE = "Undone"


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """That a release was published in one of the ways of its stream, or why not yet."""

    release: str
    name: str
    """Of the publication in the configuration."""
    state: PublicationState
    time: float
    actor: str = CONTROLLER
    message: str = ""
    replaced: str = ""
    """The release that stood there before, to which a roll-back returns."""
    target: str = ""


class Edge(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One tested update from release to release, and what one run said of it."""

    source: str
    target: str
    run: str
    """The run that tested it: its id here, or its address where it ran elsewhere."""
    url: str = ""
    state: RunState
    time: float
    platform: str = ""


class PayloadFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the payload of a release says of itself and of updates.

    Kept for ever, also when the release is removed: clusters that run it still look for a way on.
    """

    release: str
    stream: str
    created: float
    digest: Digest
    pull_spec: str
    version: str = ""
    """As the payload has it; the cluster compares it with that in the graph."""
    previous: tuple[str, ...] = ()
    """Versions that it says clusters may come from,"""
    following: tuple[str, ...] = ()
    """and those that it says they may go to."""
    architecture: str = ""
    """``multi`` for several; empty where the payload says nothing."""
    url: str = ""
    """Where people read about it."""
    made_from: str = ""
    """The image stream or release that it says it was made of."""


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a stream between two looks at it."""

    name: str
    configuration: str = ""
    """Digest of the configuration that was acted on last."""
    input_hash: str = ""
    """Of the inputs when they were last looked at."""
    seen: float | None = None
    """When the inputs were last looked at."""
    moved: float | None = None
    """When they were last seen to change, for debouncing."""
    paused: str = ""
    """Why, where somebody paused it."""
    paused_by: str = ""
    error: str = ""
    """What stood in the way at the last look; empty when nothing did."""
    error_since: float | None = None
    waiting: str = ""
    """Why no release is begun now, for the page."""
    rebuild: bool = False
    """Somebody asked for a release although nothing changed."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, in the one order in which everybody hears of it."""

    sequence: int = 0
    time: float
    kind: str
    """``release.created``, ``release.phase``, ``verification.run``, ``publication``, ..."""
    stream: str = ""
    release: str = ""
    actor: str = CONTROLLER
    message: str = ""
    content: bytes = b"{}"
    """The record after the event, as JSON."""
