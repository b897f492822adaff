# SPDX-License-Identifier: Apache-2.0
"""The manifests and tags of a repository in a disk registry.

A manifest is a blob with a second name, a hard link, below ``manifests/``; a tag is a symbolic
link to that. Lists of referrers are kept under the tags that the distribution specification
gives them, as by registries without an API for them.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from okd_payload.errors import ContentError, DigestMismatch, NotFound, nearest_names
from okd_payload.oci.digest import Digest, is_digest, verify
from okd_payload.oci.disk_registry.folder import DiskFolder, ManifestFiles
from okd_payload.oci.layout.blob_files import BlobReader, IncomingBlob
from okd_payload.oci.layout.files import locked, settle, storage_errors
from okd_payload.oci.layout.writer import Membership, Writer
from okd_payload.oci.manifest import (
    MAX_MANIFEST_BYTES,
    Descriptor,
    Index,
    Manifest,
    read_manifest,
)
from okd_payload.oci.reference import is_tag, parse_tag
from okd_payload.oci.referrers import (
    Referrer,
    list_tag,
    referrer_of,
    subject_of_list_tag,
    with_referrer,
)
from okd_payload.oci.threads import finish_in_thread

_OFFERED = 5
"""How many tags a hint names."""


class DiskManifests:
    """The manifests, indexes and tags of one repository."""

    def __init__(self, folder: DiskFolder, writer: Writer) -> None:
        self._folder = folder
        self._files = ManifestFiles(folder)
        self._writer = writer

    async def get(self, reference: str) -> Manifest:
        """The manifest with this tag or digest. Raises NotFound, ContentError, StorageError."""
        return self._get(reference)

    async def stat(self, reference: str) -> Descriptor | None:
        """What a tag or digest leads to, None unless it is there with all that it needs."""
        try:
            manifest = self._get(reference)
        except NotFound:
            return None
        whole = all(self._has(manifest, needed) for needed in manifest.needs())
        return manifest.descriptor if whole else None

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None:
        """Store ``manifest``, then point ``tag`` at it.

        Raises NotFound when anything is missing that the manifest needs, and StorageError.
        """
        verify(manifest.content, manifest.digest)
        if tag is not None:
            parse_tag(tag)
        await finish_in_thread(self._put, manifest, tag)

    async def tags(self) -> list[str]:
        """All tags, sorted; lists of referrers are none."""
        return sorted(tag for tag in self._folder.tags() if _is_ordinary(tag))

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """Descriptors of the manifests whose subject is ``digest``."""
        return list(self._listed(digest).manifests)

    def _get(self, reference: str) -> Manifest:
        if is_digest(reference):
            return self._read(Digest(reference))
        try:
            return self._read(self._folder.tagged(parse_tag(reference)))
        except NotFound as error:
            raise NotFound(error.message, hint=lambda: self._offer(reference)) from error

    def _read(self, digest: Digest) -> Manifest:
        try:
            with contextlib.closing(BlobReader(self._files, digest, None)) as reader:
                content = reader.read_all(max_bytes=MAX_MANIFEST_BYTES)
        except DigestMismatch:
            # The same file under its other name; else the next writer would find it there.
            with storage_errors("remove the damaged", self._folder.blob(digest)):
                self._folder.blob(digest).unlink(missing_ok=True)
            raise
        try:
            return read_manifest(content)
        except ContentError as error:
            raise error.about(f"{self._folder.name}@{digest}", hint="mirror it again") from error

    def _has(self, manifest: Manifest, needed: Descriptor) -> bool:
        files = self._files if manifest.is_index else self._folder
        return files.blob_size(needed.digest) == needed.size

    def _put(self, manifest: Manifest, tag: str | None) -> None:
        member = self._writer.enter()
        for needed in manifest.needs():
            if not self._has(manifest, needed):
                raise NotFound(
                    f"{self._folder.name} has no {needed.digest}, which an image needs",
                    hint="mirror the image again",
                )
        with storage_errors("write to", self._folder.root):
            self._store(manifest, member)
            referrer = referrer_of(manifest)
            if referrer is not None:
                with locked(self._folder.tags_lock):
                    self._list_referrer(referrer, member)
            if tag is not None:
                self._link(tag, manifest.digest, member)

    def _store(self, manifest: Manifest, member: Membership) -> None:
        digest = manifest.digest
        if self._folder.blob_size(digest) != len(manifest.content):
            with IncomingBlob(self._folder, member, manifest.descriptor) as incoming:
                incoming.finish([manifest.content])
        if self._files.blob_size(digest) == len(manifest.content):
            return
        settle(self._folder.blobs)
        scratch = member.scratch()
        try:
            scratch.hardlink_to(self._folder.blob(digest))
        except OSError:  # not every file system has hard links
            scratch.write_bytes(manifest.content)
        _move(scratch, self._folder.manifest(digest))

    def _link(self, tag: str, digest: Digest, member: Membership) -> None:
        scratch = member.scratch()
        scratch.symlink_to(digest)
        _move(scratch, self._folder.manifests / tag)
        settle(self._folder.manifests)

    def _list_referrer(self, referrer: Referrer, member: Membership) -> None:
        after = with_referrer(self._listed(referrer.subject), referrer.entry)
        self._store(after, member)
        self._link(list_tag(referrer.subject), after.digest, member)

    def _listed(self, digest: Digest) -> Index:
        try:
            return self._read(self._folder.tagged(list_tag(digest))).index()
        except NotFound:
            return Index()

    def _offer(self, reference: str) -> str:
        """What there is instead of ``reference``."""
        tags = sorted(filter(_is_ordinary, self._folder.tags()))
        near = nearest_names(reference, tags)
        if near:
            return f"did you mean {' or '.join(near)}?"
        if tags:
            return f"there is {', '.join(tags[:_OFFERED])}"
        return "there are no images: is it the right directory?"


def _is_ordinary(tag: str) -> bool:
    return is_tag(tag) and not subject_of_list_tag(tag)


def _move(scratch: Path, path: Path) -> None:
    """Give ``scratch`` its place; of two names of one file, renaming leaves both."""
    scratch.replace(path)
    scratch.unlink(missing_ok=True)
