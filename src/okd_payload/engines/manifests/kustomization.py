# SPDX-License-Identifier: Apache-2.0
"""``kustomization.yaml``: which files of a folder count, and what an overlay changes in them.

Only fields that kubectl's own kustomize knows, whatever its version since 4.5, are here.
"""

from __future__ import annotations

import msgspec

NAME = "kustomization.yaml"
"""The file that kustomize looks for in a folder."""


class PatchTarget(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The objects that a patch changes."""

    kind: str = ""
    name: str = ""
    label_selector: str = ""


class Patch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change: a JSON patch or a strategic merge patch, in place or in a file."""

    path: str = ""
    patch: str = ""
    target: PatchTarget | None = None


class Labels(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Labels for all objects; selectors stay as they are."""

    pairs: dict[str, str]
    include_selectors: bool = False


class Kustomization(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A kustomization or, with another ``kind``, a component of several."""

    api_version: str
    kind: str
    namespace: str = ""
    resources: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    labels: tuple[Labels, ...] = ()
    patches: tuple[Patch, ...] = ()


def make_kustomization(
    *,
    resources: tuple[str, ...],
    namespace: str = "",
    labels: tuple[Labels, ...] = (),
    patches: tuple[Patch, ...] = (),
) -> Kustomization:
    """The kustomization that brings in ``resources``, in their order, and patches them."""
    return Kustomization(
        api_version="kustomize.config.k8s.io/v1beta1",
        kind="Kustomization",
        namespace=namespace,
        resources=resources,
        labels=labels,
        patches=patches,
    )
