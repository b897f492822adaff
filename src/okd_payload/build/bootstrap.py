# SPDX-License-Identifier: Apache-2.0
"""A stream that begins with a published release: what OKD and OCP share is taken from there.

Only what is built for OKD is built; all other images come in by the digests of the release, as
imports that say why. What nobody has classed is built: taking the wrong image goes unnoticed,
building one too many only takes time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

from okd_payload.build.base_release import BaseRelease
from okd_payload.build.codes import SHARED_IMAGE_MISSING, TAKEN_FROM_OCP
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component, Origin, Sharing
from okd_payload.catalog.definition import Import, PulledImage
from okd_payload.issues import Issue
from okd_payload.oci.reference import parse_reference
from okd_payload.source.lock import Lock, LockedImage

_OCP = re.compile(r"(?:^|/)(?:openshift-release-dev|ocp)/")
"""Repositories whose images hold parts of RHEL."""


def take_shared(catalog: Catalog, base: BaseRelease, *, built: Collection[str] = ()) -> Catalog:
    """``catalog`` with the images of ``base`` for all that it shares, and for all that it lacks.

    The components ``built`` are built whatever their class is.
    """
    images = base.images
    shared = {
        each.tag: each
        for each in catalog.components
        if each.sharing is Sharing.SHARED and each.name not in built
    }
    others = catalog.tags.keys() - shared.keys()
    taken = [
        _take(tag, spec, shared.get(tag), base.release.name)
        for tag, spec in images.items()
        if tag not in others
    ]
    imports = [*catalog.imports, *taken]
    return msgspec.structs.replace(
        catalog,
        components=tuple(
            each for each in catalog.components if each.tag not in shared or each.tag not in images
        ),
        imports=tuple(sorted(imports, key=lambda entry: entry.name)),
        issues=(
            *_kept_issues(catalog, {entry.name for entry in taken}, shared),
            *_find_issues(catalog, shared, taken, base),
        ),
    )


def pin_release(lock: Lock, name: str, base: BaseRelease) -> Lock:
    """``lock`` with what the release called ``name`` in the stream file means."""
    image = base.release.content.image
    if image is None:
        return lock
    pointer = image.referenced.descriptor
    pinned = LockedImage(pointer.digest, pointer.media_type, pointer.size)
    return msgspec.structs.replace(lock, images={**lock.images, name: pinned})


def _take(tag: str, pull_spec: str, component: Component | None, release: str) -> Import:
    reason = component.sharing_reason if component else "the stream does not define it"
    return Import(
        name=tag,
        content=PulledImage(pull_spec),
        origin=component.origin if component else Origin(""),
        sharing=component.sharing if component else None,
        sharing_reason=f"{reason}; taken from {release}" if reason else f"taken from {release}",
    )


def _kept_issues(
    catalog: Catalog, taken: Collection[str], shared: dict[str, Component]
) -> Iterator[Issue]:
    """What is wrong with the catalog, but for definitions that nobody builds."""
    unbuilt = {each.name for tag, each in shared.items() if tag in taken}
    return (issue for issue in catalog.issues if issue.component not in unbuilt)


def _find_issues(
    catalog: Catalog, shared: dict[str, Component], taken: list[Import], base: BaseRelease
) -> Iterator[Issue]:
    present = {entry.name for entry in taken}
    for tag, component in shared.items():
        if tag not in present:
            yield SHARED_IMAGE_MISSING.issue(
                f"{base.release.name} has no image {tag}, which the stream takes from it",
                component=component.name,
                file=component.origin.file,
                line=component.origin.line,
                hint="class it `specific` to build it, or name another release in `bootstrap`",
            )
    from_ocp = [entry.name for entry in taken if _is_of_ocp(entry)]
    if from_ocp:
        yield TAKEN_FROM_OCP.issue(
            f"images of OCP are taken from {base.release.name}: {_some(from_ocp)}",
            file=catalog.path,
            hint="they hold parts of RHEL: use them to try things out, build them to publish them",
        )


def _is_of_ocp(entry: Import) -> bool:
    content = entry.content
    if not isinstance(content, PulledImage):
        return False
    return bool(_OCP.search(f"{parse_reference(content.pull_spec).repository}/"))


def _some(names: list[str], *, most: int = 5) -> str:
    told = ", ".join(names[:most])
    return f"{told} and {len(names) - most} more" if len(names) > most else told
