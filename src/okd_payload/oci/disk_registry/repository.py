# SPDX-License-Identifier: Apache-2.0
"""One repository of a disk registry, as a repository like any other."""

from __future__ import annotations

from pathlib import Path

from okd_payload.oci.disk_registry.folder import DiskFolder
from okd_payload.oci.disk_registry.manifests import DiskManifests
from okd_payload.oci.layout.blobs import LayoutBlobs
from okd_payload.oci.layout.writer import Writer


class DiskRepository:
    """The repository ``path`` in the directory ``registry``; neither need exist to be read.

    Blobs are kept as those of a layout are, and are linked, not copied, from a layout or another
    such repository on the same file system.
    """

    def __init__(self, registry: Path, path: str) -> None:
        self._folder = DiskFolder(registry, path)
        self._writer = Writer(self._folder)
        self._blobs = LayoutBlobs(self._folder, self._writer)
        self._manifests = DiskManifests(self._folder, self._writer)

    @property
    def name(self) -> str:
        """The folder that holds it."""
        return self._folder.name

    @property
    def blobs(self) -> LayoutBlobs:
        """The blobs, manifests among them."""
        return self._blobs

    @property
    def manifests(self) -> DiskManifests:
        """The manifests and tags."""
        return self._manifests

    def close(self) -> None:
        """Leave the ranks of writers; the object may be used again."""
        self._writer.leave()
