# SPDX-License-Identifier: Apache-2.0
"""A project with OpenShift Builds whose builder is a scripted engine."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

from streams import AMD64
from workshop import Workshop

from okd_payload.build.images import StreamImages
from okd_payload.build.maker import Maker
from okd_payload.build.steps import Steps
from okd_payload.catalog.catalog import Catalog
from okd_payload.clock import Clock
from okd_payload.cluster import kinds
from okd_payload.engines.openshift.build_config import BuildSettings, Target
from okd_payload.engines.openshift.engine import OpenShiftEngine
from okd_payload.imagestream.cluster_repository import ClusterStreamRepository
from okd_payload.source.model import Commit
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.openshift import (
    Execution,
    ImageStreams,
    OpenShiftBuilds,
    StreamRegistry,
    serve_openshift,
)
from okd_payload.testing.openshift.steps import BuildReader
from okd_payload.testing.scripted_engine import ScriptedEngine

REPOSITORY = "image-registry.openshift-image-registry.svc:5000/okd/release"


class OpenShiftProject(Workshop):
    """A workshop whose engine is an OpenShift cluster."""

    def __init__(self, path: Path, definitions: Path | None, *, clock: Clock | None = None) -> None:
        super().__init__(path)
        self.simulated = SimulatedCluster(clock=clock or self.clock)
        serve_openshift(self.simulated, definitions)
        self.streams = ImageStreams(self.simulated)
        self.cluster = MemoryCluster("okd", cluster=self.simulated)
        self.streams.add("okd", "release")
        registry = StreamRegistry(self.content, self.streams, namespace="okd", stream="release")
        view = ClusterStreamRepository(self.cluster, "release", registry)
        self.images = StreamImages(view, AMD64)
        self.engine = ScriptedEngine(view, self.sources)
        self.builder = ScriptedEngine(self.content, self.sources)
        """What runs in the pods of builds."""
        self.failures: dict[str, deque[str]] = defaultdict(deque)
        """Reasons with which the next builds of a component fail."""
        self.held: dict[str, asyncio.Event] = {}
        """Builds of these components wait for their event."""
        self.begun: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """Set when a build of the component has begun."""
        self.commits: dict[str, Commit] = {}
        self.reader = BuildReader(self.sources, self.commits.__getitem__)
        self.builds = OpenShiftBuilds(self.simulated, self._execute, self.streams)
        self.simulated.controllers.append(self.builds)

    def new_engine(
        self,
        *,
        existing: bool = False,
        jobs: int = 2,
        run: str = "r1",
        log_seconds: float = 60.0,
        **target: Any,
    ):
        """An engine as one run of the program has it."""
        return OpenShiftEngine(
            self.cluster,
            self.images,
            target=Target(**{"pull_name": REPOSITORY, "image_stream": "release", **target}),
            settings=BuildSettings(stream="test", run=run, jobs=jobs, log_seconds=log_seconds),
            format_version=self.engine.format_version,
            clock=self.clock,
            existing=existing,
        )

    def maker_with(self, catalog: Catalog, engine: OpenShiftEngine) -> Maker:
        """What makes the images of ``catalog`` with ``engine``."""
        return Maker(
            engine=engine,
            images=self.images,
            importer=self.maker(catalog)._importer,
            steps=Steps(catalog, self.images),
            clock=self.clock,
            progress=self.events.append,
        )

    def put(self, name: str, dockerfile: str, files: Any = None, **facts: Any) -> Commit:
        """Let the repository of the component hold these files; builds find the commit."""
        commit = super().put(name, dockerfile, files, **facts)
        self.commits[commit.id] = commit
        return commit

    def all_builds(self) -> list[dict[str, Any]]:
        """Every build that the cluster has."""
        return self.simulated.objects(kinds.OPENSHIFT_BUILD, namespace="okd")

    def unfinished(self) -> list[str]:
        """The builds that go on, or hope to."""
        ended = ("Complete", "Failed", "Error", "Cancelled")
        return [
            build["metadata"]["name"]
            for build in self.all_builds()
            if build["status"]["phase"] not in ended
        ]

    async def settle(self) -> None:
        """Let the controller do what is left to do."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def _execute(self, build: dict[str, Any]) -> Execution:
        step = await self.reader.read(build, platform=AMD64)
        self.begun[step.component].set()
        if step.component in self.held:
            await self.held[step.component].wait()
        if self.failures[step.component]:
            reason = self.failures[step.component].popleft()
            return Execution(reason=reason, log=f"{step.component} says {reason}\n")
        log = self.path / f"{build['metadata']['name']}.log"
        digest = await self.builder.build(step, log=log)
        return Execution(digest=digest, log=f"built {step.component}\n")
