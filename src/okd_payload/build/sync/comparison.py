# SPDX-License-Identifier: Apache-2.0
"""A catalog beside a release: which images are new, gone, renamed, moved, or of another class.

The list of the catalog is to be the list of the payload. What the catalog has besides is fine as
long as something is built on it; what it lacks, leaves out or takes from elsewhere on purpose
(stubs, ``skip``, permits, sources that the stream file gives) is told and left alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

import msgspec

from okd_payload.build.sync.differences import Difference, Kind, permit
from okd_payload.build.sync.discovery import Discoverer, Discovery, Reading
from okd_payload.build.sync.needs import Needs, find_needs
from okd_payload.build.sync.release_images import ReleaseImage, ReleaseImages, same_repository
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component, Sharing
from okd_payload.catalog.definition import Definition
from okd_payload.oci.manifest import Platform
from okd_payload.release.concurrency import map_concurrently
from okd_payload.source.listing import ListedSourceTree
from okd_payload.source.lock import Lock
from okd_payload.source.model import GitSource

_AT_ONCE = 64
_UNCLASSED = "unclassed"
_MOST_NAMED = 5

ReadLabels = Callable[[ReleaseImage], Awaitable[ReleaseImage]]
"""Completes an image of which annotations say no source by what the image itself says."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A difference, and what it takes to mend it."""

    difference: Difference
    image: ReleaseImage | None = None
    """As the release has it."""
    component: Component | None = None
    """As the stream has it."""
    definition: Definition | None = None
    """For an image that has none."""
    is_needed: bool = False
    """Whether others are built on the old tag of what was renamed."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in which a catalog differs from a release."""

    release: str
    findings: tuple[Finding, ...]
    helpers: tuple[str, ...] = ()
    """Tags that no payload has and something in it is built on."""
    stubs: dict[str, str] = {}
    """Tags of the release that something else stands in for, and why."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The differences alone."""
        return tuple(each.difference for each in self.findings)


async def compare(
    catalog: Catalog,
    definitions: Sequence[Definition],
    release: ReleaseImages,
    *,
    sources: ListedSourceTree,
    read_labels: ReadLabels,
    platform: Platform,
    lock: Lock,
    ocp: ReleaseImages | None = None,
) -> Comparison:
    """How ``catalog``, whose files say ``definitions``, differs from ``release``.

    With the release of OCP that it belongs to, classes are compared as well. Raises MissingTool
    or StorageError when no source can be read at all.
    """
    images = release.by_tag
    gone = list(_surplus_components(catalog, images))
    new = [images[tag] for tag in sorted(images.keys() - catalog.tags.keys())]
    discoverer = Discoverer(catalog, sources, gone=gone)

    async def read(image: ReleaseImage) -> Reading:
        return await discoverer.read(image if image.location else await read_labels(image))

    accepted = {image.tag: _why_accepted(image, catalog, ocp) for image in new}
    unknown = [image for image in new if not accepted[image.tag]]
    readings = await map_concurrently(read, unknown, at_once=_AT_ONCE)
    explained = [
        (each, discoverer.judge(each) if each.image.location else None) for each in readings
    ]
    discoveries = [discovery for _, discovery in explained if discovery]
    moved = list(_moved(catalog, definitions, images))
    needs = await _find_needs(
        _follow(catalog, moved), images, discoveries, sources=sources, platform=platform, lock=lock
    )
    found = [_accept(image, accepted[image.tag]) for image in new if accepted[image.tag]]
    found += [_explain(reading.image, discovery, needs) for reading, discovery in explained]
    renamed = {each.component.name: each.difference.tag for each in found if each.component}
    found += _removed(catalog, images, needs, renamed)
    found += moved
    if ocp is not None:
        found = [_class_new(each, ocp) for each in found]
        found += _reclassed(catalog, images, ocp, renamed)
    permitted = permit((each.difference for each in found), catalog.stream.permits)
    return Comparison(
        release=release.name,
        findings=tuple(
            msgspec.structs.replace(each, difference=difference)
            for each, difference in zip(found, permitted, strict=True)
        ),
        helpers=tuple(sorted((needs.tags & catalog.tags.keys()) - images.keys())),
        stubs={each.name: each.stub for each in catalog.imports if each.stub},
    )


