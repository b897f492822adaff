# SPDX-License-Identifier: Apache-2.0
"""A program for tests: one build, to be run by another user, or killed on the way.

``lonely_build.py FOLDER BASE DOCKERFILE NETWORK``: builds the text DOCKERFILE on the image BASE
of the layout ``FOLDER/images``, with the network ``host`` or ``none``, and prints the digest.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from okd_payload.build.engine import BuildStep
from okd_payload.engines.buildah import BuildahEngine, BuildahSettings, Network
from okd_payload.locations import Locations
from okd_payload.oci.digest import parse_digest
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.platform import host_platform
from okd_payload.source.model import FolderSource
from okd_payload.testing.memory_sources import MemorySourceTree


async def main(folder: Path, base: str, dockerfile: str, network: str) -> None:
    """Build and print."""
    source = FolderSource(path="/nowhere/component")
    sources = MemorySourceTree()
    engine = BuildahEngine(
        repository=LayoutRepository(folder / "images"),
        sources=sources,
        locations=Locations(cache=folder / "cache", state=folder / "state"),
        settings=BuildahSettings(network=Network(network)),
    )
    step = BuildStep(
        component="component",
        tag="component",
        source=source,
        commit=sources.put(source, {"file": "content\n"}),
        context_directory=".",
        dockerfile=dockerfile,
        images={"base": parse_digest(base)},
        platform=host_platform(),
        timestamp=1_000_000_000,
    )
    sys.stdout.write(await engine.build(step, log=folder / "log"))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
