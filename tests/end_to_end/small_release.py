# SPDX-License-Identifier: Apache-2.0
"""A small release in a registry: real images with real layers, one an index, one signed."""

from __future__ import annotations

import asyncio
import io
import random
import tarfile

import msgspec

from okd_payload.oci.manifest import Manifest
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.referrers import list_tag
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.oci.repository import Repository
from okd_payload.testing.images import push_image, push_index

VERSION = "4.20.0"
BASE = "base", 40_000


class SmallRelease(msgspec.Struct, frozen=True):
    """Where it is, and what it is made of."""

    pull_spec: str
    digest: str
    images: dict[str, str]
    signature_tag: str

    def tags(self) -> dict[str, str]:
        """What a mirror of it must have."""
        components = {f"{VERSION}-x86_64-{name}": it for name, it in self.images.items()}
        return {f"{VERSION}-x86_64": self.digest, **components}


def push_release(host: str, *, images: int, layer_bytes: int) -> SmallRelease:
    """Fill two repositories at ``host`` with a release and its images."""
    return asyncio.run(_push(host, images, layer_bytes))


async def _push(host: str, images: int, layer_bytes: int) -> SmallRelease:
    async with RegistryClient(RegistrySettings()) as client:
        content = client.repository(parse_reference(f"{host}/okd/content"))
        releases = client.repository(parse_reference(f"{host}/okd/release"))
        pushed = {
            f"component-{number:02}": await _push_component(content, number, layer_bytes)
            for number in range(images)
        }
        first = pushed["component-00"]
        tag = f"{list_tag(first.digest)}.sig"
        await push_image(content, layers=[b"signature"], tag=tag)
        digests = {name: manifest.digest for name, manifest in pushed.items()}
        files = {
            "release-manifests/image-references": _references(content.name, digests),
            "release-manifests/release-metadata": msgspec.json.encode(
                {"kind": "cincinnati-metadata-v0", "version": VERSION, "previous": []}
            ),
        }
        release = await push_image(
            releases,
            layers=[_layer(*BASE), _archive(files)],
            labels={"io.openshift.release": VERSION},
            tag=VERSION,
        )
        return SmallRelease(f"{releases.name}:{VERSION}", release.digest, digests, tag)


async def _push_component(content: Repository, number: int, layer_bytes: int) -> Manifest:
    own = _layer(f"program-{number}", layer_bytes)
    image = await push_image(content, layers=[_layer(*BASE), own])
    if number % 5:
        return image
    arm = await push_image(content, layers=[own], architecture="arm64")
    members = {"amd64": image, "arm64": arm} if number else {"amd64": image}
    return await push_index(content, members)


def _references(repository: str, digests: dict[str, str]) -> bytes:
    tags = [
        {"name": name, "from": {"kind": "DockerImage", "name": f"{repository}@{digest}"}}
        for name, digest in digests.items()
    ]
    return msgspec.json.encode(
        {
            "kind": "ImageStream",
            "apiVersion": "image.openshift.io/v1",
            "metadata": {"name": VERSION, "creationTimestamp": "2026-01-02T03:04:05Z"},
            "spec": {"lookupPolicy": {"local": False}, "tags": tags},
        }
    )


def _layer(name: str, size: int) -> bytes:
    return _archive({f"usr/bin/{name}": random.Random(name).randbytes(size)})


def _archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()
