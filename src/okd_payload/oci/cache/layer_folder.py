# SPDX-License-Identifier: Apache-2.0
"""The files below one folder of a layer, extracted once for as long as the cache lasts.

A layer never changes, so neither does what is in it; reading some manifests out of a layer means
fetching, hashing and inflating all of it, since nothing promises that no further entry of the
folder comes at its end. "None there" is kept like any other answer. Owners and extended
attributes are not kept: nobody who reads files into memory asks for them.
"""

from __future__ import annotations

import hashlib

import msgspec

from okd_payload.oci.cache.repository import CachedRepository
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.read import LayerFile, read_files
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Repository

_FORMAT = 1
"""To be raised when other files are found in the same layer, or when they are kept otherwise."""


class _KeptFile(msgspec.Struct, frozen=True, array_like=True):
    name: str
    mode: int
    mtime_ns: int
    content: bytes


async def read_layer_folder(
    repository: Repository, layer: Descriptor, *, folder: str
) -> list[LayerFile]:
    """The regular files of ``layer`` below ``folder``, in the order of the archive.

    Raises NotFound and ContentError. From the cache when ``repository`` has one.
    """
    if not isinstance(repository, CachedRepository):
        return await _extract(repository, layer, folder)
    shelf = repository.shelves.layer_folders
    key = _key(layer, folder)
    found = _decode(shelf.get(key))
    if found is None:
        found = await _extract(repository, layer, folder)
        encoded = _encode(found)
        if encoded is not None:
            shelf.put(key, encoded)
    return found


async def _extract(repository: Repository, layer: Descriptor, folder: str) -> list[LayerFile]:
    files = read_files(
        repository.blobs, layer, want=lambda entry: entry.path.startswith(f"{folder}/")
    )
    return [file async for file in files]


def _key(layer: Descriptor, folder: str) -> str:
    """What the answer depends on; a wrong media type or size is an error and no answer."""
    parts = (str(_FORMAT), layer.digest, str(layer.size), layer.media_type, folder)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _encode(files: list[LayerFile]) -> bytes | None:
    """None when a name is no text, which is too rare to find a form for."""
    kept = [
        _KeptFile(file.entry.name, file.entry.mode, file.entry.mtime_ns, file.content)
        for file in files
    ]
    try:
        return msgspec.msgpack.encode(kept)
    except (UnicodeEncodeError, OverflowError):
        return None


def _decode(content: bytes | None) -> list[LayerFile] | None:
    if content is None:
        return None
    try:
        kept = msgspec.msgpack.decode(content, type=list[_KeptFile])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return [
        LayerFile(
            Entry(name=file.name, mode=file.mode, mtime_ns=file.mtime_ns, size=len(file.content)),
            file.content,
        )
        for file in kept
    ]
