# SPDX-License-Identifier: Apache-2.0
"""Folders as layers, and layers as folders again.

Equal content is an equal layer: entries are sorted, belong to nobody, and are of no time. A layer
is unpacked like the content of any image that somebody else made: names never lead out of the
folder, links are not followed, and sizes are bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from okd_payload.errors import InputError, SourceError
from okd_payload.oci.layers.bounds import Bounds
from okd_payload.oci.layers.entry import NANOSECONDS, Entry, EntryKind, whiteout_of
from okd_payload.oci.layers.extract import extract_path
from okd_payload.oci.layers.writer import LayerBlob, LayerWriter
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Repository
from okd_payload.oci.threads import finish_in_thread

FILES_TYPE = "application/vnd.okd-payload.snapshot.files.v1.tar+gzip"
_TIME_NS = 315_532_800 * NANOSECONDS
"""1980-01-01, the time of what no commit dates."""
_CHUNK_BYTES = 1024 * 1024
_BOUNDS = Bounds(expanded_bytes=16 * 1024**3, entries=1_000_000)


async def pack_files(root: Path, paths: Iterable[str], target: Path) -> LayerBlob:
    """A layer at ``target`` with the files and links at ``paths`` below ``root``.

    Raises InputError for a name that layers give another meaning, SourceError when a file
    cannot be read, and StorageError.
    """
    return await finish_in_thread(_pack, root, sorted(paths), target)


def _pack(root: Path, paths: list[str], target: Path) -> LayerBlob:
    with LayerWriter(target, media_type=FILES_TYPE) as writer:
        writer.add(Entry(name="./", kind=EntryKind.DIRECTORY, mode=0o755, mtime_ns=_TIME_NS))
        for path in paths:
            if whiteout_of(path) is not None:
                raise InputError(
                    f"{root / path} has a name that only layers of images use",
                    hint="give the file another name",
                )
            try:
                _add(writer, root / path, path)
            except OSError as error:
                raise SourceError(
                    f"cannot read {root / path}: {error.strerror or error}",
                    hint="run the same command again when nothing writes to the folder",
                ) from error
        return writer.finish()


def _add(writer: LayerWriter, file: Path, name: str) -> None:
    if file.is_symlink():
        link = str(file.readlink())
        writer.add(
            Entry(
                name=name,
                kind=EntryKind.SYMBOLIC_LINK,
                mode=0o777,
                link=link,
                mtime_ns=_TIME_NS,
            )
        )
        return
    status = file.stat()
    mode = 0o755 if status.st_mode & 0o100 else 0o644
    entry = Entry(name=name, mode=mode, size=status.st_size, mtime_ns=_TIME_NS)
    writer.add(entry, _content(file))


def _content(file: Path) -> Iterator[bytes]:
    with file.open("rb", buffering=0) as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            yield chunk


async def unpack_files(
    repository: Repository, layer: Descriptor, *, folder: Path, place: str
) -> None:
    """Put what is in ``layer`` into ``place`` below ``folder``, made where it is missing.

    Raises NotFound, ContentError for what is damaged or leads out, and StorageError.
    """
    await extract_path(
        repository.blobs, [layer], "/.", root=folder, destination=place, bounds=_BOUNDS
    )
