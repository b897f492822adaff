# SPDX-License-Identifier: Apache-2.0
"""An object that is to be on a cluster, and how what we made is told from what others made.

An object is ours when it says so (by its labels) and when the cluster says so too: our field
manager has applied it. Labels alone are copied with every manifest that somebody saves and
changes; such a copy is never touched.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.creating import FIELD_MANAGER
from okd_payload.cluster.objects import strange_answer
from okd_payload.engines.manifests import Manifest
from okd_payload.engines.pod import labels

DEPLOYMENT_LABEL = labels.PREFIX + "deployment"
"""On everything that is deployed and pruned together; its value is the name of the stream."""
NAMESPACE_LABEL = labels.PREFIX + "namespace"
"""On objects outside of the namespace: the namespace that they were made for."""


class Metadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What tells whose an object is."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    managed_fields: tuple[ManagedFields, ...] = ()


class ManagedFields(msgspec.Struct, frozen=True, kw_only=True):
    """Who has written fields of an object, and how."""

    manager: str = ""
    operation: str = ""


class _Object(msgspec.Struct, frozen=True, kw_only=True):
    metadata: Metadata = Metadata()


class ManagedObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object as it is wanted."""

    kind: ObjectKind
    name: str
    content: bytes
    """JSON, metadata included."""

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.name}"


class DesiredState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a deployment consists of, in the order in which it is made."""

    stream: str
    namespace: str
    objects: tuple[ManagedObject, ...] = ()
    namespaced_only: bool = False
    """Whether objects of the whole cluster are left as they are."""
    manifests: tuple[Manifest, ...] = ()
    """The same as values, for those who write them to files."""

    @property
    def marks(self) -> dict[str, str]:
        """The labels that every object carries."""
        return deployment_labels(self.stream)

    @property
    def selector(self) -> str:
        """The label selector that finds every object of this deployment."""
        return labels.selector(self.marks)


def deployment_labels(stream: str) -> dict[str, str]:
    """The labels of everything that is deployed for ``stream``."""
    return {
        labels.MANAGED_BY: labels.MANAGER,
        labels.STREAM: labels.label_value(stream),
        DEPLOYMENT_LABEL: labels.label_value(stream),
    }


def read_metadata(content: bytes) -> Metadata:
    """The metadata of the object ``content``. Raises ClusterError."""
    try:
        return msgspec.json.decode(content, type=_Object).metadata
    except msgspec.DecodeError as error:
        raise strange_answer(
            f"the cluster answers with something else than objects: {error}"
        ) from error


def is_ours(metadata: Metadata, marks: dict[str, str]) -> bool:
    """Whether an object with ``metadata`` belongs to the deployment with these labels."""
    applied = any(
        entry.manager == FIELD_MANAGER and entry.operation == "Apply"
        for entry in metadata.managed_fields
    )
    return applied and all(metadata.labels.get(name) == marks[name] for name in marks)
