# SPDX-License-Identifier: Apache-2.0
"""Files of layers in memory."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from okd_payload.errors import ContentError, DigestMismatch, TooLarge, UnsafeEntry
from okd_payload.oci import media_types
from okd_payload.oci.layers.bounds import Bounds
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.read import read_files, read_merged_files
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Blobs
from okd_payload.testing.memory_repository import MemoryBlobs, MemoryRepository

GZIP = media_types.OCI_LAYER_GZIP


Stored = Callable[..., Awaitable[tuple[MemoryRepository, Descriptor]]]


class _Counting(Blobs):
    """Blobs that count what was read of them."""

    def __init__(self, behind: MemoryBlobs) -> None:
        self.passed = 0
        self._behind = behind

    async def read(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        async for chunk in self._behind.read(descriptor):
            self.passed += len(chunk)
            yield chunk


def in_manifests(entry: Entry) -> bool:
    """Whether an entry is under manifests/."""
    return entry.path.startswith("manifests/")


async def test_wanted_files_of_a_layer_come_in_order(
    archive: Callable[..., bytes], link: Callable[..., Any], stored: Stored
) -> None:
    """Regular files are given, by any spelling of their name; links and others are not."""
    content = archive(
        {
            "usr/bin/tool": b"x" * 5000,
            "./manifests/b": "b",
            "manifests/./a": "a",
            "/manifests/absolute": "no",
            "manifests-other/x": "no",
            "manifests/soft": link("a"),
            "manifests/hard": link("manifests/a", hard=True),
            "manifests/sub/": "",
            "manifests/sub/c": "",
        }
    )
    repository, layer = await stored(gzip.compress(content), GZIP)
    found = read_files(repository.blobs, layer, want=in_manifests)
    files = [(file.entry.path, file.content) async for file in found]
    assert files == [("manifests/b", b"b"), ("manifests/a", b"a"), ("manifests/sub/c", b"")]


async def test_large_layers_are_read_in_steps(
    archive: Callable[..., bytes], stored: Stored
) -> None:
    """Files come while the layer still arrives, and a reader may stop early."""
    content = archive({"manifests/a": "a", "big": bytes(3_000_000), "manifests/b": "b"})
    repository, layer = await stored(content)
    blobs = _Counting(repository.blobs)
    files = read_files(blobs, layer, want=in_manifests)
    assert (await anext(files)).entry.path == "manifests/a"
    await files.aclose()
    assert blobs.passed < 2_000_000


async def test_kept_content_is_bounded(archive: Callable[..., bytes], stored: Stored) -> None:
    """What is kept in memory has a limit, all files together."""
    content = archive({"manifests/a": b"x" * 60, "manifests/b": b"x" * 60})
    repository, layer = await stored(content)
    files = read_files(repository.blobs, layer, want=in_manifests, bounds=Bounds(kept_bytes=100))
    with pytest.raises(TooLarge, match="'manifests/b' and the files before"):
        [file async for file in files]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b"x" * 600, "a/b.tar"), (b"x", "a/b.tar"), (b"x" * 600, GZIP), (b"", "no layer")],
)
async def test_damage_is_reported(content: bytes, media_type: str, *, stored: Stored) -> None:
    """A layer that is no archive is ContentError, however short: it says which, and what to do."""
    repository, layer = await stored(content, media_type)
    with pytest.raises(ContentError, match=f"^{layer.digest}: ") as caught:
        [file async for file in read_files(repository.blobs, layer, want=in_manifests)]
    assert "again" in caught.value.hint


async def test_an_error_that_names_the_layer_is_left_alone(stored: Stored) -> None:
    """What the repository says about a blob is not said twice."""
    repository, layer = await stored(b"x" * 600)
    repository.blobs.contents[layer.digest] = b"y" * 600
    with pytest.raises(DigestMismatch, match=r"^content of sha256:") as caught:
        [file async for file in read_files(repository.blobs, layer, want=in_manifests)]
    assert caught.value.message.count("sha256:") == 2


async def test_an_image_is_read_as_a_container_sees_it(
    image: Callable[..., Any], link: Callable[..., Any]
) -> None:
    """Upper layers replace, whiteouts remove, and within a layer the last entry counts."""
    repository, layers = await image(
        {"manifests/a": "old", "manifests/b": "b", "manifests/c": "c"},
        {
            "manifests/.wh.b": "",
            "manifests/a": "older",
            "manifests/c": link("a"),
            "./manifests/a": "new",
            "manifests/d": "d",
        },
        {"usr/bin/a": "a"},
    )
    files = await read_merged_files(repository.blobs, layers, want=in_manifests)
    assert [(f.entry.path, f.content) for f in files] == [
        ("manifests/a", b"new"),
        ("manifests/d", b"d"),
    ]


async def test_names_out_of_the_image_are_refused(image: Callable[..., Any]) -> None:
    """A layer that reaches out of the image is not read as part of one."""
    repository, layers = await image({"../x": "x"})
    with pytest.raises(UnsafeEntry):
        await read_merged_files(repository.blobs, layers, want=in_manifests)


async def test_changed_content_is_noticed(image: Callable[..., Any]) -> None:
    """A layer whose bytes are not those of its digest gives nothing."""
    repository, layers = await image({"manifests/a": "a"}, {"manifests/b": "b"})
    contents = repository.blobs.contents
    contents[layers[1].digest] = contents[layers[0].digest]
    with pytest.raises(DigestMismatch):
        await read_merged_files(repository.blobs, layers, want=in_manifests)
