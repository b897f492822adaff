# SPDX-License-Identifier: Apache-2.0
"""Writing a release: to a repository, to a folder, to a file.

To a repository in the order that survives a kill: blobs, members, index, tag; the same call
finishes what was interrupted. Blobs of the base are mounted where the repositories can, and
copied where they cannot.
"""

from __future__ import annotations

from pathlib import Path

from okd_payload.oci.blob_sources import BytesSource, RepositorySource
from okd_payload.oci.cache import place_behind
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.new.assemble import AssembledRelease, require_sound
from okd_payload.release.new.image import Layer, MemberImage
from okd_payload.release.new.images import RepositoryOf
from okd_payload.release.new.payload import Payload
from okd_payload.release.new.signature_message import encode_message
from okd_payload.release.output_file import write_output
from okd_payload.release.output_folder import NewFile, write_files

_BLOBS_AT_ONCE = 8
_LAYER_FILE_MODE = 0o750


async def publish_release(
    release: AssembledRelease, target: Repository, *, tag: str | None, repository_of: RepositoryOf
) -> None:
    """Store ``release`` in ``target``, under ``tag`` where one is given.

    Raises ReleaseError when an issue blocks, and what ``target`` and the base's repository raise.
    """
    require_sound(release.payload)
    image = release.image
    origin = place_behind(await repository_of(parse_reference(image.base.pull_spec)))
    for member in image.members:
        await _store_blobs(member, image.layer, origin, target)
    for member in image.members:
        if member.manifest.digest != image.manifest.digest:
            await target.manifests.put(member.manifest)
    await target.manifests.put(image.manifest, tag=tag)


def write_folder(payload: Payload, folder: Path) -> None:
    """Write the files of ``payload`` into ``folder``, each with its own time: all, or none.

    Files that would land in a sub-folder are left out, as the cluster leaves them out. Raises
    StorageError.
    """
    files = [
        NewFile(name=file.name, content=file.content, mtime_ns=file.mtime_ns)
        for file in payload.files
        if "/" not in file.name
    ]
    write_files(files, folder)


def write_file(payload: Payload, layer: Layer, path: Path) -> None:
    """Write the compressed archive of ``payload`` to ``path``. Raises StorageError."""
    write_output(path, layer.content, mode=_LAYER_FILE_MODE, time=payload.created)


def write_message(release: AssembledRelease, published: Reference, path: Path) -> None:
    """Write what a signature of ``release``, published at ``published``, signs.

    Raises StorageError.
    """
    timestamp = int(release.payload.created.timestamp())
    write_output(path, encode_message(published, release.digest, timestamp=timestamp))


async def _store_blobs(
    member: MemberImage, layer: Layer, origin: Repository, target: Repository
) -> None:
    async def bring(blob: Descriptor) -> None:
        if await target.blobs.stat(blob.digest) == blob.size:
            return
        if not await target.blobs.mount(blob, origin):
            await target.blobs.write(blob, RepositorySource(origin, blob))

    base = [item for item in member.base.layers if not item.is_foreign]
    await map_concurrently(
        bring, {item.digest: item for item in base}.values(), at_once=_BLOBS_AT_ONCE
    )
    await target.blobs.write(member.layer, BytesSource(layer.content))
    await target.blobs.write(member.config_descriptor, BytesSource(member.config))
