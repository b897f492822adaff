# SPDX-License-Identifier: Apache-2.0
"""Prefixes and suffixes for the names of all objects."""

from __future__ import annotations

from typing import Any

import msgspec

from okd_payload.catalog.kustomize.field_specs import change_field
from okd_payload.catalog.kustomize.resource import Resource

_KEEPS_ITS_NAME = frozenset({"APIService", "CustomResourceDefinition", "Namespace"})


def add_prefix(resource: Resource, prefix: str) -> Resource:
    """``resource`` with ``prefix`` before its name, unless the name means something."""
    renamed = _rename(resource, prefix, "")
    return msgspec.structs.replace(renamed, prefixes=(*resource.prefixes, prefix))


def add_suffix(resource: Resource, suffix: str) -> Resource:
    """``resource`` with ``suffix`` behind its name, unless the name means something."""
    renamed = _rename(resource, "", suffix)
    return msgspec.structs.replace(renamed, suffixes=(*resource.suffixes, suffix))


def _rename(resource: Resource, prefix: str, suffix: str) -> Resource:
    if resource.identity.kind in _KEEPS_ITS_NAME:
        return resource

    def change(name: Any) -> str:
        return f"{prefix}{name}{suffix}"

    return resource.renamed(change_field(resource.value, ("metadata", "name"), change))
