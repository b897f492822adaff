# SPDX-License-Identifier: Apache-2.0
"""Building on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from okd_payload.build.engine import Engine
from okd_payload.cli.engines.request import EngineRequest
from okd_payload.engines.buildah import BuildahEngine, BuildahSettings, Network


@contextlib.asynccontextmanager
async def open_engine(request: EngineRequest) -> AsyncIterator[Engine]:
    """Buildah, building into the repository of the session."""
    yield BuildahEngine(
        repository=request.session.images.repository,
        sources=request.services.sources,
        locations=request.services.locations,
        settings=BuildahSettings(network=Network(request.options.network)),
    )
