# SPDX-License-Identifier: Apache-2.0
"""The paths of one layout directory, and making it.

OCI image-spec 1.1 (image-layout.md) owns ``oci-layout``, ``index.json`` and ``blobs``. Our own
``.writers`` beside them holds the locks and one folder per live writer; other programs pass it by.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from okd_payload.errors import StorageError, UnsupportedContent
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, hex_of
from okd_payload.oci.foreign_json import decode_json
from okd_payload.oci.layout.files import storage_errors

VERSION = "1.0.0"
_OWN_NAMES = frozenset({"oci-layout", "index.json", "blobs", ".writers"})


class _Marker(msgspec.Struct, frozen=True, rename={"version": "imageLayoutVersion"}):
    version: str


class BlobFolder(Protocol):
    """Where blobs are files: what readers and writers need to know of a folder of them."""

    @property
    def root(self) -> Path:
        """The folder of the whole repository."""
        ...

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def writers(self) -> Path:
        """A folder for live writers, on the file system of the blobs."""
        ...

    @property
    def content_lock(self) -> Path:
        """Shared by whoever relies on blobs being there, exclusive for removing any."""
        ...

    @property
    def first_files(self) -> Mapping[Path, bytes]:
        """What the first writer writes."""
        ...

    def blob(self, digest: Digest) -> Path:
        """The path of a blob, whether it is there or not."""
        ...

    def blob_size(self, digest: Digest) -> int | None:
        """The size of a blob, None when it is not there. Raises StorageError."""
        ...

    def make(self) -> None:
        """Make the folders where there are none yet. Raises StorageError."""
        ...


_EMPTY_INDEX = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": []}


class Folder:
    """Where everything of the layout at ``root`` is."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = f"oci:{root}"
        self.marker = root / "oci-layout"
        self.index = root / "index.json"
        self.first_files = {
            self.marker: msgspec.json.encode(_Marker(VERSION)),
            self.index: msgspec.json.encode(_EMPTY_INDEX),
        }
        """What makes a folder a layout."""
        self.blobs = root / "blobs" / "sha256"
        self.writers = root / ".writers"
        self.content_lock = self.writers / "content.lock"
        """Shared by whoever relies on blobs being there, exclusive for removing any."""
        self.index_lock = self.writers / "index.lock"
        """Exclusive for replacing ``index.json``; taken after ``content_lock``, never before."""

    def blob(self, digest: Digest) -> Path:
        """The path of a blob, whether it is there or not."""
        return self.blobs / hex_of(digest)

    def blob_size(self, digest: Digest) -> int | None:
        """The size of a blob, None when it is not there. Raises StorageError."""
        return file_size(self.blob(digest))

    def check(self) -> None:
        """Refuse layouts of an unknown version; an absent one is fine, it has no images."""
        with storage_errors("read", self.marker):
            try:
                content = self.marker.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return
        version = decode_json(content, _Marker, what=str(self.marker)).version
        if version != VERSION:
            raise UnsupportedContent(
                f"{self.root} is an image layout of version {version[:20]!r}",
                hint=f"only version {VERSION} is known",
            )

    def make(self) -> None:
        """Make the layout where there is none yet. Raises StorageError.

        Any number of processes may do this at once, and any may be killed while doing it.
        """
        with storage_errors("make an image layout in", self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            self._refuse_foreign_folder()
            self.blobs.mkdir(parents=True, exist_ok=True)
            self.writers.mkdir(exist_ok=True)

    def _refuse_foreign_folder(self) -> None:
        if self.marker.exists():
            return
        others = sorted({path.name for path in self.root.iterdir()} - _OWN_NAMES)
        if others:
            raise StorageError(
                f"{self.root} is no image layout: it holds {others[0]!r}",
                hint="choose an empty folder or a new name",
            )


def file_size(path: Path) -> int | None:
    """The size of the file ``path``, None when it is not there. Raises StorageError."""
    with storage_errors("look at", path):
        try:
            return path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
