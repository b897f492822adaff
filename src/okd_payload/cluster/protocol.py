# SPDX-License-Identifier: Apache-2.0
"""What is asked of a cluster: objects by kind and name, as JSON."""

from __future__ import annotations

from typing import Protocol

import msgspec


class ObjectKind(msgspec.Struct, frozen=True):
    """A kind of objects, and what the API calls it."""

    api_version: str
    """``group/version``, or the version alone for the core group."""
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version in its group."""
        return self.api_version.rpartition("/")[2]

    @property
    def resource(self) -> str:
        """The name by which rights are given: ``imagestreams.image.openshift.io``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class Cluster(Protocol):
    """A cluster that somebody may read from."""

    @property
    def namespace(self) -> str:
        """The namespace that is meant where none is named."""
        ...

    async def get(self, kind: ObjectKind, name: str, *, namespace: str = "") -> bytes:
        """The object as JSON. Raises NoSuchObject, and other errors of clusters."""
        ...
