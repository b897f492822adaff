# SPDX-License-Identifier: Apache-2.0
"""Payloads made by Jobs: begun once for each attempt, followed in passes, read back in the end.

The name of the Job follows from the attempt, and the record of the release says that it was made:
so a kill between the two makes no second one, and a Job that is gone is told from one that never
was. What it made is in the registry, where whoever acts finds it, even when pod and Job are gone.
A cluster that cannot be asked for a while, or a registry that cannot be read, ends no attempt:
the Job goes on without anybody looking.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from okd_payload.cluster import Cluster
from okd_payload.cluster.kinds import JOB, POD
from okd_payload.controller.adoption.adopting import find_taken_over
from okd_payload.controller.cluster_objects import OwnObject
from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.creation.jobs.description import (
    JOB_LABEL,
    DescribePod,
    describe_job,
    name_of_job,
)
from okd_payload.controller.creation.jobs.order import encode_order, order_of
from okd_payload.controller.creation.jobs.standing import JobStanding, JobState, judge_job
from okd_payload.controller.creation.makers import UnderWay
from okd_payload.controller.creation.making import MadePayload, find_made
from okd_payload.controller.model import FrozenInput, Phase, Release
from okd_payload.controller.records import releases
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import ClusterError, NotFound, RegistryError, ReleaseError

PATIENCE_SECONDS = 300.0
"""With a pod that does not start: its image may be there soon."""
MOST_AT_ONCE = 10
"""Jobs of one stream: whoever begins to take over one that has hundreds of releases gets them one
after the other."""

_log = logging.getLogger(__name__)


class JobMaker:
    """Implements ``Maker`` with Jobs in the namespace of the controller."""

    def __init__(
        self,
        surroundings: Surroundings,
        describe_pod: DescribePod,
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._surroundings = surroundings
        self._describe_pod = describe_pod
        self._patience = patience

    async def make(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> MadePayload | UnderWay:
        """The payload once its Job has ended well. Raises as ``Maker.make`` does."""
        cluster = self._cluster()
        if not release.job:
            return await self._begin(cluster, configuration, release, inputs)
        job = _object(cluster, release.job)
        try:
            content = await job.read()
            standing = await self._judge(cluster, job, content) if content is not None else None
        except ClusterError as error:
            message = f"the Job {job.handle} cannot be asked: {error.message}"
            return UnderWay(job=job.handle, message=message)
        if standing is None or standing.state is JobState.COMPLETE:
            return await self._take(configuration, release, inputs, standing)
        if standing.state is JobState.FAILED:
            raise _failure(job, standing)
        if standing.state is JobState.STUCK and self._is_hopeless(standing):
            await job.delete()
            raise ClusterError(f"the Job {job.handle} was ended: {standing.words}")
        return _under_way(job, standing.words)

    async def give_up(self, release: Release) -> None:
        """Delete the Job; where that cannot be done now, its deadline ends it."""
        cluster = self._surroundings.cluster
        if not release.job or cluster is None:
            return
        try:
            await _object(cluster, release.job).delete()
        except ClusterError as error:
            _log.warning("the Job %s is left alone: %s", release.job, error.message)

    def _cluster(self) -> Cluster:
        if self._surroundings.cluster is None:
            raise ClusterError(
                "payloads are to be made in Jobs of a cluster, and none is known here",
                hint="start with --cluster, or in a pod of the cluster",
            )
        return self._surroundings.cluster

    async def _begin(
        self,
        cluster: Cluster,
        configuration: StreamConfiguration,
        release: Release,
        inputs: Sequence[FrozenInput],
    ) -> UnderWay:
        others = await self._others(release)
        if len(others) >= MOST_AT_ONCE:
            return UnderWay(message=f"waits for one of {len(others)} Jobs of its stream to end")
        word = encode_order(order_of(configuration, release, inputs))
        name = name_of_job(release, word)
        job = _object(cluster, f"{cluster.namespace}/{name}")
        await job.ensure(describe_job(release, name, word, self._describe_pod))
        return _under_way(job, "")

    async def _others(self, release: Release) -> list[Release]:
        """The releases of the same stream that Jobs make."""
        pending = await self._surroundings.database.read(
            lambda unit: releases.list_of(unit, release.stream, phases=(Phase.PENDING,))
        )
        return [each for each in pending if each.job]

    async def _judge(self, cluster: Cluster, job: OwnObject, content: bytes) -> JobStanding:
        pods = await cluster.list(POD, namespace=job.namespace, labels=f"{JOB_LABEL}={job.name}")
        return judge_job(content, pods.items)

    async def _take(
        self,
        configuration: StreamConfiguration,
        release: Release,
        inputs: Sequence[FrozenInput],
        standing: JobStanding | None,
    ) -> MadePayload | UnderWay:
        """What the Job made, also when it is gone by now. Raises ClusterError if nothing."""
        try:
            made = await self._find(configuration, release, inputs)
        except NotFound:  # an image that it is made of
            raise
        except RegistryError as error:
            message = f"the payload of the Job {release.job} cannot be read: {error.message}"
            return UnderWay(job=release.job, message=message)
        if made is None:
            how = "is gone" if standing is None else "ended well"
            raise ClusterError(
                f"the Job {release.job} {how}, and {configuration.releases} has no {release.name}",
                hint="let nobody delete Jobs that run; registries must have one name everywhere",
            )
        said = standing.report if standing is not None else None
        return msgspec.structs.replace(made, warnings=said.warnings if said else "")

    async def _find(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> MadePayload | None:
        if release.adopted:
            return await find_taken_over(self._surroundings, configuration, release)
        return await find_made(self._surroundings, configuration, release, inputs)

    def _is_hopeless(self, standing: JobStanding) -> bool:
        now = self._surroundings.clock.now()
        return standing.since is not None and now - standing.since >= self._patience


def _object(cluster: Cluster, handle: str) -> OwnObject:
    name = handle.rpartition("/")[2]
    return OwnObject(cluster, JOB, handle, label=JOB_LABEL, mark=name)


def _under_way(job: OwnObject, words: str) -> UnderWay:
    waits = f": {words}" if words else ""
    return UnderWay(job=job.handle, message=f"the Job {job.handle} makes its payload{waits}")


def _failure(job: OwnObject, standing: JobStanding) -> ClusterError | ReleaseError:
    report = standing.report
    if report is None or not report.error:
        return ClusterError(f"the Job {job.handle} failed: {standing.words}")
    if report.certain:
        return ReleaseError(report.error)
    return ClusterError(f"the Job {job.handle} failed: {report.error}")
