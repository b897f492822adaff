# SPDX-License-Identifier: Apache-2.0
"""Small streams for the tests of planning: written to disk, sources in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from okd_payload.build.dockerfiles import DockerfileReader
from okd_payload.build.inputs import read_inputs
from okd_payload.build.plan import Plan
from okd_payload.build.planner import make_plan
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import load_catalog
from okd_payload.oci.manifest import Platform
from okd_payload.source.lock import Lock
from okd_payload.testing.memory_sources import MemorySourceTree

AMD64 = Platform(architecture="amd64")


def write_stream(folder: Path, components: Mapping[str, str], *, stream: str = "") -> Catalog:
    """The catalog of component files with these texts, and of ``stream`` lines."""
    (folder / "components").mkdir(parents=True, exist_ok=True)
    for name, text in components.items():
        (folder / "components" / f"{name}.yaml").write_text(text or "{}\n")
    path = folder / "stream.yaml"
    base = next(iter(components))
    path.write_text(
        f"name: test\ncatalog: [{{components: components}}]\nrelease: {{base: {base}}}\n{stream}"
    )
    return load_catalog(path)


def inline(dockerfile: str, *, more: str = "") -> str:
    """A component file with ``dockerfile`` in it, and further fields."""
    lines = "".join(f"  {line}\n" for line in dockerfile.splitlines())
    return f"inlineDockerfile: |\n{lines}{more}"


async def plan_of(catalog: Catalog, sources: MemorySourceTree | None = None) -> Plan:
    """The plan of ``catalog`` with sources in memory."""
    inputs = await read_inputs(catalog.components, sources or MemorySourceTree(), lock=Lock())
    return make_plan(catalog, inputs, reader=DockerfileReader(AMD64))
