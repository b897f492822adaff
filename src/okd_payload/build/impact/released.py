# SPDX-License-Identifier: Apache-2.0
"""A catalog for changes where nobody wrote one: everything that a release says it is made of.

Each image whose annotations name its source is a component at exactly that commit, so that what
a change reaches is told of the release itself. What cannot be known of an image is a warning:
it stays as it is, and the others are built.
"""

from __future__ import annotations

import msgspec

from okd_payload.build.base_release import BaseRelease
from okd_payload.build.contribution import make_stream
from okd_payload.build.release_catalog import import_release
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Origin
from okd_payload.catalog.definition import Import, PulledImage
from okd_payload.catalog.stream import Publish
from okd_payload.catalog.substitution import Substitution
from okd_payload.issues import Severity
from okd_payload.source.listing import ListedSourceTree


async def make_catalog_of(
    base: BaseRelease,
    *,
    substitutions: tuple[Substitution, ...],
    publish: Publish,
    sources: ListedSourceTree,
) -> Catalog:
    """The catalog of all images of ``base``; those without a known source are imports.

    Raises ReleaseError for a release without a version, MissingTool and StorageError.
    """
    imported = await import_release(base.release, sources)
    components = sorted(
        (definition.component for definition in imported.catalog.definitions),
        key=lambda component: component.name,
    )
    built = {component.tag for component in components}
    return Catalog(
        path="",
        stream=make_stream(base, substitutions, publish),
        components=tuple(components),
        imports=tuple(
            Import(name=tag, content=PulledImage(spec), origin=Origin(""))
            for tag, spec in sorted(base.images.items())
            if tag not in built
        ),
        issues=tuple(
            msgspec.structs.replace(issue, severity=Severity.WARNING) for issue in imported.issues
        ),
    )
