# SPDX-License-Identifier: Apache-2.0
"""A definition for an image that a release has and the catalog has not.

The release says which repository and commit; the Dockerfile is chosen among those in it that no
other component is built from (``catalog.dockerfile_choice``). The commit may be gone from the
server; then the branch of the stream is looked into. When the Dockerfile is that of a component
whose image the release no longer has, the image has only got another name.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from okd_payload.build.inputs import dockerfile_location
from okd_payload.build.sync.release_images import ReleaseImage, same_repository
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component, Origin
from okd_payload.catalog.definition import Definition
from okd_payload.catalog.dockerfile_choice import choose_dockerfile
from okd_payload.catalog.fields import NAME_PATTERN
from okd_payload.errors import SourceError
from okd_payload.source.listing import ListedSourceTree
from okd_payload.source.model import GitSource


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The files of the repository of an image."""

    image: ReleaseImage
    files: tuple[str, ...] = ()
    source: GitSource | None = None
    """Where they were read; None when they were not."""
    place: str = ""
    """The same for people."""
    trouble: str = ""
    """Why they could not be read."""


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about one image: a definition, another name, or why neither."""

    definition: Definition | None = None
    source: GitSource | None = None
    """Where the Dockerfile of the definition was seen: not every repository has the branch."""
    renamed: Component | None = None
    evidence: str = ""
    obstacle: str = ""
    unread: bool = False


class Discoverer:
    """Finds definitions for images, by the sources that a release names."""

    def __init__(
        self, catalog: Catalog, sources: ListedSourceTree, *, gone: Sequence[Component]
    ) -> None:
        """``gone`` are components whose images the release does not have."""
        self._catalog = catalog
        self._sources = sources
        self._gone = list(gone)
        self._found: list[tuple[str, str]] = []

    async def read(self, image: ReleaseImage) -> Reading:
        """The files that ``image`` may be made of, of the first ref that the server still has."""
        if not image.location:
            return Reading(image=image)
        known = (image.commit, self._catalog.stream.git.branch, image.ref)
        trouble: SourceError | None = None
        for ref in dict.fromkeys(filter(None, known)) or ("",):
            source = GitSource(url=image.location, ref=ref)
            try:
                commit = await self._sources.resolve(source)
                files = await self._sources.list_files(source, commit)
            except SourceError as error:
                trouble = trouble or error
                continue
            place = f"{image.location} at {commit.id}"
            return Reading(image=image, files=files, source=source, place=place)
        return Reading(image=image, trouble=trouble.message if trouble else "")

    def judge(self, reading: Reading) -> Discovery:
        """What makes an image; a component that is gone explains one image only."""
        image, files, place = reading.image, reading.files, reading.place
        if reading.trouble:
            return Discovery(obstacle=reading.trouble, unread=True)
        repository = image.location.rstrip("/").rpartition("/")[2].removesuffix(".git")
        used = self._used_in(image.location)
        free = [path for path in files if path not in used]
        choice = choose_dockerfile(free, component=image.tag, repository=repository)
        same = {
            each.tag: each
            for each in self._gone
            if _is_from(each, image.location)
            and dockerfile_location(each) in files
            and choice.path in ("", dockerfile_location(each))
        }
        if same:
            (nearest,) = difflib.get_close_matches(image.tag, sorted(same), 1, cutoff=0)
            self._gone.remove(same[nearest])
            path = dockerfile_location(same[nearest])
            return Discovery(renamed=same[nearest], evidence=f"{path} of {place} makes both")
        obstacle = ""
        if not choice.path:
            obstacle = f"{place}: {choice.reason}; write a component file that names one"
        elif not re.search(NAME_PATTERN, image.tag):
            obstacle = f"{image.tag!r} cannot be the name of a component; define it by hand"
        if obstacle:
            return Discovery(obstacle=obstacle)
        self._found.append((image.location, choice.path))
        return Discovery(
            definition=self._define(image, choice.path),
            source=reading.source,
            evidence=f"{choice.evidence} Found in {place}.",
        )

    def _define(self, image: ReleaseImage, path: str) -> Definition:
        stream = self._catalog.stream
        ref = stream.git.branch or image.ref or image.commit
        component = Component(
            name=image.tag,
            tag=image.tag,
            origin=Origin(""),
            source=GitSource(url=image.location, ref=ref),
            dockerfile_path=path,
            base=self._usual_base(),
            layering=stream.layering,
            resources=stream.resources.to_resources(),
        )
        return Definition(component)

    def _usual_base(self) -> str:
        """What most components are put on; empty when there is no such thing."""
        built = [each for each in self._catalog.components if isinstance(each.source, GitSource)]
        counted = Counter(each.base for each in built)
        base, number = counted.most_common(1)[0] if counted else ("", 0)
        return base if 2 * number > len(built) else ""

    def _used_in(self, location: str) -> set[str]:
        """The Dockerfiles of a repository that components are built from that are not gone."""
        gone = {each.name for each in self._gone}
        built = {
            dockerfile_location(each)
            for each in self._catalog.components
            if _is_from(each, location) and each.name not in gone and each.dockerfile is None
        }
        return built | {path for place, path in self._found if same_repository(place, location)}


def _is_from(component: Component, location: str) -> bool:
    source = component.source
    return isinstance(source, GitSource) and same_repository(source.url, location)
