# SPDX-License-Identifier: Apache-2.0
"""Files of layers in memory."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from okd_payload.errors import ContentError, DigestMismatch, TooLarge, UnsafeEntry
from okd_payload.oci import media_types
from okd_payload.oci.layers.bounds import Bounds
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.read import read_files, read_merged_files

GZIP = media_types.OCI_LAYER_GZIP


def in_manifests(entry: Entry) -> bool:
    """Whether an entry is under manifests/."""
    return entry.path.startswith("manifests/")


async def test_wanted_files_of_a_layer_come_in_order(
    archive: Callable[..., bytes],
    link: Callable[..., Any],
    chunks: Callable[[bytes], AsyncIterator[bytes]],
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
    files = [
        (file.entry.path, file.content)
        async for file in read_files(
            chunks(gzip.compress(content)), media_type=GZIP, want=in_manifests
        )
    ]
    assert files == [("manifests/b", b"b"), ("manifests/a", b"a"), ("manifests/sub/c", b"")]


async def test_large_layers_are_read_in_steps(
    archive: Callable[..., bytes], chunks: Callable[[bytes], AsyncIterator[bytes]]
) -> None:
    """Files come while the layer still arrives, and a reader may stop early."""
    content = archive({"manifests/a": "a", "big": bytes(3_000_000), "manifests/b": "b"})
    read = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        async for chunk in chunks(content):
            read += len(chunk)
            yield chunk

    files = read_files(counted(), media_type=media_types.OCI_LAYER, want=in_manifests)
    assert (await anext(files)).entry.path == "manifests/a"
    await files.aclose()
    assert read < 2_000_000


async def test_kept_content_is_bounded(
    archive: Callable[..., bytes], chunks: Callable[[bytes], AsyncIterator[bytes]]
) -> None:
    """What is kept in memory has a limit, all files together."""
    content = archive({"manifests/a": b"x" * 60, "manifests/b": b"x" * 60})
    files = read_files(
        chunks(content),
        media_type=media_types.OCI_LAYER,
        want=in_manifests,
        bounds=Bounds(kept_bytes=100),
    )
    with pytest.raises(TooLarge, match="'manifests/b' and the files before"):
        [file async for file in files]


async def test_damage_is_reported(chunks: Callable[[bytes], AsyncIterator[bytes]]) -> None:
    """A layer that is no archive is ContentError, however short."""
    for content in (b"x" * 600, b"x"):
        with pytest.raises(ContentError):
            [f async for f in read_files(chunks(content), media_type="", want=in_manifests)]


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