async def _find_needs(
    catalog: Catalog,
    images: dict[str, ReleaseImage],
    discoveries: Sequence[Discovery],
    *,
    sources: ListedSourceTree,
    platform: Platform,
    lock: Lock,
) -> Needs:
    """What the images of the release are built on; nothing is read when all are in it.

    Those that are new, or have another name now, need what they are built on as well.
    """
    wanted = {*images, catalog.stream.release.base}
    if catalog.wanted_tags <= wanted:
        return Needs()
    new = [
        msgspec.structs.replace(each.definition.component, source=each.source)
        for each in discoveries
        if each.definition
    ]
    wanted |= {each.renamed.tag for each in discoveries if each.renamed}
    catalog = msgspec.structs.replace(catalog, components=(*catalog.components, *new))
    return await find_needs(catalog, wanted, sources=sources, platform=platform, lock=lock)


def _follow(catalog: Catalog, moved: Sequence[Finding]) -> Catalog:
    """``catalog`` with its sources where the release has them: old places may be gone."""
    new = {
        each.component.name: each.difference.after
        for each in moved
        if each.component and not each.difference.permitted
    }
    components = [
        msgspec.structs.replace(each, source=GitSource(url=new[each.name], ref=each.source.ref))
        if each.name in new and isinstance(each.source, GitSource)
        else each
        for each in catalog.components
    ]
    return msgspec.structs.replace(catalog, components=tuple(components))


def _surplus_components(catalog: Catalog, images: dict[str, ReleaseImage]) -> Iterator[Component]:
    wanted = catalog.wanted_tags
    base = catalog.stream.release.base
    for component in catalog.components:
        if component.tag in wanted and component.tag not in images and component.tag != base:
            yield component


def _why_accepted(image: ReleaseImage, catalog: Catalog, ocp: ReleaseImages | None) -> str:
    """Why a stream may have no definition of ``image``; empty when it should have one."""
    for skipped in catalog.skipped:
        if skipped.tag == image.tag:
            return f"left out: {skipped.reason}"
    if not catalog.stream.bootstrap.release:
        return ""
    known = _class_of(image, ocp) if ocp else None
    if known and known[0] is Sharing.SPECIFIC:
        return ""
    return "taken from the release that the stream begins with"


def _accept(image: ReleaseImage, reason: str) -> Finding:
    difference = Difference(kind=Kind.NEW, tag=image.tag, permitted=reason)
    return Finding(difference=difference, image=image)


def _explain(image: ReleaseImage, found: Discovery | None, needs: Needs) -> Finding:
    """What an image is that the catalog has no tag of."""
    difference = Difference(kind=Kind.NEW, tag=image.tag, after=image.location)
    if found is None:
        known = "it says no source; its image is taken over" if image.pull_spec else ""
        obstacle = "" if known else "it says neither a source nor an image"
        difference = msgspec.structs.replace(difference, evidence=known, obstacle=obstacle)
        return Finding(difference=difference, image=image)
    difference = msgspec.structs.replace(
        difference, evidence=found.evidence, obstacle=found.obstacle, unread=found.unread
    )
    if found.renamed is None:
        return Finding(difference=difference, image=image, definition=found.definition)
    old = found.renamed
    difference = msgspec.structs.replace(
        difference,
        kind=Kind.RENAMED,
        component=old.name,
        before=old.tag,
        after=image.tag,
        file=old.origin.file,
        line=old.origin.line,
    )
    needed = old.tag in needs.tags
    return Finding(difference=difference, image=image, component=old, is_needed=needed)


