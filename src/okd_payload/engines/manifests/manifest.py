# SPDX-License-Identifier: Apache-2.0
"""One object of the Kubernetes API as a value, and how large the API server lets it be.

A kind is a frozen struct that extends ``Manifest`` with its own fields, in the order in which
people read them. What has its default is left out, because a server fills it in anyway and a
reader need not see it; a field in which the default means something has None as its default.
Nothing here knows any kind: whoever renders one describes it.
"""

from __future__ import annotations

import enum

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of what objects are made of: what is not set is not written."""


class OwnerReference(Part, frozen=True, kw_only=True):
    """Whose end ends this object too."""

    api_version: str
    kind: str
    name: str
    uid: str


class Metadata(Part, frozen=True, kw_only=True):
    """What every object says about itself."""

    name: str = ""
    generate_name: str = ""
    """Beginning of a name that the server completes; instead of ``name``."""
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()


class Manifest(Part, frozen=True, kw_only=True):
    """What every object has; kinds extend it."""

    api_version: str
    kind: str
    metadata: Metadata

    @property
    def identity(self) -> str:
        """Kind and name, as people and kubectl write them."""
        return f"{self.kind.lower()}/{self.metadata.name or self.metadata.generate_name}"


class ManifestLimit(enum.IntEnum):
    """Bytes that an API server and its store take (``tekton-admission``, "Sizes")."""

    REQUEST = 3_145_728
    """The body of a request: 413 above."""
    STORED = 1_572_864
    """What etcd stores of one object, all its status included: 500 above, and for good."""
    ANNOTATIONS = 262_144
    """All annotations together: `kubectl apply` keeps a copy of the object in one."""


def encode_manifest(manifest: Manifest) -> bytes:
    """``manifest`` as the JSON that an API server gets and counts; equal values, equal bytes."""
    return msgspec.json.encode(manifest, order="deterministic")
