# SPDX-License-Identifier: Apache-2.0
"""What everything that is served stands on, and how the records are asked.

One value for all routes, made once: what may change while the server runs is behind it, in the
records and in the configuration. It asks the records and changes nothing in them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec

from okd_payload.controller.graph.following import SnapshotReader
from okd_payload.controller.model import VerificationRun
from okd_payload.controller.service import Service
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.shared_files import fetch_files
from okd_payload.source.history import History
from okd_payload.web.access.settings import SiteSettings

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One running server."""

    surroundings: Surroundings
    service: Service | None = None
    """The controller in the same process; None where only pages are served."""
    base_url: str = ""
    """Where people reach it, for links in feeds and messages: no slash at the end."""
    title: str = "OKD releases"
    architecture: str = "amd64"
    """Of the releases that requests without an architecture mean."""

    builds: Path | None = None
    """The folder with the runs of builds by stream; None where nobody builds beside this."""
    history: History | None = None
    """Reads what happened between two commits, for changelogs; without, they name no changes."""
    settings: SiteSettings = SiteSettings()
    """How it is open, and whom it tells."""
    snapshots: SnapshotReader = msgspec.field(default_factory=SnapshotReader)
    """Of the records, for update graphs and for what metrics tell of them."""

    async def ask(
        self,
        read: Callable[Concatenate[Any, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """What ``read`` of the records gives for these arguments. Raises RecordsError."""
        database = self.surroundings.database
        return await database.read(lambda unit: read(unit, *arguments, **named))

    async def files_of(self, run: VerificationRun, names: Collection[str] | None = None) -> Path:
        """The folder below which ``names`` are, files of ``run`` as it names them; else all.

        Raises RecordsError and StorageError.
        """
        surroundings = self.surroundings
        if not surroundings.database.is_shared:
            return surroundings.state
        wanted = names if names is not None else (run.log, *run.artifacts)
        return await fetch_files(surroundings, run, wanted)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.surroundings.clock.now()

    def link(self, path: str) -> str:
        """``path`` as an address that works elsewhere too, where the server knows its own."""
        return f"{self.base_url}{path}"
