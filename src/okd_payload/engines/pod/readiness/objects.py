# SPDX-License-Identifier: Apache-2.0
"""What is read of a cluster's own objects to judge whether builds can run.

The fields are those of https://kubernetes.io/docs/reference/kubernetes-api/. Servers leave out
what is empty, and older ones do not know everything (``runtimeHandlers``), so all but names and
types has a default.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class _Seen(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all: fields that nobody here needs are left out."""


class Metadata(_Seen, frozen=True, kw_only=True):
    """What every object has."""

    name: str = ""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    deletion_timestamp: str = ""


class Named(_Seen, frozen=True, kw_only=True):
    """An object of which only the metadata counts: a namespace, a storage class, a deployment."""

    metadata: Metadata


class NodeInfo(_Seen, frozen=True, kw_only=True):
    """What a node is made of."""

    architecture: str = ""
    operating_system: str = ""
    kernel_version: str = ""
    kubelet_version: str = ""


class Condition(_Seen, frozen=True, kw_only=True):
    """How something is."""

    type: str
    status: str = ""
    reason: str = ""
    message: str = ""


class HandlerFeatures(_Seen, frozen=True, kw_only=True):
    """What a container runtime can do."""

    user_namespaces: bool = False


class RuntimeHandler(_Seen, frozen=True, kw_only=True):
    """One way of running containers; the nameless one is the default."""

    name: str = ""
    features: HandlerFeatures = HandlerFeatures()


class NodeStatus(_Seen, frozen=True, kw_only=True):
    """How a node is."""

    node_info: NodeInfo = NodeInfo()
    conditions: tuple[Condition, ...] = ()
    allocatable: Mapping[str, str] = {}
    runtime_handlers: tuple[RuntimeHandler, ...] = ()


class NodeSpec(_Seen, frozen=True, kw_only=True):
    """How a node shall be used."""

    unschedulable: bool = False


class Node(_Seen, frozen=True, kw_only=True):
    """A machine of the cluster."""

    metadata: Metadata
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def takes_pods(self) -> bool:
        """Whether pods can be placed there."""
        ready = any(
            condition.type == "Ready" and condition.status == "True"
            for condition in self.status.conditions
        )
        return ready and not self.spec.unschedulable


class QuotaStatus(_Seen, frozen=True, kw_only=True):
    """What a namespace may use, and uses."""

    hard: Mapping[str, str] = {}
    used: Mapping[str, str] = {}


class ResourceQuota(_Seen, frozen=True, kw_only=True):
    """How much all pods of a namespace may have together."""

    metadata: Metadata
    status: QuotaStatus = QuotaStatus()


class Limit(_Seen, frozen=True, kw_only=True):
    """What one container or pod may ask for."""

    type: str
    max: Mapping[str, str] = {}
    min: Mapping[str, str] = {}


class LimitRangeSpec(_Seen, frozen=True, kw_only=True):
    """The limits of a namespace."""

    limits: tuple[Limit, ...] = ()


class LimitRange(_Seen, frozen=True, kw_only=True):
    """How large or small a pod of a namespace may be."""

    metadata: Metadata
    spec: LimitRangeSpec = LimitRangeSpec()


class ConfigMap(_Seen, frozen=True, kw_only=True):
    """Entries of text."""

    data: Mapping[str, str] = {}


class PodSpec(_Seen, frozen=True, kw_only=True):
    """What a pod shall be, as far as a server may change it silently."""

    host_users: bool | None = None


class Pod(_Seen, frozen=True, kw_only=True):
    """A pod as the cluster would make it."""

    spec: PodSpec = PodSpec()
