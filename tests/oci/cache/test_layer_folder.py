# SPDX-License-Identifier: Apache-2.0
"""Files of a layer are extracted once, and are the same each time."""

from __future__ import annotations

import io
import tarfile

import msgspec
import pytest

from okd_payload.errors import ContentError
from okd_payload.oci.cache import CachedRepository, read_layer_folder
from okd_payload.oci.media_types import OCI_LAYER, OCI_LAYER_GZIP
from okd_payload.testing.images import push_blob


def _archive(*names: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", encoding="utf-8", errors="surrogateescape") as archive:
        for number, name in enumerate(names):
            content = b"content of " + name
            info = tarfile.TarInfo(name.decode(errors="surrogateescape"))
            info.size, info.mtime, info.mode = len(content), number, 0o640
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _summary(files) -> list[tuple[str, bytes, int, int]]:
    return [(f.entry.path, f.content, f.entry.mtime_ns, f.entry.mode) for f in files]


async def test_files_are_extracted_once(cached, place) -> None:
    """The second reading of a layer asks for nothing, and names, times and bytes are the same."""
    names = (b"manifests/b.yaml", b"usr/bin/op", b"./manifests/a.yaml", b"manifests/b.yaml")
    layer = await push_blob(place, _archive(*names), OCI_LAYER)
    first = await read_layer_folder(cached, layer, folder="manifests")
    place.operations.clear()

    again = await read_layer_folder(cached, layer, folder="manifests")

    assert _summary(again) == _summary(first)
    assert [file.entry.path for file in again] == [
        "manifests/b.yaml",
        "manifests/a.yaml",
        "manifests/b.yaml",
    ]
    assert place.operations == []


async def test_a_folder_that_comes_at_the_end_is_found(cached, place) -> None:
    """Layers are read to their end: nothing says that a folder comes only once, or first."""
    names = (b"manifests/a.yaml", *(b"usr/%d" % number for number in range(50)), b"manifests/z")
    layer = await push_blob(place, _archive(*names), OCI_LAYER)

    files = await read_layer_folder(cached, layer, folder="manifests")

    assert [file.entry.path for file in files] == ["manifests/a.yaml", "manifests/z"]


async def test_that_there_is_nothing_is_remembered_too(cached, place) -> None:
    """A layer without the folder is read once."""
    layer = await push_blob(place, _archive(b"usr/bin/op", b"manifestsother"), OCI_LAYER)
    assert await read_layer_folder(cached, layer, folder="manifests") == []
    place.operations.clear()

    assert await read_layer_folder(cached, layer, folder="manifests") == []
    assert place.operations == []


async def test_folders_do_not_answer_for_each_other(cached, place) -> None:
    """Another folder of the same layer is another question."""
    layer = await push_blob(place, _archive(b"manifests/a", b"release-manifests/b"), OCI_LAYER)

    found = [
        [file.entry.path for file in await read_layer_folder(cached, layer, folder=folder)]
        for folder in ("manifests", "release-manifests")
    ]

    assert found == [["manifests/a"], ["release-manifests/b"]]


async def test_names_that_are_no_text_are_read_each_time(cached, place) -> None:
    """A name that cannot be kept is given all the same."""
    layer = await push_blob(place, _archive(b"manifests/\xff.yaml"), OCI_LAYER)

    for _ in range(2):
        files = await read_layer_folder(cached, layer, folder="manifests")
        assert [file.content for file in files] == [b"content of manifests/\xff.yaml"]


async def test_a_wrong_answer_is_an_error_each_time(cached, place) -> None:
    """What the cache knows of a layer does not excuse a manifest that describes it wrongly."""
    layer = await push_blob(place, _archive(b"manifests/a"), OCI_LAYER)
    await read_layer_folder(cached, layer, folder="manifests")
    wrong = msgspec.structs.replace(layer, media_type=OCI_LAYER_GZIP)

    for _ in range(2):
        with pytest.raises(ContentError):
            await read_layer_folder(cached, wrong, folder="manifests")


@pytest.mark.parametrize("kept", [b"", b"\xc1", b"\x91\x91\x01"])
async def test_what_cannot_be_understood_counts_as_absent(
    cached, place, shelves, folder, kept
) -> None:
    """A file of another program, or of an older one, is no answer."""
    layer = await push_blob(place, _archive(b"manifests/a"), OCI_LAYER)
    await read_layer_folder(cached, layer, folder="manifests")
    key = next(folder.glob("layer-folders/*"))
    shelves.layer_folders.put(key.name, kept)

    files = await read_layer_folder(cached, layer, folder="manifests")
    assert [file.entry.path for file in files] == ["manifests/a"]


async def test_without_a_cache_it_is_read_each_time(place, shelves) -> None:
    """Repositories of other kinds are simply read."""
    layer = await push_blob(place, _archive(b"manifests/a"), OCI_LAYER)

    plain = await read_layer_folder(place, layer, folder="manifests")

    cached = CachedRepository(place, shelves)
    assert _summary(plain) == _summary(await read_layer_folder(cached, layer, folder="manifests"))
