# SPDX-License-Identifier: Apache-2.0
"""What the commands about releases ask a registry for: the part of their speed that is no noise.

The program itself runs, before a registry in this process that writes down what it was asked.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from okd_payload import process
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient
from okd_payload.oci.transfer import ImageCopy, copy_image
from okd_payload.testing.registry_server import RegistryServer

pytestmark = pytest.mark.integration

OPERATORS = ("op-a", "op-b", "op-c")
HEAVY = {
    *("aiohttp", "cryptography", "jinja2", "lightkube", "pysequoia", "rich", "yaml"),
    *("attr", "email.message", "http.client", "multiprocessing", "urllib.request"),
}


class Desk:
    """The registry with the images of a world, and the program that is run before it."""

    def __init__(self, server: RegistryServer, client: RegistryClient, folder: Path) -> None:
        self._server = server
        self._client = client
        self._folder = folder
        self.content = f"{server.host}/okd/content"
        self.release = f"{server.host}/okd/release:4.20.0"

    async def publish(self, world) -> None:
        """Push all images of ``world`` and write the stream that names them."""
        target = self._client.repository(parse_reference(self.content))
        for name in world.tags:
            await copy_image(
                ImageCopy(source=world.repository, reference=name, destination=target, tag=name)
            )
        tags = [
            {"name": name, "from": {"kind": "DockerImage", "name": f"{self.content}@{digest}"}}
            for name, digest in world.tags.items()
        ]
        stream = {
            "kind": "ImageStream",
            "apiVersion": "image.openshift.io/v1",
            "spec": {"tags": tags},
        }
        (self._folder / "stream.json").write_text(json.dumps(stream))

    async def run(self, *arguments: str) -> list[tuple[str, str]]:
        """What was asked during one run: methods, and digests or tags, sorted."""
        self._server.requests.clear()
        await self._run(*arguments)
        asked = ((item.method, item.path.rpartition("/")[2]) for item in self._server.requests)
        return sorted(item for item in asked if item[1])

    async def loaded(self, *arguments: str) -> set[str]:
        """The modules that were imported during one run."""
        errors = await self._run(*arguments, PYTHONPROFILEIMPORTTIME="1")
        return {line.rpartition("|")[2].strip() for line in errors.splitlines()}

    async def _run(self, *arguments: str, **variables: str) -> str:
        outcome = await process.run(
            [sys.executable, "-m", "okd_payload", "release", *arguments],
            environment={
                **os.environ,
                "OKD_PAYLOAD_STATE": str(self._folder / "state"),
                "OKD_PAYLOAD_CACHE": str(self._folder / "cache"),
                **variables,
            },
        )
        assert outcome.code == 0, outcome.errors
        return outcome.errors

    async def new(self) -> list[tuple[str, str]]:
        """Make the release; what was read for it, without what it is put on and pushed."""
        asked = await self.run(
            *("new", "--from-image-stream-file", str(self._folder / "stream.json")),
            *("--reference-mode", "source", "--name", "4.20.0", "--to-image", self.release),
        )
        return [item for item in asked if item[0] == "GET"]


@pytest.fixture
async def desk(tmp_path, world, manifest, listing) -> AsyncIterator[Desk]:
    """A registry with a base, an operand and three operators."""
    await world.add_base()
    await world.add("etcd")
    for name in OPERATORS:
        files = {"a.yaml": manifest(name, i="r/etcd"), "image-references": listing(etcd="r/etcd")}
        await world.add(name, files)
    async with RegistryServer() as server, RegistryClient() as client:
        desk = Desk(server, client, tmp_path)
        await desk.publish(world)
        yield desk


async def test_new_asks_for_each_thing_once(desk, world) -> None:
    """Manifest and configuration of every image, and the last layer of the operators, once."""
    asked = await desk.new()

    assert len(asked) == len(set(asked))
    assert {digest for _, digest in asked} >= set(world.tags.values())


async def test_new_again_asks_for_nothing(desk) -> None:
    """A release that is made again of the same images is made without reading any."""
    await desk.new()

    assert await desk.new() == []


async def test_new_again_asks_for_what_changed(desk, world, manifest, listing) -> None:
    """With one operator changed its manifest, its configuration and its layer are read."""
    await desk.new()
    files = {"a.yaml": manifest("new"), "image-references": listing(etcd="r/etcd")}
    changed = await world.add("op-b", files)
    await desk.publish(world)

    asked = await desk.new()

    content = changed.image()
    wanted = {changed.digest, content.config.digest, content.layers[-1].digest}
    assert {digest for _, digest in asked} == wanted
    assert len(asked) == len(wanted)


async def test_new_works_with_a_cache_that_was_damaged(desk, tmp_path) -> None:
    """Whatever happened to the cache, the release is the same; what is damaged is read again."""
    await desk.new()
    for path in (tmp_path / "cache" / "content").glob("*/*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1])

    assert len(await desk.new()) > 0


async def test_what_is_pushed_is_asked_for(desk) -> None:
    """Whether blobs are there is asked of the registry, whatever the cache has."""
    await desk.new()

    asked = await desk.run("new", "--from-release", desk.release, "--to-image", desk.release + "-b")

    assert {method for method, _ in asked} >= {"HEAD", "PUT"}


async def test_info_asks_for_three_things(desk) -> None:
    """A release is its manifest, its configuration and its last layer."""
    await desk.new()

    asked = await desk.run("info", desk.release)

    assert [method for method, _ in asked] == ["GET"] * 3


async def test_info_loads_only_what_it_needs(desk) -> None:
    """A registry is spoken to without loading a library for it, or what such libraries load."""
    await desk.new()

    loaded = await desk.loaded("info", desk.release)

    assert "okd_payload.oci.registry.client" in loaded
    assert not loaded & HEAVY


async def test_sizes_may_come_from_the_cache(desk, world) -> None:
    """After a release was made here its sizes are known without asking for any image."""
    await desk.new()

    asked = await desk.run("info", "--size", desk.release)

    assert not {digest for _, digest in asked} & set(world.tags.values())


async def test_verifying_asks_the_registry(desk, world) -> None:
    """``info --verify`` asks for every image, whatever was read before."""
    await desk.new()

    asked = await desk.run("info", "--verify", desk.release)

    assert {digest for _, digest in asked} >= set(world.tags.values())
