# SPDX-License-Identifier: Apache-2.0
"""What an engine is opened with, and opening the one that was chosen."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from okd_payload.cli.engines import ENGINES

if TYPE_CHECKING:
    from okd_payload.build.engine import Engine
    from okd_payload.build.snapshot.model import BringSources
    from okd_payload.cli.engine_options import EngineOptions
    from okd_payload.cli.services import Services
    from okd_payload.cli.session import Session
    from okd_payload.oci.registry import RegistrySettings


class EngineRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which engine, for what."""

    session: Session
    services: Services
    options: EngineOptions
    registries: RegistrySettings
    run: str
    """The name of the run, as its folder has it."""
    runs: Path
    """The folder of all runs of the stream."""
    jobs: int
    """Builds at a time."""
    bring_sources: BringSources
    """To be called when the engine is known to work: it writes."""


@contextlib.asynccontextmanager
async def open_engine(request: EngineRequest) -> AsyncIterator[Engine]:
    """The engine that the request chooses, for as long as builds are made.

    Raises OkdPayloadError when it cannot build here.
    """
    module = importlib.import_module(ENGINES[request.options.engine])
    async with module.open_engine(request) as engine:
        yield engine
