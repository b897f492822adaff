# SPDX-License-Identifier: Apache-2.0
"""The engine that has every image built by a BuildRun of its own.

What happens to a step: a BuildRun with its name is followed if there is one, and made if not; its
log is copied while it runs; its end is judged by its cause, and another attempt is made where
that helps. The pod runs the buildah engine of the tool's image, so keys are those of that engine,
and what one of the two has built the other does not build again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import msgspec

from okd_payload.build.engine import BuildStep, TellRetry, ignore_retry
from okd_payload.build.images import StreamImages
from okd_payload.build.snapshot.model import BringSources
from okd_payload.clock import Clock
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.pod import labels, outcome
from okd_payload.engines.pod.attempts import Attempts
from okd_payload.engines.pod.building import key_of_step
from okd_payload.engines.pod.causes import Cause, Reaction
from okd_payload.engines.pod.choosing import Follow, Make, choose
from okd_payload.engines.pod.judging import Verdict
from okd_payload.engines.pod.log_copy import LogCopy
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.pod.running_places import RunningPlaces
from okd_payload.engines.pod.verifying import verify_image
from okd_payload.engines.shipwright.check import check_cluster
from okd_payload.engines.shipwright.following import Followed, Follower
from okd_payload.engines.shipwright.making import attempt_from, make_build_run
from okd_payload.engines.shipwright.run_state import BuildRun, decode_build_run
from okd_payload.engines.shipwright.settings import ShipwrightSettings
from okd_payload.engines.shipwright.strategy import make_step_strategy
from okd_payload.engines.shipwright.writing import BuildRunWriter
from okd_payload.errors import ClusterError
from okd_payload.oci.digest import Digest
from okd_payload.progress import Progress


class ShipwrightEngine:
    """Builds images of one stream; usable while it is ``opened``."""

    def __init__(
        self,
        cluster: Cluster,
        images: StreamImages,
        *,
        format_version: str,
        settings: ShipwrightSettings,
        clock: Clock,
        progress: Progress,
        afresh: Collection[str] = (),
    ) -> None:
        """``format_version`` is that of the engine in the pods' image.

        Components in ``afresh`` are built although a finished BuildRun has their image.
        """
        self._cluster = cluster
        self._images = images
        self._format_version = format_version
        self._settings = settings
        self._clock = clock
        self._afresh = frozenset(afresh)
        self._strategy = make_step_strategy(settings.tool)
        stream = labels.stream_labels(settings.stream, role=labels.BUILD_ROLE)
        self._watch = ObjectWatch(
            cluster,
            kinds.SHIPWRIGHT_BUILD_RUN,
            decode_build_run,
            selector=labels.selector(stream),
        )
        self._places = RunningPlaces(self._watch, count=settings.jobs)
        self._writer = BuildRunWriter(
            cluster,
            self._watch,
            kinds.SHIPWRIGHT_BUILD_RUN,
            namespace=cluster.namespace,
            clock=clock,
            quota_seconds=settings.patience.quota,
            progress=progress,
        )
        self._follower = Follower(
            cluster, self._watch, patience=settings.patience, progress=progress
        )
        self._finished: set[str] = set()

    @property
    def format_version(self) -> str:
        """That of the engine in the pods, so that keys are equal on every engine."""
        return self._format_version

    @contextlib.asynccontextmanager
    async def opened(
        self, *, bring_sources: BringSources | None = None
    ) -> AsyncIterator[ShipwrightEngine]:
        """While it lasts, builds can be made; afterwards finished BuildRuns are cleared away.

        ``bring_sources`` stores what pods find nowhere else, and gives the snapshot that has it;
        it is called when the cluster is known to be able to build.
        Raises NoSuchKind, NotPermitted, ClusterError and ClusterUnavailable.
        """
        await check_cluster(self._cluster, architecture=self._images.platform.architecture)
        if bring_sources is not None:
            self._settings = msgspec.structs.replace(self._settings, snapshot=await bring_sources())
        await self._writer.bring_strategy(self._strategy)
        async with self._watch.opened():
            try:
                yield self
            finally:
                await self._clear()

    async def build(
        self, step: BuildStep, *, log: Path, retried: TellRetry = ignore_retry
    ) -> Digest:
        """Have the image built, and return its manifest's digest.

        Raises BuildError, TransientBuildError, and ClusterError, MissingTool or StorageError
        when nothing can be built. When cancelled, the BuildRun is cancelled too.
        """
        key = key_of_step(step)
        attempts = Attempts(step.component)
        spent: set[str] = set()
        while True:
            present = map(attempt_from, self._watch.of_key(key))
            chosen = choose(present, spent=spent, afresh=step.component in self._afresh)
            copy = LogCopy(self._cluster, file=log)
            try:
                followed = await self._carry_out(chosen, step, copy)
            finally:
                await copy.close()
            verdict = followed.verdict
            if verdict.rule.reaction is Reaction.TAKE and followed.run is not None:
                self._finished.add(followed.run.name)
                digest = await self._verify(followed.run, step)
                if digest is not None:
                    return digest
                verdict = Verdict(cause=Cause.UNDELIVERED, message=self._images.repository.name)
            if followed.run is not None:
                spent.add(followed.run.name)
                await self._put_away(followed.run, verdict)
            pause = attempts.count(verdict)
            retried(attempts.describe(verdict))
            await self._clock.wait(self._settings.patience.pause * pause)

    async def _carry_out(self, chosen: Follow | Make, step: BuildStep, log: LogCopy) -> Followed:
        """Make or take over a BuildRun and follow it; when cancelled, it is cancelled."""
        if isinstance(chosen, Make):
            written = make_build_run(
                step,
                chosen,
                repository=self._images.repository.name,
                strategy=self._strategy.metadata.name,
                settings=self._settings,
                afresh=step.component in self._afresh,
            )
            name = written.metadata.name
            async with self._places.taken():
                log.note(f"BuildRun {name} in namespace {self._cluster.namespace}")
                await self._writer.make(written)
        else:
            name = chosen.name
            log.note(f"BuildRun {name} in namespace {self._cluster.namespace}, begun earlier")
        try:
            return await self._follower.follow(name, log, subject=step.tag)
        except asyncio.CancelledError:
            await self._cancel(name)
            await log.wait_for_end(self._settings.patience.cancelled)
            raise

    async def _verify(self, run: BuildRun, step: BuildStep) -> Digest | None:
        """The image of ``run``, as the repository has it; None when it is gone.

        The pod compared the formats itself: it would not have built in another one.
        """
        output = run.status.output.digest
        results = {outcome.DIGEST_RESULT: output} if output else {}
        return await verify_image(
            results | {outcome.FORMAT_RESULT: self._format_version},
            step,
            self._images,
            format_version=self._format_version,
        )

    async def _put_away(self, run: BuildRun, verdict: Verdict) -> None:
        """Leave nothing of a failed attempt that could go on, or that explains nothing."""
        if verdict.rule.reaction is Reaction.STOP:
            await self._writer.delete(run.name)
        else:
            self._finished.add(run.name)

    async def _cancel(self, name: str) -> None:
        """Cancel the BuildRun and wait a little for its end, which its log needs."""
        with contextlib.suppress(TimeoutError, ClusterError):
            async with asyncio.timeout(self._settings.patience.cancelled):
                await self._writer.cancel(name)
                await self._follower.wait_for_end(name)
        self._finished.add(name)

    async def _clear(self) -> None:
        """Delete what is over and done with."""
        if self._settings.keeps:
            return
        over = self._watch.select(lambda run: run.is_over and run.name in self._finished)
        for run in over:
            await self._writer.delete(run.name)
