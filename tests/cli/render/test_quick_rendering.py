# SPDX-License-Identifier: Apache-2.0
"""Rendering the real catalog of 189 components costs less than a second of processor time.

As a whole command, start-up and reading included. The best of some measurements counts: a busy
machine makes each of them cost more, never less.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "build"))

from facts import read_trees, serve
from streams import AMD64

from okd_payload.build.freeze import freeze
from okd_payload.build.snapshot.making import SnapshotRequest, make_snapshot
from okd_payload.build.snapshot.sources import RecordingSources
from okd_payload.build.work_graph import work_graph
from okd_payload.catalog.load import load_catalog
from okd_payload.clock import SystemClock
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.source.lock import Lock
from okd_payload.source.model import GitSource
from okd_payload.testing.registry_server import RegistryServer
from okd_payload.testing.yardstick import attempt_below, count_children

MOST_SECONDS = 2.0
"""Of processor time, twice what is promised."""
PERMITTED = ("private-reference", "dangling-reference", "duplicate-output", "missing-dockerfile")

Render = Callable[..., Awaitable[Path]]


@pytest.fixture
def stream(tmp_path: Path, shared_data: Path) -> Path:
    """The file of a stream of the real catalog."""
    catalog = shared_data / "okd-payload-pipeline" / "variants" / "scos"
    permits = "".join(f"  - {{code: {code}, reason: as recorded}}\n" for code in PERMITTED)
    file = tmp_path / "stream.yaml"
    file.write_text(f"name: scos\ncatalog: [{{kustomization: {catalog}}}]\npermits:\n{permits}")
    return file


@pytest.fixture
def render_quickly(tmp_path: Path) -> Render:
    """Run the command until it was quick enough once; where its files are."""

    async def render(*words: str) -> Path:
        command = (sys.executable, "-m", "okd_payload", "render", "tekton", *words, "--to")
        quiet = asyncio.subprocess.DEVNULL
        for attempt, cost in enumerate(attempt_below(MOST_SECONDS, clock=count_children)):
            folder = tmp_path / f"out-{attempt}"
            with cost:
                process = await asyncio.create_subprocess_exec(
                    *command, folder, stdout=quiet, stderr=quiet
                )
                assert await process.wait() == 0
        return folder

    return render


def read_edges(folder: Path) -> dict[str, list[str]]:
    """What each task of the rendered Pipeline runs after."""
    document = yaml.load(
        (folder / "overlays" / "scos" / "pipeline.yaml").read_bytes(), yaml.CSafeLoader
    )
    return {task["name"]: task.get("runAfter", []) for task in document["spec"]["tasks"]}


async def test_declared_edges_are_rendered_quickly(stream: Path, render_quickly: Render) -> None:
    """From definitions alone."""
    folder = await render_quickly(str(stream), "--declared-edges")
    assert len(read_edges(folder)) > 190


async def resolve(_: Reference) -> Descriptor:
    """Images of elsewhere are all the same here."""
    digest = Digest(f"sha256:{64 * '1'}")
    return Descriptor(media_type=media_types.OCI_MANIFEST, digest=digest, size=2)


async def test_true_edges_are_rendered_quickly(
    stream: Path, render_quickly: Render, shared_data: Path
) -> None:
    """From a snapshot, in which what Dockerfiles refer to is frozen."""
    catalog = load_catalog(stream)
    trees = read_trees(shared_data)
    by_url = {url: files for (url, _), files in trees.items()}
    for component in catalog.components:
        source = component.source
        if isinstance(source, GitSource) and source.url in by_url:
            trees.setdefault((source.url, source.ref), by_url[source.url])
    sources = RecordingSources(serve(trees))
    frozen = await freeze(catalog, sources=sources, resolve=resolve, platform=AMD64, lock=Lock())
    issues = tuple(issue for issue in frozen.plan.issues if not issue.blocks)
    frozen = msgspec.structs.replace(
        frozen, plan=msgspec.structs.replace(frozen.plan, issues=issues)
    )
    request = SnapshotRequest(frozen=frozen, given=Lock(), platform=AMD64)
    async with RegistryServer() as server:
        settings = RegistrySettings(plain_http_hosts=frozenset({server.host}))
        async with RegistryClient(settings, clock=SystemClock()) as client:
            repository = client.repository(parse_reference(f"{server.host}/content"))
            stored = await make_snapshot(request, sources=sources, repository=repository)
        words = ("--snapshot", stored.reference, "--plain-http", server.host)
        edges = read_edges(await render_quickly(*words))
    work = work_graph(frozen.plan)
    assert sum(map(len, edges.values())) > sum(map(len, work.waits.values())) > 189
