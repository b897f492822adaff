# SPDX-License-Identifier: Apache-2.0
"""One entry of a catalogue: a Task or Pipeline, and what hubs want to know of it.

Both hubs read the manifest itself. The label with the version and ``tekton.dev/*`` are the
catalog's own rules (github.com/tektoncd/catalog, README, "Catalog Structure"; the categories are
those of Tekton Hub's ``config.yaml``). ``artifacthub.io/*`` is what Artifact Hub reads besides
(docs/tekton_annotations.md and internal/tracker/source/tekton/tekton.go there).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.engines.tekton.objects import Parameter, Result, Workspace
from okd_payload.engines.tekton.rendering.objects import Pipeline, Task

VERSION_LABEL = "app.kubernetes.io/version"
DISPLAY_NAME = "tekton.dev/displayName"
CATEGORIES = "tekton.dev/categories"
TAGS = "tekton.dev/tags"
MINIMUM_VERSION = "tekton.dev/pipelines.minVersion"
PLATFORMS = "tekton.dev/platforms"

OLDEST_PIPELINES = "0.44.0"
"""The first release of Tekton Pipelines that serves ``tekton.dev/v1``."""
HOME = "https://github.com/okd-project/okd-payload"
PROVIDER = "OKD Working Group"
LICENSE = "Apache-2.0"
HUB_CATEGORY = "integration-delivery"
"""Of the categories that Artifact Hub has, the one for building and delivering."""
KEYWORDS = ("okd", "openshift", "release-payload", "image-build")

_CATEGORIES = ("Image Build", "Integration & Delivery", "Openshift")
_ABBREVIATIONS = {"okd": "OKD"}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A Task or a Pipeline in one version."""

    manifest: Task | Pipeline
    """With all that hubs want in its metadata."""
    version: str
    platforms: tuple[str, ...]
    image: str
    """The image that its steps run."""

    @property
    def kind(self) -> str:
        """The folder of its kind: ``task`` or ``pipeline``."""
        return self.manifest.kind.lower()

    @property
    def name(self) -> str:
        """Its name, which is that of its folder and of its file."""
        return self.manifest.metadata.name

    @property
    def title(self) -> str:
        """Its name as people read it."""
        first, *others = self.name.split("-")
        words = [_ABBREVIATIONS.get(first, first.capitalize())]
        words += [_ABBREVIATIONS.get(word, word) for word in others]
        return " ".join(words)

    @property
    def folder(self) -> str:
        """Where its files are, in the layout of catalogs."""
        return f"{self.kind}/{self.name}/{self.version}"

    @property
    def description(self) -> str:
        """What it does, in one sentence or some."""
        return self.manifest.spec.description

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What it takes."""
        return self.manifest.spec.params

    @property
    def workspaces(self) -> tuple[Workspace, ...]:
        """The folders that it wants."""
        return self.manifest.spec.workspaces

    @property
    def results(self) -> tuple[Result, ...]:
        """What it gives."""
        return self.manifest.spec.results


def make_entry(
    manifest: Task | Pipeline, *, version: str, platforms: Iterable[str], image: str
) -> Entry:
    """``manifest`` as an entry, without what only a namespace of ours knows of it."""
    supported = tuple(platforms)
    bare = Entry(manifest=manifest, version=version, platforms=supported, image=image)
    metadata = msgspec.structs.replace(
        manifest.metadata,
        namespace="",
        labels={VERSION_LABEL: version},
        annotations={
            MINIMUM_VERSION: OLDEST_PIPELINES,
            CATEGORIES: ", ".join(_CATEGORIES),
            TAGS: ", ".join(KEYWORDS),
            DISPLAY_NAME: bare.title,
            PLATFORMS: ",".join(supported),
            "artifacthub.io/category": HUB_CATEGORY,
            "artifacthub.io/license": LICENSE,
            "artifacthub.io/links": f"- name: support\n  url: {HOME}/issues\n",
            "artifacthub.io/provider": PROVIDER,
        },
    )
    changed = msgspec.structs.replace(manifest, metadata=metadata)
    return msgspec.structs.replace(bare, manifest=changed)