def _removed(
    catalog: Catalog, images: dict[str, ReleaseImage], needs: Needs, renamed: Collection[str]
) -> Iterator[Finding]:
    """What the release does not have, nothing is built on, and has no other name now."""
    obstacle = ""
    if needs.unread:
        told = ", ".join(needs.unread[:_MOST_NAMED])
        more = len(needs.unread) - _MOST_NAMED
        beside = f" and {more} more" if more > 0 else ""
        obstacle = f"may be needed: the Dockerfiles of {told}{beside} cannot be read"
    for component in _surplus_components(catalog, images):
        if component.tag in needs.tags or component.name in renamed:
            continue
        difference = Difference(
            kind=Kind.REMOVED,
            tag=component.tag,
            component=component.name,
            before=str(component.source or "made of other images"),
            obstacle=obstacle,
            unread=bool(obstacle),
            file=component.origin.file,
            line=component.origin.line,
        )
        yield Finding(difference=difference, component=component)
    for entry in catalog.imports:
        if entry.name in images or entry.name in needs.tags:
            continue
        own = entry.origin.file == catalog.path
        foreign = "" if own else f"{entry.origin.file} is not written by this program"
        difference = Difference(
            kind=Kind.REMOVED,
            tag=entry.name,
            before="an import",
            obstacle=obstacle or foreign,
            unread=bool(obstacle),
            file=entry.origin.file,
            line=entry.origin.line,
        )
        yield Finding(difference=difference)


def _moved(
    catalog: Catalog, definitions: Sequence[Definition], images: dict[str, ReleaseImage]
) -> Iterator[Finding]:
    """Components that the release has from another repository."""
    written = {each.component.name: each.component.source for each in definitions}
    for component in catalog.components:
        source, image = component.source, images.get(component.tag)
        if image is None or not image.location or not isinstance(source, GitSource):
            continue
        if same_repository(source.url, image.location):
            continue
        own = written.get(component.name)
        chosen = not isinstance(own, GitSource) or not same_repository(own.url, source.url)
        difference = Difference(
            kind=Kind.SOURCE,
            tag=component.tag,
            component=component.name,
            before=source.url,
            after=image.location,
            permitted="the stream file gives the source" if chosen else "",
            file=component.origin.file,
            line=component.origin.line,
        )
        yield Finding(difference=difference, image=image, component=component)


def _reclassed(
    catalog: Catalog,
    images: dict[str, ReleaseImage],
    ocp: ReleaseImages,
    renamed: dict[str, str],
) -> Iterator[Finding]:
    """Components whose image is, or is not, that of OCP, other than their class says."""
    for component in catalog.components:
        image = images.get(renamed.get(component.name, component.tag))
        known = _class_of(image, ocp) if image else None
        if known is None or component.sharing is known[0]:
            continue
        difference = Difference(
            kind=Kind.CLASS,
            tag=component.tag,
            component=component.name,
            before=component.sharing.value if component.sharing else _UNCLASSED,
            after=known[0].value,
            evidence=known[1],
            file=component.origin.file,
            line=component.origin.line,
        )
        yield Finding(difference=difference, image=image, component=component)


def _class_new(finding: Finding, ocp: ReleaseImages) -> Finding:
    """``finding``, whose definition, if it is a new one, says its class from the start."""
    known = _class_of(finding.image, ocp) if finding.image else None
    if finding.definition is None or known is None:
        return finding
    component = msgspec.structs.replace(
        finding.definition.component, sharing=known[0], sharing_reason=known[1]
    )
    return msgspec.structs.replace(finding, definition=Definition(component))


def _class_of(image: ReleaseImage, ocp: ReleaseImages) -> tuple[Sharing, str] | None:
    """The class of ``image`` and how it is known; None when digests do not tell."""
    other = ocp.by_tag.get(image.tag)
    if other is None:
        return Sharing.SPECIFIC, f"OCP {ocp.name} has no such image"
    if not image.digest or not other.digest:
        return None
    if image.digest == other.digest:
        return Sharing.SHARED, f"the same image in OCP {ocp.name}"
    return Sharing.SPECIFIC, f"another image in OCP {ocp.name}"
