# SPDX-License-Identifier: Apache-2.0
"""Everything that can be told of a cluster before anything is built there.

All checks are made, whatever the others find; only a cluster that does not answer ends it.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import Cluster, kinds
from okd_payload.cluster.objects import decode_object
from okd_payload.engines.pod.missing_rights import find_missing_rights
from okd_payload.engines.pod.objects import Requirements
from okd_payload.engines.pod.readiness import codes
from okd_payload.engines.pod.readiness.looking import Lookout
from okd_payload.engines.pod.readiness.objects import LimitRange, Named, Node, ResourceQuota
from okd_payload.engines.pod.readiness.permissions import judge_rights
from okd_payload.engines.pod.readiness.presence import (
    RULES,
    FoundEngine,
    find_engine,
    judge_engine,
)
from okd_payload.engines.pod.readiness.probe_pod import ProbePod
from okd_payload.engines.pod.readiness.room import judge_limits, judge_nodes, judge_quotas
from okd_payload.engines.pod.readiness.security import (
    enforced_level,
    judge_level,
    judge_user_namespaces,
)
from okd_payload.engines.pod.readiness.trial import try_pod, try_task_run
from okd_payload.engines.pod.rights import RIGHTS
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.errors import ClusterUnavailable, NoSuchObject, NotPermitted
from okd_payload.issues import Issue

_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody wants to build on the cluster."""

    engine: str
    """One of those in ``presence.RULES``."""
    profile: SecurityProfile
    pod: ProbePod
    """A pod as builds make them."""

    @property
    def needed(self) -> Requirements:
        """What one build asks for."""
        return self.pod.spec.containers[0].resources

    @property
    def runs_our_pods(self) -> bool:
        """Whether pods of ours build; OpenShift makes its own, as privileged as they must be."""
        return self.engine != "openshift"


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about a cluster."""

    namespace: str
    kubernetes: str = ""
    """Its version; empty when it does not answer."""
    engines: tuple[FoundEngine, ...] = ()
    architectures: tuple[str, ...] = ()
    """Of the nodes that take pods; empty where we may not see nodes."""
    storage_class: str = ""
    """The default one."""
    pod_security: str = ""
    """The level that the namespace enforces."""
    issues: tuple[Issue, ...] = ()


async def examine_cluster(cluster: Cluster, wanted: Wanted, *, namespace: str) -> Examination:
    """Look at the cluster and the namespace; nothing is made there."""
    try:
        version = await cluster.server_version()
        return await _examine(cluster, wanted, namespace, version)
    except (ClusterUnavailable, NotPermitted) as error:
        issue = codes.CLUSTER_UNREACHABLE.issue(error.message, hint=error.hint)
        return Examination(namespace=namespace, issues=(issue,))


async def _examine(cluster: Cluster, wanted: Wanted, namespace: str, version: str) -> Examination:
    lookout = Lookout(cluster, namespace=namespace)
    engines = [await find_engine(name, lookout) for name in RULES]
    chosen = next(engine for engine in engines if engine.name == wanted.engine)
    issues = judge_engine(chosen)
    missing = await find_missing_rights(cluster, RIGHTS[wanted.engine], namespace=namespace)
    issues += judge_rights(missing, namespace=namespace, engine=wanted.engine)
    level, found = await _look_at_namespace(lookout, wanted)
    issues += found
    architectures, found = await _look_at_nodes(lookout, wanted)
    issues += found
    storage_class, found = await _look_at_storage(lookout)
    issues += found
    unusable = any(issue.code == codes.NAMESPACE_UNUSABLE.code for issue in issues)
    if wanted.runs_our_pods and not unusable:
        issues += await try_pod(cluster, wanted.pod, namespace=namespace)
        if wanted.engine == "tekton" and chosen.usable:
            issues += await try_task_run(cluster, wanted.pod, namespace=namespace)
    return Examination(
        namespace=namespace,
        kubernetes=version,
        engines=tuple(engines),
        architectures=architectures,
        storage_class=storage_class,
        pod_security=level,
        issues=(*_once(issues), *lookout.hidden),
    )


async def _look_at_namespace(lookout: Lookout, wanted: Wanted) -> tuple[str, list[Issue]]:
    """The pod security level, and what is wrong with the namespace and its bounds."""
    quotas = await lookout.objects(
        kinds.RESOURCE_QUOTA, ResourceQuota, matters="how many builds fit into the quota"
    )
    limits = await lookout.objects(
        kinds.LIMIT_RANGE, LimitRange, matters="how large a build may be"
    )
    issues = judge_quotas(quotas or (), wanted.needed) + judge_limits(limits or (), wanted.needed)
    name = lookout.namespace
    try:
        content = await lookout.cluster.get(kinds.NAMESPACE, name)
    except NotPermitted:
        lookout.hide(f"namespace {name} may not be read", "which pod security it enforces")
        return "", issues
    except NoSuchObject:
        return "", [
            *issues,
            codes.NAMESPACE_UNUSABLE.issue(
                f"there is no namespace {name}",
                hint=f"`kubectl create namespace {name}`, or name another with --namespace",
            ),
        ]
    namespace = decode_object(content, Named, kinds.NAMESPACE)
    if namespace.metadata.deletion_timestamp:
        issues.append(
            codes.NAMESPACE_UNUSABLE.issue(
                f"namespace {name} is being deleted",
                hint="wait until it is gone and make it anew, or name another with --namespace",
            )
        )
    if wanted.runs_our_pods:
        issues += judge_level(namespace, wanted.profile)
    return enforced_level(namespace), issues


async def _look_at_nodes(lookout: Lookout, wanted: Wanted) -> tuple[tuple[str, ...], list[Issue]]:
    nodes = await lookout.objects(
        kinds.NODE, Node, matters="which processors there are, and whether a build fits"
    )
    if nodes is None:
        return (), []
    found = {node.status.node_info.architecture for node in nodes if node.takes_pods}
    issues = judge_nodes(nodes, wanted.needed)
    if wanted.runs_our_pods:
        issues += judge_user_namespaces(nodes, wanted.profile)
    return tuple(sorted(found - {""})), issues


async def _look_at_storage(lookout: Lookout) -> tuple[str, list[Issue]]:
    classes = await lookout.objects(
        kinds.STORAGE_CLASS, Named, matters="whether volumes without a class get any"
    )
    if classes is None:
        return "", []
    for storage_class in classes:
        annotations = storage_class.metadata.annotations
        if any(annotations.get(name) == "true" for name in _DEFAULT_CLASS):
            return storage_class.metadata.name, []
    return "", [
        codes.NO_DEFAULT_STORAGE_CLASS.issue(
            "the cluster has no default storage class",
            hint="builds need none; for pipelines with caches, annotate a class with "
            f"{_DEFAULT_CLASS[0]}=true, or name one",
        )
    ]


def _once(issues: list[Issue]) -> list[Issue]:
    """The issues without those that say the same: a small node and a dry run, for instance."""
    return list(dict.fromkeys(issues))
