# SPDX-License-Identifier: Apache-2.0
"""The engine that has every image built by a TaskRun of its own.

What happens to a step: a TaskRun with its name is followed if there is one, and made if not; its
log is copied while it runs; its end is judged by its cause, and another attempt is made where
that helps. An image counts only when it is in the repository with the key that was asked for,
whatever the pod says. The pod runs the buildah engine of the tool's image, so keys are those of
that engine, and what one of the two has built the other does not build again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import msgspec

from okd_payload.build.engine import BuildStep, TellRetry, ignore_retry
from okd_payload.build.images import StreamImages
from okd_payload.build.snapshot.model import BringSources
from okd_payload.clock import Clock
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.attempts import Attempts
from okd_payload.engines.pod.building import key_of_step
from okd_payload.engines.pod.causes import Cause, Reaction
from okd_payload.engines.pod.choosing import Follow, Make, choose
from okd_payload.engines.pod.judging import Verdict
from okd_payload.engines.pod.log_copy import LogCopy
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.pod.running_places import RunningPlaces
from okd_payload.engines.pod.verifying import verify_image
from okd_payload.engines.tekton.clearing import Clearing
from okd_payload.engines.tekton.following import Followed, Follower
from okd_payload.engines.tekton.making import attempt_from, make_build
from okd_payload.engines.tekton.preflight import check_cluster
from okd_payload.engines.tekton.settings import Errand, TektonSettings
from okd_payload.engines.tekton.task_run import TaskRun, decode_task_run
from okd_payload.engines.tekton.writing import TaskRunWriter
from okd_payload.oci.digest import Digest
from okd_payload.progress import Progress


class TektonEngine:
    """Builds images of one stream; usable while it is ``opened``."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        images: StreamImages,
        format_version: str,
        errand: Errand,
        settings: TektonSettings,
        clock: Clock,
        progress: Progress,
        afresh: Collection[str] = (),
    ) -> None:
        """``format_version`` is that of the engine in the pods' image.

        Components in ``afresh`` are built although a finished TaskRun has their image.
        """
        self._images = images
        self._format_version = format_version
        self._errand = errand
        self._settings = settings
        self._clock = clock
        self._afresh = frozenset(afresh)
        self._cluster = cluster
        namespace = settings.namespace or cluster.namespace
        self._namespace = namespace
        stream = labels.stream_labels(errand.stream, role=labels.BUILD_ROLE)
        self._watch = ObjectWatch(
            cluster,
            kinds.TASK_RUN,
            decode_task_run,
            selector=labels.selector(stream),
            namespace=namespace,
        )
        self._places = RunningPlaces(self._watch, count=settings.jobs)
        self._writer = TaskRunWriter(
            cluster,
            self._watch,
            namespace=namespace,
            clock=clock,
            patience=settings.patience,
            progress=progress,
        )
        self._follower = Follower(
            cluster,
            self._watch,
            namespace=namespace,
            patience=settings.patience,
            progress=progress,
        )
        self._alone: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._clearing = Clearing(self._writer, self._watch, self._follower, keeps=settings.keeps)

    @property
    def format_version(self) -> str:
        """That of the engine in the pods, so that keys are equal on every engine."""
        return self._format_version

    @contextlib.asynccontextmanager
    async def opened(
        self, *, runs: Path | None = None, bring_sources: BringSources | None = None
    ) -> AsyncIterator[TektonEngine]:
        """While it lasts, builds can be made; afterwards finished TaskRuns are cleared away.

        ``runs`` is the folder of the stream's runs: logs of builds that ended while nobody
        looked are completed there. ``bring_sources`` stores what pods find nowhere else, and
        gives the snapshot that has it; it is called when the cluster is known to be able to build.
        Raises NoSuchKind, NotPermitted, ClusterError and ClusterUnavailable.
        """
        architecture = self._images.platform.architecture
        await check_cluster(self._cluster, namespace=self._namespace, architecture=architecture)
        if bring_sources is not None:
            self._settings = msgspec.structs.replace(self._settings, snapshot=await bring_sources())
        async with self._watch.opened():
            try:
                if runs is not None:
                    await self._clearing.collect(runs, current=self._errand.run)
                yield self
            finally:
                await self._clearing.clear()

    async def build(
        self, step: BuildStep, *, log: Path, retried: TellRetry = ignore_retry
    ) -> Digest:
        """Have the image built, and return its manifest's digest.

        Raises BuildError, TransientBuildError, and ClusterError, MissingTool or StorageError
        when nothing can be built. When cancelled, the TaskRun is cancelled too.
        """
        async with self._alone[key_of_step(step)]:  # two components may be the same image
            return await self._build(step, log, retried)

    async def _build(self, step: BuildStep, log: Path, retried: TellRetry) -> Digest:
        """The image of a step that nobody else of this run builds now."""
        key = key_of_step(step)
        attempts = Attempts(step.component)
        spent: set[str] = set()
        while True:
            present = map(attempt_from, self._watch.of_key(key))
            afresh = step.component in self._afresh
            chosen = choose(present, spent=spent, afresh=afresh)
            stream = self._follower.open_log(log)
            try:
                followed = await self._carry_out(chosen, step, stream)
            finally:
                await stream.close()
            verdict = followed.verdict
            if verdict.rule.reaction is Reaction.TAKE and followed.task_run is not None:
                digest = await self._take(followed.task_run, step)
                if digest is not None:
                    return digest
                verdict = Verdict(cause=Cause.UNDELIVERED, message=self._images.repository.name)
            if followed.task_run is not None:
                spent.add(followed.task_run.name)
                await self._put_away(followed.task_run, verdict)
            pause = attempts.count(verdict)
            retried(attempts.describe(verdict))
            await self._clock.wait(self._settings.patience.pause * pause)

    async def _carry_out(self, chosen: Follow | Make, step: BuildStep, log: LogCopy) -> Followed:
        """Make or adopt a TaskRun and follow it; when cancelled, it is cancelled."""
        if isinstance(chosen, Make):
            written = make_build(
                step,
                chosen,
                repository=self._images.repository.name,
                errand=self._errand,
                settings=self._settings,
                afresh=step.component in self._afresh,
            )
            name = written.metadata.name
            async with self._places.taken():
                log.note(f"TaskRun {name} in namespace {self._namespace}")
                await self._writer.make(written)
        else:
            name = chosen.name
            log.note(f"TaskRun {name} in namespace {self._namespace}, begun earlier")
            await self._writer.adopt(name, run=self._errand.run)
        try:
            return await self._follower.follow(name, log, subject=step.tag)
        except asyncio.CancelledError:
            await self._writer.cancel(name)
            await log.wait_for_end(self._settings.patience.cancelled_log)
            raise

    async def _take(self, task_run: TaskRun, step: BuildStep) -> Digest | None:
        """The digest of what ``task_run`` built; None when the repository does not have it."""
        try:
            return await verify_image(
                task_run.results, step, self._images, format_version=self._format_version
            )
        finally:
            self._clearing.add(task_run)

    async def _put_away(self, task_run: TaskRun, verdict: Verdict) -> None:
        """Leave nothing of a failed attempt that could go on, or that explains nothing."""
        if verdict.rule.reaction is Reaction.STOP:
            await self._writer.delete(task_run.name)
        else:
            self._clearing.add(task_run)
