# SPDX-License-Identifier: Apache-2.0
"""A cluster that is a dictionary: the twin of the ``Cluster`` protocol."""

from __future__ import annotations

from okd_payload.cluster import ObjectKind
from okd_payload.errors import NoSuchObject


class MemoryCluster:
    """Objects by kind, namespace and name."""

    def __init__(self, namespace: str = "default") -> None:
        self._namespace = namespace
        self.objects: dict[tuple[str, str, str], bytes] = {}
        """JSON by resource (``imagestreams.image.openshift.io``), namespace and name."""

    @property
    def namespace(self) -> str:
        """The namespace that is meant where none is named."""
        return self._namespace

    def add(self, kind: ObjectKind, name: str, content: bytes, *, namespace: str = "") -> None:
        """Put an object into the cluster."""
        self.objects[self._key(kind, name, namespace)] = content

    async def get(self, kind: ObjectKind, name: str, *, namespace: str = "") -> bytes:
        """The object as JSON. Raises NoSuchObject."""
        key = self._key(kind, name, namespace)
        if key not in self.objects:
            raise NoSuchObject(f"{kind.kind} {name} in namespace {key[1]} is not there")
        return self.objects[key]

    def _key(self, kind: ObjectKind, name: str, namespace: str) -> tuple[str, str, str]:
        return kind.resource, (namespace or self._namespace) if kind.namespaced else "", name
