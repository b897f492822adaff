# SPDX-License-Identifier: Apache-2.0
"""A release with its images in layouts, and the command that mirrors it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.referrers import list_tag
from okd_payload.oci.transfer import ImageCopy, copy_image
from okd_payload.testing.images import push_image

PUBLISHED = "quay.test/okd/content"


class Sources(msgspec.Struct, frozen=True):
    """Where the release and its images are, as locations, and what is signed."""

    release: str
    digest: str
    content: str
    folder: Path
    images: dict[str, str]
    signature_tag: str


@pytest.fixture
def run(run, monkeypatch, tmp_path):
    """Runs ``okd-payload release`` with folders of its own."""
    monkeypatch.setenv("OKD_PAYLOAD_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("OKD_PAYLOAD_CACHE", str(tmp_path / "cache"))
    return run


@pytest.fixture
def sources(tmp_path, world, manifest, listing, run):
    """A release of three images, one of them signed."""
    content = LayoutRepository(tmp_path / "content")

    async def fill():
        await world.add_base()
        await world.add("etcd")
        files = {"a.yaml": manifest("a", i="r/etcd"), "image-references": listing(etcd="r/etcd")}
        await world.add("op", files)
        for tag in world.tags:
            await copy_image(
                ImageCopy(source=world.repository, reference=tag, destination=content, tag=tag)
            )

    async def sign():
        tag = f"{list_tag(world.tags['etcd'])}.sig"
        await push_image(content, layers=[b"signature"], tag=tag)
        etcd = await content.manifests.get("etcd")
        await push_image(content, layers=[b"note"], subject=etcd.descriptor)
        return tag

    asyncio.run(fill())
    releases = f"oci:{tmp_path / 'releases'}"
    code, out, err = run(
        *("new", "--from-repository", f"oci:{tmp_path / 'content'}", "--name", "4.20.0"),
        *("--published-as", PUBLISHED, "--to-image", releases + ":4.20.0"),
    )
    assert code == 0, err
    return Sources(
        release=f"{releases}:4.20.0",
        digest=out.split()[0],
        content=f"oci:{tmp_path / 'content'}",
        folder=tmp_path,
        images=dict(world.tags),
        signature_tag=asyncio.run(sign()),
    )


@pytest.fixture
def mirror(run, sources):
    """Mirrors the release; with ``content`` its images are read in their layout."""

    def mirror_release(*arguments):
        return run("mirror", sources.release, "--content", sources.content, *arguments)

    return mirror_release
