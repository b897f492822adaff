# SPDX-License-Identifier: Apache-2.0
"""``kustomization.yaml``: which files of a folder count, and what an overlay changes in them.

Only fields that kubectl's own kustomize knows, whatever its version since 4.5, are here.
"""

from __future__ import annotations

import msgspec

NAME = "kustomization.yaml"
"""The file that kustomize looks for in a folder."""


class PatchTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The objects that a patch changes."""

    kind: str
    name: str = ""


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON patch (RFC 6902), in place."""

    patch: str
    target: PatchTarget


class Kustomization(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Which files of a folder count, and what is changed in them."""

    api_version: str
    kind: str
    resources: tuple[str, ...]
    patches: tuple[Patch, ...] = ()


def make_kustomization(
    *, resources: tuple[str, ...], patches: tuple[Patch, ...] = ()
) -> Kustomization:
    """The kustomization that brings in ``resources``, in their order, and patches them."""
    return Kustomization(
        api_version="kustomize.config.k8s.io/v1beta1",
        kind="Kustomization",
        resources=resources,
        patches=patches,
    )
