# SPDX-License-Identifier: Apache-2.0
"""A release that others are built on top of: a few images anew, all others taken over.

What is built anew may stand on images of the release; those are brought in as they are, by
digest, and nothing else of it is pulled but what a payload is made of. Images that the release
lacks, because no operator asks for them (bases and builders), are those of the stream.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from okd_payload.build.change_set import ChangeSet
from okd_payload.build.codes import INVALID_DOCKERFILE, MISSING_DOCKERFILE, SOURCE_UNAVAILABLE
from okd_payload.build.freeze import FrozenPlan, freeze, read_plan
from okd_payload.build.graph import descendants
from okd_payload.build.pins import Resolver
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Origin
from okd_payload.catalog.definition import Import, PulledImage
from okd_payload.catalog.stream import Stream
from okd_payload.issues import Issue, apply_permits
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import LayoutLocation, Location
from okd_payload.oci.manifest import Platform
from okd_payload.oci.reference import DEFAULT_TAG
from okd_payload.oci.repository import Repository
from okd_payload.release.inputs import ReleaseInput, make_input, pull_spec_of
from okd_payload.release.labels import FROM_RELEASE
from okd_payload.release.load import Release, load_release
from okd_payload.source.lock import Lock
from okd_payload.source.model import SourceTree

_UNREAD = frozenset({SOURCE_UNAVAILABLE.code, MISSING_DOCKERFILE.code, INVALID_DOCKERFILE.code})


class BaseRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The release, and where it and its images are."""

    release: Release
    repository: str
    """The repository of a registry that it was read from; empty for a folder of this machine."""
    near: tuple[Repository, ...] = ()
    """Layouts of this machine that may have its images."""

    @property
    def images(self) -> dict[str, str]:
        """The pull spec of every image, by tag."""
        return {tag.name: spec for tag in self.release.tags if (spec := pull_spec_of(tag))}

    def to_input(self, stream: Stream) -> ReleaseInput:
        """Its images as what another release of ``stream`` is made of."""
        origin = f"{self.repository or stream.release_repository}@{self.release.digest}"
        annotations = self.release.references.metadata.annotations or {}
        return make_input(self.release.tags, annotations={**annotations, FROM_RELEASE: origin})


async def load_base(location: Location, repository: Repository) -> BaseRelease:
    """The release at ``location``, which is in ``repository``.

    A layout that we made has the images beside it. Raises NotFound, ContentError, ReleaseError.
    """
    if isinstance(location, LayoutLocation):
        release = await load_release(repository, location.selector)
        images = LayoutRepository(location.path.parent / "images")
        return BaseRelease(release=release, repository="", near=(repository, images))
    release = await load_release(repository, location.selector or DEFAULT_TAG)
    return BaseRelease(release=release, repository=location.repository)


def take_over(catalog: Catalog, base: BaseRelease, *, built: Collection[str]) -> Catalog:
    """``catalog`` with the images of ``base`` imported for all tags that are not ``built``."""
    taken = {tag: spec for tag, spec in base.images.items() if tag not in built}
    replaced = {component.name for component in catalog.components if component.tag in taken}
    imports = [entry for entry in catalog.imports if entry.name not in taken]
    imports += [
        Import(name=tag, content=PulledImage(spec), origin=Origin(""))
        for tag, spec in taken.items()
    ]
    return msgspec.structs.replace(
        catalog,
        components=tuple(it for it in catalog.components if it.name not in replaced),
        imports=tuple(sorted(imports, key=lambda entry: entry.name)),
        issues=tuple(issue for issue in catalog.issues if issue.component not in replaced),
    )


async def freeze_over(
    catalog: Catalog,
    base: BaseRelease,
    change: ChangeSet,
    *,
    with_dependants: bool,
    sources: SourceTree,
    resolve: Resolver,
    platform: Platform,
    lock: Lock,
) -> FrozenPlan:
    """The plan of what ``change`` wants anew on top of ``base``.

    With dependants, everything that is built on that is made anew too; to know it, the
    Dockerfiles of all components are read. Raises UnknownName, MissingTool and StorageError.
    """
    built = frozenset(catalog.component(name).tag for name in change.sources)
    unread: tuple[Issue, ...] = ()
    if with_dependants:
        whole = await read_plan(
            catalog, catalog.wanted_tags, sources=sources, platform=platform, lock=lock
        )
        changed = {catalog.component(name).name for name in change.sources}
        built |= {node.name for node in whole.components if node.built_like in changed}
        built |= descendants(whole.graph, built)
        unread = tuple(issue for issue in whole.issues if issue.code in _UNREAD)
    frozen = await freeze(
        take_over(catalog, base, built=built),
        sources=sources,
        resolve=resolve,
        platform=platform,
        lock=lock,
        only=built,
    )
    # Whoever cannot be read might be a dependant.
    hidden = apply_permits(unread, catalog.stream.permits)
    issues = dict.fromkeys((*frozen.plan.issues, *hidden))
    plan = msgspec.structs.replace(frozen.plan, issues=tuple(issues))
    return msgspec.structs.replace(frozen, plan=plan)
