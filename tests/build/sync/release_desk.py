# SPDX-License-Identifier: Apache-2.0
"""A catalog on disk, sources in memory and a release that is a list: what sync works with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from streams import AMD64

from okd_payload.build.sync.comparison import Comparison, compare
from okd_payload.build.sync.file_changes import FileChange, write_changes
from okd_payload.build.sync.mending import mend
from okd_payload.build.sync.release_images import ReleaseImage, ReleaseImages
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import load_catalog, load_definitions
from okd_payload.source.lock import Lock
from okd_payload.source.model import GitSource
from okd_payload.testing.memory_sources import MemorySourceTree

BRANCH = "release-4.15"
RELEASE = "4.16.0-0.okd-scos"
STREAM = """\
name: okd   # ours
catalog:
  - components: components
git: {branch: release-4.15}
imports:
  kuryr-cni: {image: 'quay.test/stub:1', stub: nobody builds it}
release: {base: cvo}
"""
COMPONENTS = {
    "base": "inlineDockerfile: FROM scratch\n",
    "cvo": "# the first of all\nsource: {git: 'https://git.test/cvo'}\nbase: base\n",
    "etcd": "source: {git: 'https://git.test/etcd'}\nbase: base   # ours\n",
    "cli": "source: {git: 'https://git.test/oc'}\nbase: base\ndockerfile: images/cli/Dockerfile\n",
}


def location(repository: str) -> str:
    """Where the repository called ``repository`` is."""
    return f"https://git.test/{repository}"


class ReleaseDesk:
    """A catalog, its sources, and a release that fits until a test changes it."""

    def __init__(
        self, folder: Path, *, stream: str = STREAM, components: Mapping[str, str] = COMPONENTS
    ) -> None:
        self.folder = folder
        self.sources = MemorySourceTree()
        self.labels: dict[str, str] = {}
        """Repositories by tag, of images that only say so themselves."""
        self.images: dict[str, ReleaseImage] = {}
        self.lock = Lock()
        for name, text in components.items():
            self.write(f"components/{name}.yaml", text)
        self.write("stream.yaml", stream)
        for name in ("cvo", "etcd"):
            self.put(name, {"Dockerfile": "FROM x\n"})
        self.put("oc", {"images/cli/Dockerfile": "FROM x\n"})
        for tag in ("cvo", "etcd"):
            self.release(tag, tag)
        self.release("cli", "oc")
        self.release("kuryr-cni", "")

    def write(self, name: str, text: str) -> None:
        """Write a file of the catalog."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name: str) -> str:
        """The text of a file of the catalog."""
        return (self.folder / name).read_text()

    def put(self, repository: str, files: Mapping[str, str], *, commit: bool = True) -> str:
        """Let a repository have these files on the branch, and at the commit that is returned."""
        made = self.sources.put(GitSource(url=location(repository), ref=BRANCH), files)
        if commit:
            self.sources.put(GitSource(url=location(repository), ref=made.id), files)
        return made.id

    def release(self, tag: str, repository: str, *, commit: str = "", digest: str = "") -> None:
        """Let the release have an image of this repository."""
        number = digest or f"{len(self.images):064x}"
        self.images[tag] = ReleaseImage(
            tag=tag,
            pull_spec=f"quay.test/okd@sha256:{number}",
            location=location(repository) if repository else "",
            commit=commit,
        )

    @property
    def listed(self) -> ReleaseImages:
        """The release."""
        return ReleaseImages(name=RELEASE, images=tuple(self.images.values()))

    @property
    def catalog(self) -> Catalog:
        """The catalog as the files say now."""
        return load_catalog(self.folder)

    async def compare(self, *, ocp: ReleaseImages | None = None) -> Comparison:
        """The catalog beside the release."""

        async def read_labels(image: ReleaseImage) -> ReleaseImage:
            known = self.labels.get(image.tag, "")
            return msgspec.structs.replace(image, location=location(known) if known else "")

        return await compare(
            self.catalog,
            load_definitions(self.folder).definitions,
            self.listed,
            sources=self.sources,
            read_labels=read_labels,
            platform=AMD64,
            lock=self.lock,
            ocp=ocp,
        )

    async def sync(self, *, ocp: ReleaseImages | None = None) -> tuple[FileChange, ...]:
        """Bring the catalog in step, and see that nothing is left to do after that."""
        changes = mend(self.catalog, await self.compare(ocp=ocp))
        write_changes(changes)
        assert mend(self.catalog, await self.compare(ocp=ocp)) == ()
        assert self.catalog.issues == ()
        return changes
