# SPDX-License-Identifier: Apache-2.0
"""A stream that nobody wrote: a change to some components of a release, and nothing more.

A contributor has a checkout and names a release; everything else follows. The components are
those that change, their Dockerfiles are found by the names that OpenShift's repositories use,
and what these name of OpenShift's own CI means the image of the release with that tag.
"""

from __future__ import annotations

from okd_payload.build.base_release import BaseRelease
from okd_payload.build.change_set import ChangeSet
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component, Origin
from okd_payload.catalog.definition import Import, PulledImage
from okd_payload.catalog.dockerfile_choice import choose_dockerfile
from okd_payload.catalog.release_name import check_pattern
from okd_payload.catalog.stream import Publish, Release, Stream
from okd_payload.catalog.substitution import Substitution
from okd_payload.errors import InputError, ReleaseError, UnknownName
from okd_payload.issues import Permit
from okd_payload.progress import Noticed, Progress
from okd_payload.release.codes import PRIVATE_IMAGE
from okd_payload.release.semver import parse_version
from okd_payload.source.listing import ListedSourceTree
from okd_payload.source.lock import Lock
from okd_payload.source.model import FolderSource, Source

STREAM = "change"
_CI_STREAMS = ("ocp", "origin")


async def make_catalog(
    base: BaseRelease,
    change: ChangeSet,
    *,
    publish: Publish,
    sources: ListedSourceTree,
    lock: Lock,
    progress: Progress,
) -> Catalog:
    """The catalog of ``change`` on top of ``base``; images are named as ``publish`` says.

    Raises UnknownName for a component that the release does not have, InputError when no
    Dockerfile is found, SourceError, and ReleaseError for a release without a version.
    """
    images = base.images
    for name in change.sources:
        if name not in images:
            raise UnknownName(
                "image of the release", name, known=images, hint="new ones need a stream file"
            )
    finder = _Finder(sources, lock, progress)
    components = [
        Component(
            name=name,
            tag=name,
            origin=Origin(""),
            source=source,
            dockerfile_path=change.dockerfiles.get(name) or await finder.find(name, source),
        )
        for name, source in sorted(change.sources.items())
    ]
    imports = [
        Import(name=tag, content=PulledImage(spec), origin=Origin(""))
        for tag, spec in sorted(images.items())
        if tag not in change.sources
    ]
    return Catalog(
        path="",
        stream=make_stream(base, change.substitutions, publish),
        components=tuple(components),
        imports=tuple(imports),
    )


def make_stream(
    base: BaseRelease, substitutions: tuple[Substitution, ...], publish: Publish
) -> Stream:
    """The stream of a change on top of ``base``. Raises ReleaseError for one without version."""
    own = [
        Substitution(glob=f"registry.ci.openshift.org/{stream}/*:{tag}", image=tag)
        for stream in _CI_STREAMS
        for tag in base.images
    ]
    reason = "images of the release that this one is based on stay where they are"
    return Stream(
        name=STREAM,
        catalog=(),
        substitutions=(*substitutions, *own),
        publish=publish,
        release=_name_release(base),
        permits=(Permit(code=PRIVATE_IMAGE.code, reason=reason),),
    )


def _name_release(base: BaseRelease) -> Release:
    """The version of ``base`` with more behind it, so that it sorts behind it too."""
    name = base.release.name
    try:
        version = parse_version(name).without_build()
        pattern = f"{{version}}{'.' if version.prerelease else '-'}{{stream}}-{{inputs}}"
        check_pattern(pattern, stream=STREAM, version=str(version))
    except InputError as error:
        raise ReleaseError(
            f"the release is called {name!r}, which no name can be made of: {error.message}",
            hint=error.hint,
        ) from error
    return Release(name=pattern, version=str(version))


class _Finder:
    """Finds Dockerfiles, and says which."""

    def __init__(self, sources: ListedSourceTree, lock: Lock, progress: Progress) -> None:
        self._sources = sources
        self._lock = lock
        self._progress = progress

    async def find(self, component: str, source: Source) -> str:
        """The Dockerfile in ``source``. Raises InputError when there is none, and SourceError."""
        commit = self._lock.commit_of(component, source) or await self._sources.resolve(source)
        files = await self._sources.list_files(source, commit)
        place = source.path if isinstance(source, FolderSource) else source.url
        repository = place.rstrip("/").rpartition("/")[2].removesuffix(".git")
        choice = choose_dockerfile(files, component=component, repository=repository)
        if not choice.path:
            raise InputError(
                f"{component}: {source}: {choice.reason}",
                hint=f"name its Dockerfile, as in --dockerfile {component}=images/Dockerfile",
            )
        message = f"is built from its {choice.path} ({choice.reason})"
        self._progress(Noticed(subject=component, message=message))
        return choice.path
