# SPDX-License-Identifier: Apache-2.0
"""``artifacthub-pkg.yml``: an entry as Artifact Hub describes packages of any kind.

The fields are those of docs/metadata/artifacthub-pkg.yml in github.com/artifacthub/hub; the
first five are required. For Tekton's kinds Artifact Hub reads the manifest, and this file is for
all that read packages of any kind.
"""

from __future__ import annotations

import msgspec

from okd_payload.engines.tekton.catalogue.entry import (
    HOME,
    HUB_CATEGORY,
    KEYWORDS,
    LICENSE,
    MINIMUM_VERSION,
    OLDEST_PIPELINES,
    PROVIDER,
    Entry,
)


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Link(_Part, frozen=True, kw_only=True):
    """A named address."""

    name: str
    url: str


class ContainerImage(_Part, frozen=True, kw_only=True):
    """An image that the package runs."""

    name: str
    image: str
    platforms: tuple[str, ...]


class Provider(_Part, frozen=True, kw_only=True):
    """Who provides the package."""

    name: str


class Package(
    _Part,
    frozen=True,
    kw_only=True,
    rename={
        "display_name": "displayName",
        "created_at": "createdAt",
        "home_url": "homeURL",
        "containers_images": "containersImages",
    },
):
    """What Artifact Hub knows of a package."""

    version: str
    name: str
    display_name: str
    created_at: str
    description: str
    category: str
    license: str
    home_url: str
    keywords: tuple[str, ...]
    links: tuple[Link, ...]
    install: str
    containers_images: tuple[ContainerImage, ...]
    provider: Provider
    annotations: dict[str, str]


def describe_package(entry: Entry, *, created: str) -> Package:
    """``entry`` as a package, first published at ``created`` (RFC 3339)."""
    return Package(
        version=entry.version,
        name=entry.name,
        display_name=entry.title,
        created_at=created,
        description=entry.description,
        category=HUB_CATEGORY,
        license=LICENSE,
        home_url=HOME,
        keywords=("tekton", entry.kind, *KEYWORDS),
        links=(Link(name="source", url=HOME), Link(name="support", url=f"{HOME}/issues")),
        install=f"```\nkubectl apply -f {entry.name}.yaml\n```\n",
        containers_images=(
            ContainerImage(name="okd-payload", image=entry.image, platforms=entry.platforms),
        ),
        provider=Provider(name=PROVIDER),
        annotations={MINIMUM_VERSION: OLDEST_PIPELINES},
    )
