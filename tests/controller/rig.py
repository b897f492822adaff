# SPDX-License-Identifier: Apache-2.0
"""A controller's surroundings in memory: repositories by name, a database, a clock of the test."""

from __future__ import annotations

from pathlib import Path

from okd_payload.controller.configuration.model import Input, StreamConfiguration
from okd_payload.controller.records import Database, open_database
from okd_payload.controller.surroundings import Surroundings
from okd_payload.oci.location import Location
from okd_payload.oci.repository import Repository
from okd_payload.progress import ignore_progress
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.memory_repository import MemoryRepository

INPUT, CONTENT, RELEASES = "quay.test/okd/scos", "quay.test/okd/content", "quay.test/okd/release"
STREAM = "4.20.0-0.test"


class Rig:
    """Everything that a controller stands on, for tests to look into."""

    def __init__(
        self,
        state: Path,
        database: Database | None = None,
        *,
        clock: ManualClock | None = None,
    ) -> None:
        self.repositories: dict[str, MemoryRepository] = {}
        self.errors: dict[str, Exception] = {}
        """What opening a repository raises, by its name."""
        self.clock = clock or ManualClock()
        self.database = database or open_database("sqlite:///:memory:")
        self.streams: dict[str, StreamConfiguration] = {}
        self.configure()
        self.surroundings = Surroundings(
            database=self.database,
            clock=self.clock,
            progress=ignore_progress,
            configurations=lambda: self.streams,
            open_location=self.open,
            open_target=self.open,
            state=state,
        )

    def configure(self, name: str = STREAM, **fields: object) -> StreamConfiguration:
        """Configure a stream over the rig's repositories, ``fields`` instead of its own."""
        values: dict[str, object] = {
            "input": Input(repository=INPUT),
            "content": CONTENT,
            "content_name": CONTENT,
            "releases": RELEASES,
            "releases_name": RELEASES,
        }
        self.streams[name] = StreamConfiguration(name=name, **(values | fields))  # type: ignore[arg-type]
        return self.streams[name]

    def repository(self, name: str) -> MemoryRepository:
        """The repository called ``name``, empty when nobody has used it yet."""
        return self.repositories.setdefault(name, MemoryRepository(name))

    async def open(self, location: Location) -> Repository:
        """What the controller opens; raises what a test wants it to."""
        if location.repository in self.errors:
            raise self.errors[location.repository]
        return self.repository(location.repository)
