# SPDX-License-Identifier: Apache-2.0
"""How the lists of Kubernetes' own kinds are merged.

A list whose items have a key is merged item by item; ``finalizers`` and the like are merged as
sets. Every other list is replaced. The table is that of Kubernetes 1.21, which kustomize 5.5
carries; other kinds, BuildConfigs among them, have no schema, and all their lists are replaced.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from okd_payload.catalog.kustomize.workloads import KNOWN_KINDS, POD_SPECS

ListKeys = tuple[str, ...]
"""The fields that tell the items of a list apart; none when the items are texts of a set."""

ListPath = tuple[str, ...]
"""The names of the fields down to a list; items of lists on the way add nothing."""

_CONTAINER: dict[ListPath, ListKeys] = {
    ("env",): ("name",),
    ("ports",): ("containerPort", "protocol"),
    ("volumeDevices",): ("devicePath",),
    ("volumeMounts",): ("mountPath",),
}
_POD: dict[ListPath, ListKeys] = {
    ("containers",): ("name",),
    ("ephemeralContainers",): ("name",),
    ("hostAliases",): ("ip",),
    ("imagePullSecrets",): ("name",),
    ("initContainers",): ("name",),
    ("topologySpreadConstraints",): ("topologyKey", "whenUnsatisfiable"),
    ("volumes",): ("name",),
    **{
        (containers, *path): keys
        for containers in ("containers", "initContainers", "ephemeralContainers")
        for path, keys in _CONTAINER.items()
        if (containers, path) != ("ephemeralContainers", ("ports",))
    },
}
_METADATA: dict[ListPath, ListKeys] = {("finalizers",): (), ("ownerReferences",): ("uid",)}
_OF_KINDS: dict[str, dict[ListPath, ListKeys]] = {
    "CSINode": {("spec", "drivers"): ("name",)},
    "MutatingWebhookConfiguration": {("webhooks",): ("name",)},
    "Node": {
        ("spec", "podCIDRs"): (),
        ("status", "addresses"): ("type",),
    },
    "Pod": {("status", "podIPs"): ("ip",)},
    "Service": {("spec", "ports"): ("port", "protocol")},
    "ServiceAccount": {("secrets",): ("name",)},
    "ValidatingWebhookConfiguration": {("webhooks",): ("name",)},
}
_CONDITIONS: dict[ListPath, ListKeys] = {("status", "conditions"): ("type",)}
_WITHOUT_MERGED_CONDITIONS = frozenset({"HorizontalPodAutoscaler"})


@functools.cache
def merge_keys(api_version: str, kind: str) -> Mapping[ListPath, ListKeys] | None:
    """The lists of a kind that are merged, None when nothing is known of the kind."""
    if kind not in KNOWN_KINDS.get(api_version, ()):
        return None
    found = dict(_OF_KINDS.get(kind, {}))
    if kind not in _WITHOUT_MERGED_CONDITIONS:
        found |= _CONDITIONS
    found |= _below(("metadata",), _METADATA)
    pod = POD_SPECS.get(kind)
    if pod:
        found |= _below(pod, _POD) | _below((*pod[:-1], "metadata"), _METADATA)
    return found


def _below(path: ListPath, keys: Mapping[ListPath, ListKeys]) -> dict[ListPath, ListKeys]:
    return {(*path, *rest): names for rest, names in keys.items()}
