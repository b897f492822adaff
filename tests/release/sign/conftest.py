# SPDX-License-Identifier: Apache-2.0
"""A release in a layout directory, and the command line."""

from __future__ import annotations

import asyncio

import pytest

from okd_payload.oci.layout import LayoutRepository
from okd_payload.release.new.publish import publish_release
from okd_payload.testing.memory_signer import MemorySigner


@pytest.fixture
def released(world, tmp_path):
    """The location and the digest of a release in a layout."""

    async def make():
        await world.add_base()
        release = await world.release("4.20.0")
        layout = LayoutRepository(tmp_path / "releases")
        await publish_release(release, layout, tag="4.20.0", repository_of=world.repository_of)
        return release.digest

    digest = asyncio.run(make())
    return f"oci:{tmp_path / 'releases'}:4.20.0", digest


@pytest.fixture(scope="session")
def signer():
    """A key, made once."""
    return MemorySigner()


@pytest.fixture
def key_file(signer, tmp_path):
    """The key as a file."""
    path = tmp_path / "key.asc"
    path.write_bytes(signer.secret_key)
    return path
