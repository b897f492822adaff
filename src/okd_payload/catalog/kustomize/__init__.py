# SPDX-License-Identifier: Apache-2.0
"""Kustomizations rendered without kustomize: what a folder's overlays make of its objects.

The rules are those of kustomize 5.5, field by field in ``docs/reference/kustomize.md``. Beside
the objects this tells where each comes from, which patches touched it, and what they threw
away, which the program itself cannot. Nothing is fetched and nothing is run: generators,
charts, plugins and remote resources are refused by name.
"""

from okd_payload.catalog.kustomize.render import render_kustomization, require_complete
from okd_payload.catalog.kustomize.resource import (
    PatchKind,
    PatchPlace,
    RenderedObject,
    Rendering,
    ReplacedList,
)

__all__ = [
    "PatchKind",
    "PatchPlace",
    "RenderedObject",
    "Rendering",
    "ReplacedList",
    "render_kustomization",
    "require_complete",
]
