# SPDX-License-Identifier: Apache-2.0
"""Which kinds of objects an API server has, and by which names.

The built-in kinds stand in a table; definitions add theirs. The simulator serves one version of
a built-in group, the one that every cluster has today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from okd_payload.cluster import ObjectKind

ALL_VERBS = (
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
)


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of objects in a group, in all its versions."""

    group: str
    versions: tuple[str, ...]
    """Those that are served, the preferred one first."""
    storage: str
    """The version that objects are kept in."""
    kind: str
    plural: str
    singular: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    custom: bool = False
    """Whether a definition made it; the server knows more of its own kinds."""
    verbs: tuple[str, ...] = ALL_VERBS

    @property
    def name(self) -> str:
        """The name by which rights are given: ``taskruns.tekton.dev``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def has_status(self) -> bool:
        """Whether the status is written apart from the rest."""
        return "status" in self.subresources

    def api_version(self, version: str = "") -> str:
        """``group/version``; of the stored version where none is named."""
        version = version or self.storage
        return f"{self.group}/{version}" if self.group else version


class Resources:
    """All kinds that a server has."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_name: dict[str, Resource] = {}
        self._by_kind: dict[tuple[str, str], Resource] = {}
        for resource in resources:
            self.add(resource)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_name.values())

    def add(self, resource: Resource) -> None:
        """Serve ``resource``, in place of one of the same name."""
        self._by_name[resource.name] = resource
        self._by_kind[resource.group, resource.kind] = resource

    def remove(self, resource: Resource) -> None:
        """Serve ``resource`` no longer."""
        self._by_name.pop(resource.name, None)
        self._by_kind.pop((resource.group, resource.kind), None)

    def named(self, name: str) -> Resource | None:
        """The resource of that name (``taskruns.tekton.dev``)."""
        return self._by_name.get(name)

    def served(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource that a path names, if it has this version."""
        found = self._by_name.get(f"{plural}.{group}" if group else plural)
        return found if found and version in found.versions else None

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of objects with that ``apiVersion`` and ``kind``."""
        group, _, version = api_version.rpartition("/")
        found = self._by_kind.get((group, kind))
        return found if found and version in found.versions else None

    def groups(self) -> dict[str, list[Resource]]:
        """The resources of each group, the core group under the empty name."""
        groups: dict[str, list[Resource]] = {}
        for resource in self._by_name.values():
            groups.setdefault(resource.group, []).append(resource)
        return groups


def resource_of(kind: ObjectKind, *, status: bool = True) -> Resource:
    """A resource without a schema, as ``kind`` describes it."""
    return Resource(
        group=kind.group,
        versions=(kind.version,),
        storage=kind.version,
        kind=kind.kind,
        plural=kind.plural,
        singular=kind.kind.lower(),
        namespaced=kind.namespaced,
        subresources=("status",) if status else (),
        custom=True,
    )


def built_in_resources() -> Resources:
    """What every cluster has, as far as builds ask for it."""
    return Resources(_read(line) for line in _BUILT_IN.strip().splitlines())


def _read(line: str) -> Resource:
    api_version, kind, plural, scope, subresources, short_names = line.split()
    group, _, version = api_version.rpartition("/")
    return Resource(
        group=group,
        versions=(version,),
        storage=version,
        kind=kind,
        plural=plural,
        singular=kind.lower(),
        namespaced=scope == "namespaced",
        subresources=_words(subresources),
        short_names=_words(short_names),
    )


def _words(cell: str) -> tuple[str, ...]:
    return () if cell == "-" else tuple(cell.split(","))


_BUILT_IN = """
v1 Namespace namespaces cluster status ns
v1 Node nodes cluster status no
v1 Pod pods namespaced status,log,eviction po
v1 ConfigMap configmaps namespaced - cm
v1 Secret secrets namespaced - -
v1 Service services namespaced status svc
v1 ServiceAccount serviceaccounts namespaced - sa
v1 PersistentVolumeClaim persistentvolumeclaims namespaced status pvc
v1 PersistentVolume persistentvolumes cluster status pv
v1 Event events namespaced - ev
v1 ResourceQuota resourcequotas namespaced status quota
v1 LimitRange limitranges namespaced - limits
v1 Endpoints endpoints namespaced - ep
apps/v1 Deployment deployments namespaced status deploy
apps/v1 ReplicaSet replicasets namespaced status rs
apps/v1 StatefulSet statefulsets namespaced status sts
apps/v1 DaemonSet daemonsets namespaced status ds
batch/v1 Job jobs namespaced status -
batch/v1 CronJob cronjobs namespaced status cj
coordination.k8s.io/v1 Lease leases namespaced - -
networking.k8s.io/v1 Ingress ingresses namespaced status ing
networking.k8s.io/v1 NetworkPolicy networkpolicies namespaced - netpol
policy/v1 PodDisruptionBudget poddisruptionbudgets namespaced status pdb
storage.k8s.io/v1 StorageClass storageclasses cluster - sc
rbac.authorization.k8s.io/v1 Role roles namespaced - -
rbac.authorization.k8s.io/v1 RoleBinding rolebindings namespaced - -
rbac.authorization.k8s.io/v1 ClusterRole clusterroles cluster - -
rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings cluster - -
apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions cluster status crd
"""
