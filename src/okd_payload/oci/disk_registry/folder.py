# SPDX-License-Identifier: Apache-2.0
"""The paths of one repository in a disk registry, and making it.

The locks and half-written files of live writers are in ``blobs/.writers``: a place that ``oc``,
which only lists ``manifests/``, never looks at.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

from okd_payload.errors import NotFound, StorageError
from okd_payload.oci.digest import Digest, is_digest
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.layout.folder import file_size

_API = "v2"


class DiskFolder:
    """Where everything of the repository ``path`` below ``registry`` is."""

    def __init__(self, registry: Path, path: str) -> None:
        self.root = registry / _API / path
        self.name = str(self.root)
        self.blobs = self.root / "blobs"
        self.manifests = self.root / "manifests"
        self.writers = self.blobs / ".writers"
        self.content_lock = self.writers / "content.lock"
        self.tags_lock = self.writers / "tags.lock"
        """Exclusive for changing the list of what refers to a manifest."""
        self.first_files: Mapping[Path, bytes] = {}

    def blob(self, digest: Digest) -> Path:
        """The path of a blob, whether it is there or not."""
        return self.blobs / digest

    def manifest(self, digest: Digest) -> Path:
        """The second name of a blob that is a manifest."""
        return self.manifests / digest

    def blob_size(self, digest: Digest) -> int | None:
        """The size of a blob, None when it is not there. Raises StorageError."""
        return file_size(self.blob(digest))

    def make(self) -> None:
        """Make the folders where there are none yet. Raises StorageError."""
        with storage_errors("make folders for images in", self.root):
            for folder in (self.writers, self.manifests):
                folder.mkdir(parents=True, exist_ok=True)

    def tagged(self, tag: str) -> Digest:
        """The digest that ``tag`` leads to. Raises NotFound and StorageError."""
        path = self.manifests / tag
        with storage_errors("read", path):
            try:
                target = path.readlink().name
            except (FileNotFoundError, NotADirectoryError) as error:
                raise NotFound(f"{self.name} has no image {tag!r}") from error
            except OSError as error:
                if error.errno == errno.EINVAL:
                    raise StorageError(
                        f"{path} should be a symbolic link",
                        hint="copy the directory with a program that keeps links, as `cp -a` does",
                    ) from error
                raise
        if not is_digest(target):
            raise StorageError(
                f"{path} leads to {target[:100]!r}, which is no digest",
                hint="mirror the release into the directory again",
            )
        return Digest(target)

    def tags(self) -> list[str]:
        """The names of all links. Raises StorageError."""
        with storage_errors("read", self.manifests):
            try:
                return [path.name for path in self.manifests.iterdir() if path.is_symlink()]
            except (FileNotFoundError, NotADirectoryError):
                return []


class ManifestFiles:
    """The manifests of ``folder`` as if they were its blobs: for reading them."""

    def __init__(self, folder: DiskFolder) -> None:
        self._folder = folder
        self.root = folder.root
        self.name = folder.name
        self.writers = folder.writers
        self.content_lock = folder.content_lock
        self.first_files = folder.first_files
        self.make = folder.make

    def blob(self, digest: Digest) -> Path:
        """The path of a manifest."""
        return self._folder.manifest(digest)

    def blob_size(self, digest: Digest) -> int | None:
        """The size of a manifest, None when it is not there. Raises StorageError."""
        return file_size(self.blob(digest))
