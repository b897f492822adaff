# SPDX-License-Identifier: Apache-2.0
"""The engine that lets an OpenShift cluster build, with the cluster's own builder.

A step becomes a BuildConfig of the project, of which one build is started, followed to its end
and read back from the repository that it pushed to. Builds carry their key, so those that run
when we begin are taken over, whoever began them; ours are cancelled when we are. The builder is
not buildah as we run it: equal steps give images of equal meaning, not of equal bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from okd_payload.build.engine import BuildStep, Retry, TellRetry, ignore_retry
from okd_payload.build.images import StreamImages
from okd_payload.build.log_text import clean_text
from okd_payload.clock import Clock
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.openshift.build_config import (
    BuildSettings,
    Target,
    build_config_of,
    object_name,
)
from okd_payload.engines.openshift.check import check_project
from okd_payload.engines.openshift.following import follow
from okd_payload.engines.openshift.inherited import check_parents
from okd_payload.engines.openshift.labelling import label_image
from okd_payload.engines.openshift.objects import Build, Phase, decode_build
from okd_payload.engines.openshift.reasons import Failure, failure_of
from okd_payload.engines.openshift.starting import cancel, define_build, start
from okd_payload.engines.pod.building import key_of_step
from okd_payload.engines.pod.causes import RULES, Cause, Reaction
from okd_payload.engines.pod.labels import BUILD_ROLE, selector, stream_labels
from okd_payload.engines.pod.log_copy import LogCopy
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.pod.running_places import RunningPlaces
from okd_payload.errors import BuildError, ClusterError, NotFound
from okd_payload.oci.digest import Digest, is_digest

_PAUSE = 2.0
"""Seconds before another attempt, more after each."""
_CANCEL_SECONDS = 20.0


class OpenShiftEngine:
    """Builds images of one stream in one project."""

    def __init__(
        self,
        cluster: Cluster,
        images: StreamImages,
        *,
        target: Target,
        settings: BuildSettings,
        format_version: str,
        clock: Clock,
        existing: bool = False,
    ) -> None:
        """``images`` are what ``target`` names, as we reach it.

        With ``existing``, the BuildConfigs of the project are used as they are.
        """
        self._cluster = cluster
        self._images = images
        self._target = target
        self._settings = settings
        self._format_version = format_version
        self._clock = clock
        self._existing = existing
        labels = stream_labels(settings.stream, role=BUILD_ROLE)
        self._watch = ObjectWatch(
            cluster, kinds.OPENSHIFT_BUILD, decode_build, selector=selector(labels)
        )
        self._places = RunningPlaces(self._watch, count=settings.jobs)

    @property
    def format_version(self) -> str:
        """As given: keys are those of every engine."""
        return self._format_version

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[OpenShiftEngine]:
        """While it lasts, builds can be made.

        Raises NoSuchKind, NoSuchObject, NotPermitted and ClusterUnavailable.
        """
        architecture = self._images.platform.architecture
        await check_project(self._cluster, self._target, architecture=architecture)
        async with self._watch.opened():
            yield self

    async def build(
        self, step: BuildStep, *, log: Path, retried: TellRetry = ignore_retry
    ) -> Digest:
        """Let the cluster build the image, and return the digest of its manifest.

        Raises BuildError, TransientBuildError, MissingTool when the project cannot build at all,
        and errors of clusters and registries. When cancelled, so is the build.
        """
        ends: Counter[Cause] = Counter()
        while True:
            copy = LogCopy(self._cluster, file=log)
            try:
                build = await self._run(step, copy, enlarged=ends[Cause.OUT_OF_MEMORY])
            finally:
                await copy.close()
            if build is not None and build.status.phase == Phase.COMPLETE.value:
                return await self._take_over(step, build)
            failure = _judge(step, build, copy)
            ends[failure.cause] += 1
            rule = RULES[failure.cause]
            tried = rule.reaction in (Reaction.RETRY, Reaction.ENLARGE)
            if not tried or ends[failure.cause] >= rule.most:
                raise failure.to_error(rule.afterwards if tried else rule.reaction)
            message = f"{failure.message.partition(chr(10))[0]}: trying again"
            retried(Retry(failure.cause.value, message))
            await self._clock.wait(_PAUSE * ends[failure.cause])

    async def _run(self, step: BuildStep, log: LogCopy, *, enlarged: int) -> Build | None:
        """A build of ``step`` that is over; None when it was deleted."""
        name = self._find_running(step)
        if name:
            log.note(f"build {name} in namespace {self._cluster.namespace}, begun earlier")
        else:
            name = await self._start_whole(step, enlarged)
            log.note(f"build {name} in namespace {self._cluster.namespace}")
        try:
            build = await follow(
                self._cluster, self._watch, name, log, log_seconds=self._settings.log_seconds
            )
        except asyncio.CancelledError:
            await self._stop(name)
            await log.wait_for_end(self._settings.log_seconds)
            raise
        if build is not None and not build.has_ended:
            await cancel(self._cluster, name)
        return build

    def _find_running(self, step: BuildStep) -> str:
        """A build of ``step`` that goes on, whoever began it; empty when there is none."""
        key = key_of_step(step)
        running = self._watch.select(
            lambda build: build.key == key and not (build.is_over or build.status.cancelled)
        )
        return min((build.name for build in running), default="")

    async def _start_whole(self, step: BuildStep, enlarged: int) -> str:
        """``_start``, which is not left half-way: what it began when we are cancelled, is too."""
        starting = asyncio.ensure_future(self._start(step, enlarged))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait({starting}, timeout=_CANCEL_SECONDS)
            if not starting.cancel() and starting.exception() is None:
                await self._stop(starting.result())
            raise

    async def _start(self, step: BuildStep, enlarged: int) -> str:
        """Start a build of ``step``, and return its name."""
        name = object_name(step.component)
        async with self._places.taken():
            if not self._existing:
                config = build_config_of(step, self._target, self._settings, enlarged=enlarged)
                await define_build(self._cluster, config)
            content = await start(
                self._cluster, step, name, self._settings, arguments=self._existing
            )
            build = self._watch.learn(content)
        try:
            self._check(step, build)
        except BuildError:
            await cancel(self._cluster, build.name)
            raise
        return build.name

    def _check(self, step: BuildStep, build: Build) -> None:
        """Raise BuildError when ``build`` does not do what ``step`` says."""
        if self._existing:
            check_parents(build, step)
            return
        labels = {label.name: label.value for label in build.spec.output.image_labels}
        if key_of_step(step) not in labels.values():
            raise BuildError(
                f"somebody else changed the BuildConfig of {step.component} at this moment",
                hint="let one run at a time build this component in a namespace",
            )

    async def _take_over(self, step: BuildStep, build: Build) -> Digest:
        """The image that ``build`` made, found in the repository of the stream."""
        pushed = build.status.output.to.image_digest if build.status.output.to else ""
        try:
            if self._existing and is_digest(pushed):
                return await label_image(
                    self._images.repository,
                    Digest(pushed),
                    step.labels,
                    platform=step.platform,
                )
            found = await self._images.find(key_of_step(step))
        except NotFound:
            found = None
        if found is None:
            where = build.status.output_docker_image_reference or "where it says"
            raise BuildError(
                f"build {build.name} pushed its image to {where}, and "
                f"{self._images.repository.name} does not have it",
                hint="both must be the same repository: check --repository and --image-stream",
            )
        return found.digest

    async def _stop(self, name: str) -> None:
        """Cancel the build although we are cancelled ourselves; not for ever."""
        with contextlib.suppress(TimeoutError, ClusterError, asyncio.CancelledError):
            async with asyncio.timeout(_CANCEL_SECONDS):
                await asyncio.shield(cancel(self._cluster, name))


def _judge(step: BuildStep, build: Build | None, log: LogCopy) -> Failure:
    """Why ``build`` came to nothing."""
    if build is None:
        message = f"the build of {step.component} was deleted before it was done"
        return Failure(cause=Cause.DELETED, message=message, hint=RULES[Cause.DELETED].hint)
    return failure_of(step.component, build.name, build.status, log=clean_text(log.tail()))
