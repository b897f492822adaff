# SPDX-License-Identifier: Apache-2.0
"""Tags and ReleasePayloads of the old controller as releases, runs and approvals of ours.

The old controller knows a release by its ReleasePayload, and where that is missing by what its
tag says; here it becomes one record, so that no answer depends on who asks. A phase that a person
decided keeps that person's reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from okd_payload.controller.configuration.model import StreamKind
from okd_payload.controller.migration import codes
from okd_payload.controller.migration.objects import (
    PREFIX,
    JobResult,
    JobRun,
    ReleasePayload,
    SpecTag,
)
from okd_payload.controller.migration.streams import OldStream
from okd_payload.controller.model import Phase, Release, RunState, VerificationRun
from okd_payload.controller.records.approvals import Approval
from okd_payload.issues import Issue
from okd_payload.oci.digest import is_digest, parse_digest
from okd_payload.release.times import parse_time

ACTOR = "migration"
_STATES = {
    "Success": RunState.SUCCEEDED,
    "Failure": RunState.FAILED,
    "Aborted": RunState.ABORTED,
    "Error": RunState.ERROR,
    "Pending": RunState.RUNNING,
    "Triggered": RunState.QUEUED,
    "Scheduling": RunState.QUEUED,
}
_DECIDING = (
    ("PayloadAccepted", Phase.ACCEPTED),
    ("PayloadRejected", Phase.REJECTED),
    ("PayloadFailed", Phase.FAILED),
    ("PayloadCreated", Phase.READY),
)
"""Conditions in the order in which they count."""
_FAILED = "PayloadFailed"
_REFERENCE_PREFIX = "rc_payload__"
"""Of the tags of payloads that are in an external repository only."""
_APPROVED = "_state"


class FoundReleases(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes records, and what was passed over."""

    releases: tuple[Release, ...] = ()
    runs: tuple[VerificationRun, ...] = ()
    approvals: tuple[Approval, ...] = ()
    issues: tuple[Issue, ...] = ()


class _Standing(msgspec.Struct, frozen=True, kw_only=True):
    phase: Phase
    since: float | None = None
    reason: str = ""
    message: str = ""


def find_releases(
    streams: Mapping[str, OldStream], payloads: Iterable[ReleasePayload]
) -> FoundReleases:
    """The releases of ``streams``, with their runs and approvals."""
    known = {each.metadata.name: each for each in payloads}
    releases: dict[str, Release] = {}
    issues: list[Issue] = []
    for stream in streams.values():
        for tag in stream.target.spec.tags or ():
            if tag.annotation("name") != stream.configuration.name:
                continue
            if tag.annotation("source") != stream.source:
                issues.append(_passed_over(tag.name, "another stream's images are its source"))
            elif tag.name in releases:
                issues.append(_passed_over(tag.name, "there is a release of that name already"))
            else:
                releases[tag.name] = _release(stream, tag, known.get(tag.name))
    with_payload = [(release, known[name]) for name, release in releases.items() if name in known]
    return FoundReleases(
        releases=tuple(releases.values()),
        runs=tuple(run for release, payload in with_payload for run in _runs(release, payload)),
        approvals=tuple(
            approval
            for release, payload in with_payload
            for approval in _approvals(release, payload)
        ),
        issues=tuple(issues),
    )


def _passed_over(tag: str, why: str) -> Issue:
    return codes.PASSED_OVER_RELEASE.issue(f"{tag} is passed over: {why}", component=tag)


def _release(stream: OldStream, tag: SpecTag, payload: ReleasePayload | None) -> Release:
    created = seconds_of(tag.annotation("creationTimestamp")) or 0.0
    standing = _stand(payload) if payload is not None else _stand_by_tag(tag)
    image = stream.target.image_of(tag)
    withdrawn = tag.annotation("soft-delete")
    return Release(
        name=tag.name,
        stream=stream.configuration.name,
        phase=standing.phase,
        created=created,
        changed=standing.since or created,
        input_hash=tag.annotation("hash"),
        digest=parse_digest(image) if is_digest(image) else None,
        pull_spec=_pull_spec(stream, tag),
        reason=standing.reason,
        message=standing.message,
        kept=bool(tag.annotation("keep")),
        withdrawn=(seconds_of(withdrawn) or created) if withdrawn else None,
        adopted=stream.configuration.kind is StreamKind.STABLE,
    )


def _pull_spec(stream: OldStream, tag: SpecTag) -> str:
    """Where the old controller says that the release is."""
    if tag.reference and stream.pull_repository is not None:
        place = stream.pull_repository
        return f"{place}:{_REFERENCE_PREFIX}{tag.name}" if place else ""
    return stream.target.pull_spec_of(tag)


def _stand(payload: ReleasePayload) -> _Standing:
    conditions = {each.type: each for each in payload.status.conditions or ()}
    failed = conditions.get(_FAILED)
    first = [(_FAILED, Phase.FAILED)] if failed is not None and failed.status == "True" else []
    for kind, phase in (*first, *_DECIDING):
        condition = conditions.get(kind)
        if condition is not None and condition.status == "True":
            override = payload.spec.payload_override
            by_hand = override.override == phase.value
            return _Standing(
                phase=phase,
                since=seconds_of(condition.last_transition_time or ""),
                reason=f"Manually{phase.value}" if by_hand else condition.reason,
                message=override.reason if by_hand else condition.message,
            )
    return _Standing(phase=Phase.PENDING)


def _stand_by_tag(tag: SpecTag) -> _Standing:
    words = {phase.value: phase for phase in Phase}
    return _Standing(
        phase=words.get(tag.annotation("phase"), Phase.PENDING),
        reason=tag.annotation("reason"),
        message=tag.annotation("message"),
    )


def _runs(release: Release, payload: ReleasePayload) -> Iterator[VerificationRun]:
    for job in payload.status.jobs:
        begun = sorted(job.results or (), key=lambda run: run.start_time or "")
        for place, run in enumerate(begun):
            yield _run(release, job, run, place)
        if not begun and release.phase in (Phase.PENDING, Phase.READY):  # it is still to be run
            yield _run(release, job, JobRun(), 0)


def _run(release: Release, job: JobResult, run: JobRun, place: int) -> VerificationRun:
    """The run at ``place``: another attempt, or one of many that are judged together."""
    together = job.analysis_job_count > 1
    started = seconds_of(run.start_time or "")
    return VerificationRun(
        id=run.coordinates.name or f"{release.name}-{job.ci_configuration_name}",
        release=release.name,
        verification=job.ci_configuration_name,
        attempt=0 if together else place,
        number=place if together else 0,
        state=_STATES.get(run.state, RunState.QUEUED),
        runner="prowjob",
        queued=started or release.created,
        started=started,
        ended=seconds_of(run.completion_time or ""),
        url=run.human_prow_results_url,
        handle=f"{run.coordinates.namespace}/{run.coordinates.name}".strip("/"),
    )


def _approvals(release: Release, payload: ReleasePayload) -> Iterator[Approval]:
    """The labels with which teams say that they take the release."""
    for label, value in (payload.metadata.labels or {}).items():
        team = label.removeprefix(PREFIX).removesuffix(_APPROVED)
        if label == f"{PREFIX}{team}{_APPROVED}" and value == Phase.ACCEPTED.value:
            yield Approval(release=release.name, team=team, actor=ACTOR, time=release.changed)


def seconds_of(text: str) -> float | None:
    """The moment that ``text`` tells; None when it tells none."""
    moment = parse_time(text)
    return moment.timestamp() if moment is not None else None
