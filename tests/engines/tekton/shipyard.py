# SPDX-License-Identifier: Apache-2.0
"""A place to build in with Tekton: a cluster in memory, its controller, and whole streams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from pretend_tekton import PretendTekton, Script
from streams import inline, write_stream
from workshop import Workshop

from okd_payload.build.freeze import FrozenPlan
from okd_payload.build.images import StreamImages
from okd_payload.build.imports import Importer
from okd_payload.build.job import BuildOutcome, JobOptions, build_images
from okd_payload.build.maker import Maker
from okd_payload.build.records import start_run
from okd_payload.build.steps import Steps
from okd_payload.catalog.catalog import Catalog
from okd_payload.clock import Clock, SystemClock
from okd_payload.cluster import Cluster
from okd_payload.cluster.kinds import EVENT, POD, TASK_RUN
from okd_payload.engines.tekton.engine import TektonEngine
from okd_payload.engines.tekton.settings import Errand, TektonSettings
from okd_payload.progress import Event, Noticed
from okd_payload.testing.kubernetes import JsonObject, MemoryCluster, SimulatedCluster


class Shipyard:
    """A cluster with Tekton, and a repository that its pods and we reach."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.path = path
        self.workshop = Workshop(path)
        self.simulated = SimulatedCluster(clock=clock)
        for kind in (TASK_RUN, POD, EVENT):
            self.simulated.serve(kind)
        self.cluster = MemoryCluster("builds", cluster=self.simulated)
        self.tekton = PretendTekton(self.workshop.content, self.workshop.engine, path)
        self.simulated.controllers.append(self.tekton)
        self.settings = TektonSettings()
        self.events: list[Event] = []
        self.runs = path / "runs"
        self.logs: list[Path] = []
        """Folders with the logs of the runs so far."""

    def follow(self, scripts: dict[str, list[Script]]) -> None:
        """Let the TaskRuns of a component go by these scripts, one for each attempt."""
        left = {name: list(each) for name, each in scripts.items()}

        def script(document: JsonObject) -> Script:
            name = document["metadata"]["annotations"]["okd-payload.io/component-name"]
            return left[name].pop(0) if left.get(name) else Script()

        self.tekton.script = script

    def catalog(self, dockerfiles: dict[str, str]) -> Catalog:
        """A stream with a component for each Dockerfile."""
        texts = {name: inline(text) for name, text in dockerfiles.items()}
        return write_stream(self.path, texts)

    async def freeze(self, catalog: Catalog) -> FrozenPlan:
        """The frozen plan of ``catalog``."""
        return await self.workshop.freeze(catalog)

    def engine(self, *, run: str, cluster: Cluster | None = None, **changes: Any) -> TektonEngine:
        """The engine that is tested."""
        return TektonEngine(
            cluster=cluster or self.cluster,
            images=StreamImages(self.workshop.content, self.workshop.images.platform),
            format_version=self.workshop.engine.format_version,
            errand=Errand(stream="test", run=run),
            settings=self.settings,
            clock=SystemClock(),
            progress=self.events.append,
            **changes,
        )

    async def build(
        self,
        frozen: FrozenPlan,
        *,
        cluster: Cluster | None = None,
        forced: frozenset[str] = frozenset(),
        **changes: Any,
    ) -> BuildOutcome:
        """Carry out ``frozen``, as ``build --engine tekton`` does."""
        clock = SystemClock()
        folder = start_run(self.runs, stream="test", moment=clock.now())
        self.logs.append(folder.path / "logs")
        engine = self.engine(run=folder.record.id, cluster=cluster, **changes)
        images = StreamImages(self.workshop.content, self.workshop.images.platform)
        async with engine.opened(runs=self.runs):
            return await build_images(
                frozen,
                maker=Maker(
                    engine=engine,
                    images=images,
                    importer=Importer(images, self.workshop.places.repository_of, _ignore),
                    steps=Steps(frozen.catalog, images),
                    clock=clock,
                    progress=self.events.append,
                    forced=forced,
                ),
                runs=self.runs,
                clock=clock,
                progress=self.events.append,
                options=JobOptions(jobs=self.settings.jobs),
                folder=folder,
            )

    def change(self, **settings: Any) -> None:
        """Change the settings of the engine."""
        self.settings = msgspec.structs.replace(self.settings, **settings)

    @property
    def task_runs(self) -> list[JsonObject]:
        """The TaskRuns that are there now."""
        return self.simulated.objects(TASK_RUN, namespace="builds")

    @property
    def pods(self) -> list[JsonObject]:
        """The pods that are there now."""
        return self.simulated.objects(POD, namespace="builds")

    @property
    def notices(self) -> list[str]:
        """What was said on the way."""
        return [event.message for event in self.events if isinstance(event, Noticed)]

    def log(self, component: str, *, run: int = -1) -> str:
        """The log of a component in a run."""
        return (self.logs[run] / f"{component}.log").read_text()

    @property
    def kept_lines(self) -> set[str]:
        """Every line in every log."""
        files = [file for folder in self.logs for file in folder.glob("*")]
        return {line for file in files for line in file.read_text().splitlines()}


def _ignore(event: Event) -> None:
    """Nobody listens."""


Change = Callable[[Shipyard], None]
