# SPDX-License-Identifier: Apache-2.0
"""Releases and what hangs on them, as the interface tells of them.

Kept apart from the structs of the records, so that these can change while answers stay what
clients were promised. A field that there is nothing to say in is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from okd_payload.controller.model import (
    Edge,
    Event,
    FrozenInput,
    Publication,
    Release,
    Transition,
    VerificationRun,
)
from okd_payload.controller.records.approvals import Approval
from okd_payload.web.api.values import Answer, known_moment, moment


class ReleaseSummary(Answer, frozen=True, kw_only=True):
    """One release as it stands."""

    name: str
    stream: str
    phase: str
    created: dt.datetime
    changed: dt.datetime
    """When it entered the phase."""
    digest: str | UnsetType = UNSET
    pull_spec: str | UnsetType = UNSET
    reason: str
    message: str
    kept: bool
    adopted: bool
    attempts: int
    withdrawn: dt.datetime | UnsetType = UNSET
    retry_at: dt.datetime | UnsetType = UNSET


class InputAnswer(Answer, frozen=True, kw_only=True):
    """One image that a release is made of."""

    tag: str
    digest: str
    reference: str
    source: str
    commit: str


class TransitionAnswer(Answer, frozen=True, kw_only=True):
    """One step from phase to phase."""

    before: str | UnsetType = UNSET
    after: str
    time: dt.datetime
    actor: str
    reason: str
    message: str


class RunAnswer(Answer, frozen=True, kw_only=True):
    """One run of a verification."""

    id: str
    release: str
    verification: str
    attempt: int
    number: int
    state: str
    runner: str
    platform: str
    architecture: str
    from_release: str
    queued: dt.datetime
    started: dt.datetime | UnsetType = UNSET
    ended: dt.datetime | UnsetType = UNSET
    url: str
    message: str
    has_log: bool
    artifacts: tuple[str, ...]
    """By these names they are fetched."""


class PublicationAnswer(Answer, frozen=True, kw_only=True):
    """One step of publishing a release in one way."""

    name: str
    state: str
    time: dt.datetime
    actor: str
    message: str
    target: str
    replaced: str


class UpdateAnswer(Answer, frozen=True, kw_only=True):
    """What one run said of an update."""

    source: str
    target: str
    state: str
    time: dt.datetime
    platform: str
    run: str
    url: str


class ApprovalAnswer(Answer, frozen=True, kw_only=True):
    """That a team takes a release for good."""

    release: str
    team: str
    actor: str
    time: dt.datetime
    message: str


class EventAnswer(Answer, frozen=True, kw_only=True):
    """Something that happened."""

    number: int
    time: dt.datetime
    kind: str
    stream: str
    release: str
    actor: str
    message: str


def tell_release(release: Release) -> ReleaseSummary:
    """``release`` as it is answered."""
    return ReleaseSummary(
        name=release.name,
        stream=release.stream,
        phase=release.phase.value,
        created=moment(release.created),
        changed=moment(release.changed),
        digest=release.digest or UNSET,
        pull_spec=release.pull_spec or UNSET,
        reason=release.reason,
        message=release.message,
        kept=release.kept,
        adopted=release.adopted,
        attempts=release.attempts,
        withdrawn=known_moment(release.withdrawn),
        retry_at=known_moment(release.retry_at),
    )


def tell_inputs(images: Iterable[FrozenInput]) -> tuple[InputAnswer, ...]:
    """The images of a release as they are answered."""
    return tuple(
        InputAnswer(
            tag=image.tag,
            digest=image.digest,
            reference=image.reference,
            source=image.source,
            commit=image.commit,
        )
        for image in images
    )


def tell_transition(step: Transition) -> TransitionAnswer:
    """``step`` as it is answered."""
    return TransitionAnswer(
        before=step.before.value if step.before is not None else UNSET,
        after=step.after.value,
        time=moment(step.time),
        actor=step.actor,
        reason=step.reason,
        message=step.message,
    )


def tell_run(run: VerificationRun) -> RunAnswer:
    """``run`` as it is answered."""
    return RunAnswer(
        id=run.id,
        release=run.release,
        verification=run.verification,
        attempt=run.attempt,
        number=run.number,
        state=run.state.value,
        runner=run.runner,
        platform=run.platform,
        architecture=run.architecture,
        from_release=run.from_release,
        queued=moment(run.queued),
        started=known_moment(run.started),
        ended=known_moment(run.ended),
        url=run.url,
        message=run.message,
        has_log=bool(run.log),
        artifacts=tuple(name.removeprefix(f"runs/{run.id}/") for name in run.artifacts),
    )


def tell_publication(publication: Publication) -> PublicationAnswer:
    """``publication`` as it is answered."""
    return PublicationAnswer(
        name=publication.name,
        state=publication.state.value,
        time=moment(publication.time),
        actor=publication.actor,
        message=publication.message,
        target=publication.target,
        replaced=publication.replaced,
    )


def tell_update(edge: Edge) -> UpdateAnswer:
    """``edge`` as it is answered."""
    return UpdateAnswer(
        source=edge.source,
        target=edge.target,
        state=edge.state.value,
        time=moment(edge.time),
        platform=edge.platform,
        run=edge.run,
        url=edge.url,
    )


def tell_approval(approval: Approval) -> ApprovalAnswer:
    """``approval`` as it is answered."""
    return ApprovalAnswer(
        release=approval.release,
        team=approval.team,
        actor=approval.actor,
        time=moment(approval.time),
        message=approval.message,
    )


def tell_event(event: Event) -> EventAnswer:
    """``event`` as it is answered."""
    return EventAnswer(
        number=event.sequence,
        time=moment(event.time),
        kind=event.kind,
        stream=event.stream,
        release=event.release,
        actor=event.actor,
        message=event.message,
    )
