# SPDX-License-Identifier: Apache-2.0
"""The manifests and tags of a layout.

A manifest is a blob like any other; a tag is an entry of ``index.json``, a manifest without tag
has none. Tags follow the distribution grammar, so that what a registry holds can be kept here; a
few of them (``a..b``, ``a-``) have no name in skopeo's ``oci:``. Names that other programs give,
with slashes or colons, are listed and read as they are. Docker manifests are tagged like any
other: the layout specification permits that, though skopeo does not find them by tag.
"""

from __future__ import annotations

from okd_payload.errors import NotFound, nearest_names
from okd_payload.oci.digest import Digest, is_digest, verify
from okd_payload.oci.layout.files import locked, settle, storage_errors
from okd_payload.oci.layout.folder import Folder
from okd_payload.oci.layout.index_file import IndexContent, IndexFile
from okd_payload.oci.layout.manifest_files import check_present, reachable, read_stored, store
from okd_payload.oci.layout.writer import Membership, Writer
from okd_payload.oci.manifest import Descriptor, Index, Manifest
from okd_payload.oci.reference import parse_tag
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


class LayoutManifests:
    """The manifests, indexes and tags of one layout directory."""

    def __init__(self, folder: Folder, writer: Writer) -> None:
        self._folder = folder
        self._writer = writer
        self._index = IndexFile(folder)

    async def get(self, reference: str) -> Manifest:
        """The manifest with this tag or digest; "" is the layout's only one, as for skopeo.

        Raises NotFound, ContentError and StorageError.
        """
        if is_digest(reference):
            return read_stored(self._folder, Digest(reference))
        index = self._index.read()
        found = index.named.get(reference) if reference else index.only
        if found is None:
            raise self._no_image(reference, index)
        return read_stored(self._folder, found.digest, media_type=found.media_type)

    async def stat(self, reference: str) -> Descriptor | None:
        """What a tag or digest leads to, None unless it is there with all that it needs."""
        try:
            manifest = await self.get(reference)
        except NotFound:
            return None
        sizes = ((self._folder.blob_size(item.digest), item.size) for item in manifest.needs())
        return manifest.descriptor if all(found == size for found, size in sizes) else None

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None:
        """Store ``manifest``, then point ``tag`` at it.

        Raises NotFound when anything is missing that the manifest leads to, and StorageError.
        """
        verify(manifest.content, manifest.digest)
        if tag is not None:
            parse_tag(tag)
        await finish_in_thread(self._put, manifest, tag)

    async def tags(self) -> list[str]:
        """All tags, sorted; lists of referrers are none."""
        return _tags(self._index.read())

    async def untag(self, tag: str) -> None:
        """Remove ``tag``; what it led to stays until garbage is collected. Raises NotFound."""
        index = self._index.read()
        if tag not in index.named:
            raise self._no_image(tag, index)
        await finish_in_thread(self._untag, tag)

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """Descriptors of the manifests whose subject is ``digest``."""
        listed = self._index.read().named.get(list_tag(digest))
        if listed is None:
            return []
        return list(read_stored(self._folder, listed.digest).index().manifests)

    def _put(self, manifest: Manifest, tag: str | None) -> None:
        member = self._writer.enter()
        needed = reachable(self._folder, manifest)
        member.protect([manifest.digest, *(item.digest for item in needed)])
        with (
            storage_errors("write to", self._folder.root),
            locked(self._folder.content_lock, shared=True),
        ):
            for item in needed:
                check_present(self._folder, item)
            store(self._folder, member, manifest)
            referrer = referrer_of(manifest)
            if tag is not None or referrer is not None:
                settle(self._folder.blobs)
                with locked(self._folder.index_lock):
                    if referrer is not None:
                        self._list_referrer(referrer, member)
                    if tag is not None:
                        content = self._index.read().with_tag(tag, manifest.descriptor)
                        self._index.replace(content, member)

    def _list_referrer(self, referrer: Referrer, member: Membership) -> None:
        tag = list_tag(referrer.subject)
        index = self._index.read()
        before = index.named.get(tag)
        listed = read_stored(self._folder, before.digest).index() if before else Index()
        after = with_referrer(listed, referrer.entry)
        store(self._folder, member, after)
        settle(self._folder.blobs)
        self._index.replace(index.with_tag(tag, after.descriptor), member)

    def _untag(self, tag: str) -> None:
        member = self._writer.enter()
        with storage_errors("write to", self._folder.root), locked(self._folder.index_lock):
            self._index.replace(self._index.read().without_tags({tag}), member)

    def _no_image(self, reference: str, index: IndexContent) -> NotFound:
        place = f"oci:{self._folder.root}"
        if not reference and (tags := _tags(index)):
            return NotFound(
                f"{place} has {len(tags)} tags, and none was chosen",
                hint=f"write {place}:TAG; there is {', '.join(tags[:_OFFERED])}",
            )
        wanted = f"{reference!r}" if reference else "at all"
        return NotFound(
            f"{place} has no image {wanted}", hint=lambda: self._offer(reference, _tags(index))
        )

    def _offer(self, reference: str, tags: list[str]) -> str:
        """What there is instead; takes long where there are many tags."""
        near = nearest_names(reference, tags)
        if near:
            return f"did you mean {' or '.join(near)}?"
        if tags:
            return f"there is {', '.join(tags[:_OFFERED])}"
        if self._folder.marker.exists():
            return "there are no tags in it"
        return "there is no image layout in that folder: check the path"


def _tags(index: IndexContent) -> list[str]:
    return sorted(tag for tag in index.named if not subject_of_list_tag(tag))
