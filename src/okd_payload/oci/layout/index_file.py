# SPDX-License-Identifier: Apache-2.0
"""The file ``index.json``: which manifests the layout offers, and under which names.

Foreign programs write this file too. What is not understood (other entries, unknown fields) is
kept byte for byte when a tag changes. Of two entries with one name the first counts, as it does
for skopeo.

It is read anew whenever it is asked for, and decoded only when its bytes have changed: that is
exact, whoever writes it, and takes microseconds. It is replaced as a whole, under a lock, after
everything that it leads to is on the disk.
"""

from __future__ import annotations

import msgspec

from okd_payload.errors import ContentError
from okd_payload.oci import media_types
from okd_payload.oci.foreign_json import decode_json
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.layout.folder import Folder
from okd_payload.oci.layout.writer import Membership
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.referrers import subject_of_list_tag

NAME_ANNOTATION = "org.opencontainers.image.ref.name"

_Fields = dict[str, msgspec.Raw]


class _Entry(msgspec.Struct, frozen=True):
    raw: msgspec.Raw
    descriptor: Descriptor | None
    """None for what cannot be understood."""

    @property
    def name(self) -> str:
        return self.descriptor.annotations.get(NAME_ANNOTATION, "") if self.descriptor else ""


class IndexContent:
    """What the file says; never changed, changes give new content."""

    def __init__(self, content: bytes = b"", *, path: str = "") -> None:
        self.content = content
        self._path = path
        self._fields = decode_json(content, _Fields, what=path) if content else {}
        raw = bytes(self._fields.get("manifests", b"null"))
        listed = decode_json(raw, list[msgspec.Raw], what=path) if raw != b"null" else []
        self._entries = [_Entry(item, _understand(item)) for item in listed]
        self.named: dict[str, Descriptor] = {}
        """The first entry of every name."""
        for entry in self._entries:
            if entry.descriptor is not None and entry.name:
                self.named.setdefault(entry.name, entry.descriptor)

    @property
    def only(self) -> Descriptor | None:
        """The entry, named or not, when there is exactly one; lists of referrers do not count."""
        images = [
            entry.descriptor
            for entry in self._entries
            if entry.descriptor and not subject_of_list_tag(entry.name)
        ]
        return images[0] if len(images) == 1 else None

    @property
    def entries(self) -> list[Descriptor]:
        """Every entry, named or not. Raises ContentError where one cannot be understood."""
        known = [entry.descriptor for entry in self._entries if entry.descriptor is not None]
        if len(known) != len(self._entries):
            raise ContentError(
                f"an entry of {self._path} cannot be understood",
                hint="what it leads to is unknown, so nothing was removed: take the entry out,"
                " or copy the images into a new layout",
            )
        return known

    def with_tag(self, tag: str, target: Descriptor) -> bytes:
        """The file's content with ``tag`` pointing at ``target`` and at nothing else."""
        before = self.named.get(tag)
        if before is not None and before.digest == target.digest:
            return self.content
        named = msgspec.structs.replace(target, annotations={NAME_ANNOTATION: tag})
        return self._encode([*self._without(tag), msgspec.Raw(msgspec.json.encode(named))])

    def without_tags(self, tags: set[str]) -> bytes:
        """The file's content without these names."""
        return self._encode(self._without(*tags))

    def _without(self, *tags: str) -> list[msgspec.Raw]:
        return [entry.raw for entry in self._entries if entry.name not in tags or not entry.name]

    def _encode(self, entries: list[msgspec.Raw]) -> bytes:
        head = {
            "schemaVersion": msgspec.Raw(b"2"),
            "mediaType": msgspec.Raw(msgspec.json.encode(media_types.OCI_INDEX)),
        }
        manifests = {"manifests": msgspec.Raw(msgspec.json.encode(entries))}
        return msgspec.json.encode(head | self._fields | manifests)


def _understand(item: msgspec.Raw) -> Descriptor | None:
    try:
        return decode_json(bytes(item), Descriptor, what="an entry")
    except ContentError:
        return None


class IndexFile:
    """The file of one layout."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._latest = IndexContent()

    def read(self) -> IndexContent:
        """What it says now; an absent one has no entries. Raises ContentError, StorageError."""
        path = self._folder.index
        with storage_errors("read", path):
            try:
                content = path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                content = b""
        if content != self._latest.content:
            self._folder.check()
            self._latest = IndexContent(content, path=str(path))
        return self._latest

    def replace(self, content: bytes, member: Membership) -> None:
        """Put new content into its place; needs the index lock. Raises StorageError."""
        if content == self._latest.content:
            return
        with storage_errors("write", self._folder.index):
            member.replace(self._folder.index, content)
