# SPDX-License-Identifier: Apache-2.0
"""Updates that others have tested: ProwJobs which say from which release to which.

Whoever makes a ProwJob with the label ``release.openshift.io/verify`` and the annotations
``from-tag``, ``tag`` and ``architecture`` feeds the update graph; cluster-bot does. Jobs of our
own are known by their label, and their results are written by whoever runs them. A result that
is final stays as it is, also when the job is deleted.
"""

from __future__ import annotations

import logging

import msgspec
from sqlalchemy import Connection

from okd_payload.cluster import Cluster
from okd_payload.cluster.kinds import PROW_JOB
from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import Edge, Event
from okd_payload.controller.records import events, releases, streams
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.cluster_runs import RUN_LABEL
from okd_payload.controller.verification.contract import architecture_of
from okd_payload.controller.verification.endings import page_address
from okd_payload.controller.verification.runners.prowjob.description import (
    ARCHITECTURE,
    FROM_TAG,
    TAG,
    VERIFY_LABEL,
)
from okd_payload.controller.verification.runners.prowjob.runner import ProwJobStatus
from okd_payload.controller.verification.verifier import Write
from okd_payload.errors import ClusterError, NoSuchKind

_log = logging.getLogger(__name__)

_SECONDS = 120.0
_WITHOUT_PROW_SECONDS = 900.0


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    namespace: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class _ProwJob(msgspec.Struct, frozen=True):
    metadata: _Metadata
    status: ProwJobStatus = ProwJobStatus()


class ExternalResults:
    """Implements ``Follower``."""

    def __init__(self, surroundings: Surroundings, *, write: Write[None]) -> None:
        """``write`` runs units of work, and refuses them when this instance acts no more."""
        self._surroundings = surroundings
        self._write = write
        self._due = 0.0
        self._jobs: tuple[_ProwJob, ...] = ()
        self._seen: dict[str, float] = {}
        """By stream, when the jobs were listed that were looked at last."""
        self._listed = 0.0

    async def advance(self, configuration: StreamConfiguration) -> float | None:
        """Take over what is new; jobs are listed once for all streams."""
        cluster, clock = self._surroundings.cluster, self._surroundings.clock
        if cluster is None:
            return None
        if clock.monotonic() >= self._due:
            await self._list(cluster)
        if self._jobs and self._seen.get(configuration.name) != self._listed:
            now, jobs = clock.now(), self._jobs
            await self._write(lambda unit: _take_over(unit, configuration, jobs, now=now))
            self._seen[configuration.name] = self._listed
        return clock.now() + max(0.0, self._due - clock.monotonic())

    async def _list(self, cluster: Cluster) -> None:
        """List the jobs of everybody else; a cluster that is away is asked later."""
        clock = self._surroundings.clock
        self._due = clock.monotonic() + _SECONDS
        found: list[_ProwJob] = []
        try:
            for namespace in self._namespaces(cluster):
                listed = await cluster.list(
                    PROW_JOB, namespace=namespace, labels=f"{VERIFY_LABEL}=true"
                )
                found += [job for item in listed.items if (job := _read(item)) is not None]
        except NoSuchKind:
            self._due = clock.monotonic() + _WITHOUT_PROW_SECONDS
            return
        except ClusterError as error:
            _log.warning("ProwJobs of others cannot be listed: %s", error.message)
            return
        self._jobs = tuple(found)
        self._listed = clock.monotonic()

    def _namespaces(self, cluster: Cluster) -> list[str]:
        """Where ProwJobs are: wherever verifications make them, and our own namespace."""
        named = {
            each.runner.settings.get("namespace") or cluster.namespace
            for stream in self._surroundings.configurations().values()
            for each in stream.verifications
            if each.runner.kind == "prowjob"
        }
        return sorted({*named, cluster.namespace})


def _take_over(
    unit: Connection,
    configuration: StreamConfiguration,
    jobs: tuple[_ProwJob, ...],
    *,
    now: float,
) -> None:
    """Write down what ``jobs`` say of updates to releases of the stream."""
    architecture = architecture_of(configuration)
    for job in jobs:
        told = job.metadata.annotations or {}
        target, source = told.get(TAG, ""), told.get(FROM_TAG, "")
        is_update = target and source and (target + source).isprintable()
        if not is_update or told.get(ARCHITECTURE) != architecture:
            continue
        release = releases.find(unit, target)
        if release is None or release.stream != configuration.name:
            continue
        run = f"{job.metadata.namespace}/{job.metadata.name}"
        known = {edge.run: edge for edge in streams.read_edges(unit, target=target, source=source)}
        before = known.get(run)
        edge = Edge(
            source=source,
            target=target,
            run=run,
            url=page_address(job.status.url),
            state=job.status.run_state,
            time=now,
        )
        if before is None or (
            not before.state.is_final and (before.state, before.url) != (edge.state, edge.url)
        ):
            streams.add_edge(unit, edge)
            words = f"{run}: {edge.state.value}"
            events.add(
                unit,
                Event(time=now, kind="graph", stream=release.stream, release=target, message=words),
            )


def _read(content: bytes) -> _ProwJob | None:
    """The job, None for one of ours and for what is none."""
    try:
        job = msgspec.json.decode(content, type=_ProwJob)
    except msgspec.MsgspecError:
        return None
    return None if RUN_LABEL in (job.metadata.labels or {}) else job
