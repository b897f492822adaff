# SPDX-License-Identifier: Apache-2.0
"""How a Job stands, in words for people: from its conditions and the state of its pod.

The Job says whether it ended; why, only its pod does, which may be gone. Pure reading: what
follows from it is decided by whoever asked.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from okd_payload.cluster.pods import Condition, Pod, PodMetadata, decode_pod
from okd_payload.controller.creation.jobs.order import PayloadReport, decode_report
from okd_payload.controller.verification.endings import clean_words
from okd_payload.errors import ClusterError
from okd_payload.release.times import parse_time

_EXCEEDED = "DeadlineExceeded"


class JobState(enum.Enum):
    """How far a Job is."""

    RUNNING = "running"
    STUCK = "stuck"
    """It does not start, and the longer that lasts the less it will."""
    COMPLETE = "complete"
    FAILED = "failed"


class JobStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a Job."""

    state: JobState
    words: str = ""
    """Why it is so, or what it waits for; empty where there is nothing to say."""
    since: float | None = None
    """When it was made: its pod, or the Job where it has none."""
    report: PayloadReport | None = None
    """What the pod itself said in the end."""


class _JobStatus(msgspec.Struct, frozen=True):
    conditions: tuple[Condition, ...] | None = None


class _Job(msgspec.Struct, frozen=True):
    metadata: PodMetadata = PodMetadata()
    status: _JobStatus = _JobStatus()


def judge_job(job: bytes, pods: Iterable[bytes]) -> JobStanding:
    """How the Job stands whose pods these are. Raises ClusterError for what is none."""
    try:
        read = msgspec.json.decode(job, type=_Job)
    except msgspec.MsgspecError as error:
        raise ClusterError(f"the cluster gives no Job: {error}") from error
    found = [decode_pod(pod) for pod in pods]
    newest = max(found, key=lambda pod: pod.metadata.creation_timestamp, default=None)
    ended = {each.type: each for each in read.status.conditions or () if each.status == "True"}
    report = _report_of(newest)
    if "Complete" in ended:
        return JobStanding(state=JobState.COMPLETE, report=report)
    if "Failed" in ended:
        words = _why(ended["Failed"], newest)
        return JobStanding(state=JobState.FAILED, words=words, report=report)
    if newest is None:
        words = "it has no pod; its events say why"
        return JobStanding(state=JobState.STUCK, words=words, since=_made(read.metadata))
    return _judge_pod(newest)


def _judge_pod(pod: Pod) -> JobStanding:
    since = _made(pod.metadata)
    waiting = pod.status.waiting
    if waiting.reason:
        words = f"{waiting.reason} {waiting.message}"
        if waiting.lacks_image:
            words = f"its image cannot be pulled: {words}"
        stuck = waiting.lacks_image or waiting.is_final
        state = JobState.STUCK if stuck else JobState.RUNNING
        return JobStanding(state=state, words=clean_words(words), since=since)
    unscheduled = pod.status.unscheduled
    words = clean_words(f"no node takes its pod: {unscheduled}") if unscheduled else ""
    return JobStanding(state=JobState.RUNNING, words=words, since=since)


def _made(metadata: PodMetadata) -> float | None:
    created = parse_time(metadata.creation_timestamp)
    return created.timestamp() if created is not None else None


def _report_of(pod: Pod | None) -> PayloadReport | None:
    ended = pod.status.terminated if pod is not None else None
    return decode_report(ended.message) if ended is not None else None


def _why(failed: Condition, pod: Pod | None) -> str:
    """Why it failed: what its pod says is nearer to the cause than what the Job says."""
    if failed.reason == _EXCEEDED:
        return clean_words(f"it did not end in time: {failed.message}")
    if pod is None:
        return clean_words(f"its pod is gone ({failed.reason}: {failed.message})")
    if pod.status.reason:  # evicted, its node lost: from outside
        return clean_words(f"{pod.status.reason}: {pod.status.message}")
    ended = pod.status.terminated
    if ended is None:
        return clean_words(f"{failed.reason}: {failed.message}")
    cause = f" ({ended.reason})" if ended.reason not in ("", "Error") else ""
    said = f": {ended.message}" if ended.message else ""
    return clean_words(f"its container ended with {ended.exit_code}{cause}{said}")
