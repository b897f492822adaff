# SPDX-License-Identifier: Apache-2.0
"""The order of the rendered objects: that of the files, or what others need first.

Without options objects are sorted as ``kubectl`` applies them: kinds that others need come first,
webhooks last, since they may refuse what comes after them; equal kinds by type and name. So the
order does not depend on how files are spread over folders.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from okd_payload.catalog.kustomize.fields import LegacySortOptions, SortOptions
from okd_payload.catalog.kustomize.resource import Resource

_LEGACY: Literal["legacy"] = "legacy"

_FIRST = (
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
)
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_BY_DEFAULT = SortOptions(
    order=_LEGACY, legacy_sort_options=LegacySortOptions(order_first=_FIRST, order_last=_LAST)
)


def in_order(resources: Iterable[Resource], options: SortOptions | None) -> list[Resource]:
    """``resources`` as ``options`` want them; without any, as kubectl does: by kind."""
    options = options or _BY_DEFAULT
    if options.order != _LEGACY:
        return list(resources)
    kinds = options.legacy_sort_options or _BY_DEFAULT.legacy_sort_options
    ranks: dict[str, int] = {}
    if kinds:
        count = len(kinds.order_first)
        ranks = {kind: number - count for number, kind in enumerate(kinds.order_first)}
        ranks |= {kind: number for number, kind in enumerate(kinds.order_last, start=1)}

    def key(resource: Resource) -> tuple[int, str, str]:
        identity = resource.identity
        types = f"{identity.group or '~G'}_{identity.version or '~V'}_{identity.kind}"
        names = f"{identity.namespace or '~X'}|{identity.name}"
        return ranks.get(identity.kind, 0), types, names

    return sorted(resources, key=key)
