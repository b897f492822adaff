# SPDX-License-Identifier: Apache-2.0
"""An OCI image layout directory as a repository."""

from __future__ import annotations

from pathlib import Path

from okd_payload.oci.layout.blobs import LayoutBlobs
from okd_payload.oci.layout.folder import Folder
from okd_payload.oci.layout.garbage import GarbageReport, collect_garbage
from okd_payload.oci.layout.manifests import LayoutManifests
from okd_payload.oci.layout.writer import Writer
from okd_payload.oci.threads import finish_in_thread


class LayoutRepository:
    """The repository in the folder ``path``, which need not exist until something is written.

    Making one costs nothing and opens nothing, so make one for each piece of work. What it wrote
    and has not tagged stays until it is closed, forgotten, or the process ends.
    """

    def __init__(self, path: Path) -> None:
        self._folder = Folder(path)
        self._writer = Writer(self._folder)
        self._blobs = LayoutBlobs(self._folder, self._writer)
        self._manifests = LayoutManifests(self._folder, self._writer)

    @property
    def path(self) -> Path:
        """The folder."""
        return self._folder.root

    @property
    def name(self) -> str:
        """As people write it: ``oci:<path>``."""
        return f"oci:{self._folder.root}"

    @property
    def blobs(self) -> LayoutBlobs:
        """The blobs, manifests among them."""
        return self._blobs

    @property
    def manifests(self) -> LayoutManifests:
        """The manifests and tags; ``untag`` is the one thing that other repositories lack."""
        return self._manifests

    async def collect_garbage(self) -> GarbageReport:
        """Remove every blob that no tag and no live writer leads to."""
        return await finish_in_thread(collect_garbage, self._folder, self._writer)

    def close(self) -> None:
        """Give up what was written and not tagged; the object may be used again."""
        self._writer.leave()
