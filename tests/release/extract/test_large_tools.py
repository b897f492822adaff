# SPDX-License-Identifier: Apache-2.0
"""Large programs pass through in little memory, and a kill leaves nothing half-done."""

from __future__ import annotations

import asyncio
import hashlib
import sys
import tarfile
import tracemalloc

import pytest

from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.stream import stream_files
from okd_payload.oci.layers.tar_encoder import encode_header
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.media_types import OCI_LAYER
from okd_payload.release.extract.markers import VERSION
from okd_payload.release.extract.products import Product, Values
from okd_payload.release.extract.targets import all_targets
from okd_payload.release.output_folder import TargetFolder
from okd_payload.testing.registry_faults import StallAnswer
from okd_payload.testing.registry_server import RegistryServer

_MIB = 1024 * 1024
_SIZE = 256 * _MIB
_MOST = 24 * _MIB
_SECONDS = 60


class EndlessBlobs:
    """A layer with one large program, made while it is read."""

    def __init__(self, path):
        self._path = path

    async def read(self, descriptor):
        yield encode_header(Entry(name=self._path, size=_SIZE, mtime_ns=10**18))
        block = hashlib.sha512(b"program").digest() * (_MIB // 64)
        for _ in range(_SIZE // _MIB - 1):
            yield block
        yield VERSION.content.ljust(_MIB, b"e")
        yield bytes(1024)


@pytest.mark.parametrize(
    ("command", "system"), [("oc", "linux"), ("openshift-install", "linux"), ("oc", "windows")]
)
async def test_memory_does_not_grow_with_the_program(tmp_path, command, system):
    """A program of 256 MiB is patched and packed in the memory of a few chunks."""
    target = next(
        item for item in all_targets() if (item.command, item.system) == (command, system)
    )
    values = Values(
        version="4.20.0",
        texts={marker.title: "4.20.0" for marker in target.tool.markers},
    )
    layer = Descriptor(media_type=OCI_LAYER, digest="sha256:" + "a" * 64, size=_SIZE)
    with TargetFolder(tmp_path) as folder, Product(target, values, folder, as_archive=True) as made:
        tracemalloc.start()
        try:
            await stream_files(EndlessBlobs(target.path), [layer], {target.path: [made]})
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < _MOST
        assert made.adopt().sha256
        folder.finish()
    if system == "linux":
        with tarfile.open(tmp_path / (target.archive % "4.20.0")) as archive:
            assert archive.getmember(target.program_name).size == _SIZE


class WatchedRequests(list):
    """Requests, and whether one for a certain blob has come."""

    def __init__(self, blob):
        super().__init__()
        self.seen = asyncio.Event()
        self._blob = blob

    def append(self, request):
        super().append(request)
        if self._blob in request.path:
            self.seen.set()


async def test_a_kill_leaves_no_name_behind(tool_world, client, tmp_path):
    """SIGKILL while an image is on its way: no file has its name yet, and the next run sweeps."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    await tool_world.add("installer", {"usr/bin/openshift-install": client * 9000})
    async with RegistryServer() as server:
        tool_world.name = f"{server.host}/okd/release"
        await tool_world.release()
        store = server.repository("okd/release")
        store.blobs |= tool_world.repository.blobs.contents
        manifests = tool_world.repository.manifests
        for digest, manifest in manifests.images.items():
            tags = [tag for tag, found in manifests.tagged.items() if found == digest]
            store.add_manifest(manifest, tag=tags[0] if tags else None)
        layer = manifests.images[tool_world.images["installer"]].image().layers[0].digest
        server.requests = WatchedRequests(layer)
        server.faults.add(StallAnswer(path=layer, after=600_000, times=-1))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "okd_payload", "release", "extract"),
            *(f"{server.host}/okd/release:r", "--tools", "--command-os", "linux"),
            *("--to", str(tmp_path / "tools"), "--state", str(tmp_path / "state")),
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(_SECONDS):
                await server.requests.seen.wait()
        finally:
            process.kill()
            await process.wait()
    left = [path.name for path in (tmp_path / "tools").iterdir()]
    assert left == [".okd-payload"]
    with TargetFolder(tmp_path / "tools"):
        pass
    assert list((tmp_path / "tools").iterdir()) == []
