# SPDX-License-Identifier: Apache-2.0
"""Everything that a run takes, in memory: sources, registries, an engine and a clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from streams import AMD64

from okd_payload.build.freeze import FrozenPlan, freeze
from okd_payload.build.images import MadeImage, StreamImages
from okd_payload.build.imports import Importer
from okd_payload.build.job import BuildOutcome, JobOptions, build_images
from okd_payload.build.maker import Maker
from okd_payload.build.places import Places
from okd_payload.build.records import ComponentRecord
from okd_payload.build.releasing import ReleaseMaker
from okd_payload.build.steps import Steps
from okd_payload.catalog.catalog import Catalog
from okd_payload.oci.digest import Digest
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository
from okd_payload.progress import Event
from okd_payload.source.lock import Lock
from okd_payload.source.model import Commit, GitSource
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.memory_sources import MemorySourceTree
from okd_payload.testing.scripted_engine import ScriptedEngine


def source_of(name: str) -> GitSource:
    """The repository of the component ``name``."""
    return GitSource(url=f"https://example.com/{name}", ref="main")


def from_git(name: str, *, more: str = "") -> str:
    """A component file that builds ``source_of(name)``."""
    return f"source: {{git: https://example.com/{name}, ref: main}}\n{more}"


class Workshop:
    """A place to build in; nothing of it is left behind but the run folders in ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sources = MemorySourceTree()
        self.content = MemoryRepository()
        self.releases = MemoryRepository()
        self.images = StreamImages(self.content, AMD64)
        self.engine = ScriptedEngine(self.content, self.sources)
        self.clock = ManualClock()
        self.events: list[Event] = []
        self.registries: dict[str, MemoryRepository] = {}
        """Repositories elsewhere, by name."""
        self.asked: list[str] = []
        """Pull specs that a registry was asked about."""
        self.places = Places([self.content, self.releases], self._open)

    async def _open(self, reference: Reference) -> Repository:
        self.asked.append(str(reference))
        return self.registry(reference.repository)

    def registry(self, name: str) -> MemoryRepository:
        """The repository elsewhere that is called ``name``."""
        return self.registries.setdefault(name, MemoryRepository(name))

    @property
    def built(self) -> list[str]:
        """The components that the last run built, in order."""
        return [step.component for step in self.engine.built]

    def put(
        self, name: str, dockerfile: str, files: Mapping[str, str] | None = None, **facts
    ) -> Commit:
        """Let the repository of the component ``name`` hold these files from now on."""
        content = {"Dockerfile": dockerfile, **(files or {})}
        return self.sources.put(source_of(name), content, **facts)

    async def freeze(
        self, catalog: Catalog, *, lock: Lock | None = None, only: Collection[str] = ()
    ) -> FrozenPlan:
        """The frozen plan of ``catalog``."""
        return await freeze(
            catalog,
            sources=self.sources,
            resolve=self.places.resolve,
            platform=AMD64,
            lock=lock or Lock(),
            only=only,
        )

    def maker(
        self, catalog: Catalog, *, forced: Collection[str] = (), moves_tags: bool = True
    ) -> Maker:
        """What makes the images of ``catalog``."""
        return Maker(
            engine=self.engine,
            images=self.images,
            importer=Importer(self.images, self.places.repository_of, self.events.append),
            steps=Steps(catalog, self.images),
            clock=self.clock,
            progress=self.events.append,
            forced=frozenset(forced),
            moves_tags=moves_tags,
        )

    async def run(
        self,
        catalog: Catalog,
        *,
        lock: Lock | None = None,
        only: Collection[str] = (),
        forced: Collection[str] = (),
        moves_tags: bool = True,
        jobs: int = 2,
        fail_fast: bool = False,
    ) -> BuildOutcome:
        """Freeze and build ``catalog``; ``built`` names the builds of this run only."""
        frozen = await self.freeze(catalog, lock=lock, only=only)
        return await self.carry_out(
            frozen,
            self.maker(catalog, forced=forced, moves_tags=moves_tags),
            options=JobOptions(jobs=jobs, fail_fast=fail_fast),
        )

    async def carry_out(
        self, frozen: FrozenPlan, maker: Maker, *, options: JobOptions | None = None
    ) -> BuildOutcome:
        """Build a frozen plan."""
        self.engine.built.clear()
        self.clock.advance(1)
        return await build_images(
            frozen,
            maker=maker,
            runs=self.path / "runs",
            clock=self.clock,
            progress=self.events.append,
            options=options or JobOptions(),
        )

    def release_maker(self, catalog: Catalog) -> ReleaseMaker:
        """What makes releases of ``catalog``."""
        return ReleaseMaker(
            catalog.stream, releases=self.releases, repository_of=self.places.repository_of
        )

    async def made(self, tag: str) -> MadeImage:
        """The image that ``tag`` of the content repository points at."""
        found = await self.images.read_tag(tag)
        assert found is not None
        return found


def actions(outcome: BuildOutcome) -> dict[str, str]:
    """What happened to each component, by tag."""
    return {item.tag: item.action.value for item in outcome.record.components}


def record(outcome: BuildOutcome, name: str) -> ComponentRecord:
    """The record of one component."""
    (found,) = (item for item in outcome.record.components if item.name == name)
    return found


def digests(outcome: BuildOutcome) -> dict[str, Digest]:
    """The images of a run, by tag."""
    return {tag: image.digest for tag, image in outcome.images.items()}
