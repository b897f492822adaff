# SPDX-License-Identifier: Apache-2.0
"""Removing what nothing leads to any more.

A blob stays when it can be reached from an entry of ``index.json``, from what a live writer
protects (see ``writer``), or as a referrer of something that stays. The content lock is held alone
meanwhile, so nobody relies on a blob between protecting it and looking for it, and ``put`` checks
again, under the lock, that everything is there. Where an entry cannot be understood, nothing is
removed: what it leads to is unknown.

Programs that know nothing of the locks (skopeo, buildah) must not write meanwhile.
"""

from __future__ import annotations

import os

import msgspec

from okd_payload.errors import ContentError, NotFound
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, is_digest
from okd_payload.oci.layout.files import locked, storage_errors
from okd_payload.oci.layout.folder import Folder
from okd_payload.oci.layout.index_file import NAME_ANNOTATION, IndexFile
from okd_payload.oci.layout.manifest_files import reachable, read_stored
from okd_payload.oci.layout.writer import Writer, leased_digests, remove_dead_writers
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.referrers import subject_of_list_tag


class GarbageReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed, and how many blobs stay."""

    removed: int
    removed_bytes: int
    kept: int


def collect_garbage(folder: Folder, writer: Writer) -> GarbageReport:
    """Remove every blob that nothing leads to. Raises ContentError and StorageError."""
    member = writer.enter()
    with storage_errors("collect garbage in", folder.root), locked(folder.content_lock):
        remove_dead_writers(folder)
        index_file = IndexFile(folder)
        index = index_file.read()
        kept, dead_lists = _mark(folder, index.entries, leased_digests(folder))
        if dead_lists:
            with locked(folder.index_lock):
                index_file.replace(index_file.read().without_tags(dead_lists), member)
        return _sweep(folder, kept)


def _mark(
    folder: Folder, entries: list[Descriptor], leased: set[Digest]
) -> tuple[set[Digest], set[str]]:
    """What stays, and the names of the referrer lists whose subjects do not."""
    kept = set(leased)
    lists: list[tuple[Digest, Descriptor]] = []
    for entry in entries:
        subject = subject_of_list_tag(entry.annotations.get(NAME_ANNOTATION, ""))
        if subject is None:
            kept |= _leads_to(folder, entry)
        else:
            lists.append((subject, entry))
    while alive := [item for item in lists if item[0] in kept]:
        for item in alive:
            kept |= _leads_to(folder, item[1])
            lists.remove(item)
    return kept, {entry.annotations[NAME_ANNOTATION] for _, entry in lists}


def _leads_to(folder: Folder, entry: Descriptor) -> set[Digest]:
    if entry.media_type not in media_types.ACCEPTED:
        raise ContentError(
            f"{folder.index} lists {entry.digest}, which is {entry.media_type[:100]!r}",
            hint="what it leads to is unknown, so nothing was removed; untag it first",
        )
    try:
        manifest = read_stored(folder, entry.digest, media_type=entry.media_type)
    except NotFound:
        return {entry.digest}
    return {entry.digest, *(item.digest for item in reachable(folder, manifest, sparse=True))}


def _sweep(folder: Folder, kept: set[Digest]) -> GarbageReport:
    removed = removed_bytes = left = 0
    with os.scandir(folder.blobs) as files:
        for file in files:
            digest = f"sha256:{file.name}"
            if not is_digest(digest) or digest in kept:
                left += 1
                continue
            removed_bytes += file.stat().st_size
            os.unlink(file.path)  # noqa: PTH108  # a path object for each of thousands of names
            removed += 1
    return GarbageReport(removed=removed, removed_bytes=removed_bytes, kept=left)
