# SPDX-License-Identifier: Apache-2.0
"""What objects need of one another before a cluster can run them: namespaces and accounts.

Much of a cluster is made by operators at run time, so something that is missing here may well be
there later. Only what cannot be made up for is more than a notice.
"""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.issues import Issue
from okd_payload.release.lint import codes
from okd_payload.release.lint.fields import list_at, map_at, maps_at, text_at
from okd_payload.release.lint.subject import CheckedObject, Subject

_WORKLOADS = frozenset(
    {
        ("", "Pod"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
    }
)
_NAMESPACED = _WORKLOADS | {
    ("", "ConfigMap"),
    ("", "PersistentVolumeClaim"),
    ("", "Secret"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("route.openshift.io", "Route"),
}
"""Kinds that are known to live in a namespace; those of custom resources the payload tells."""
_ALWAYS_THERE = frozenset(
    {
        "default",
        "kube-node-lease",
        "kube-public",
        "kube-system",
        "openshift",
        "openshift-cluster-version",
        "openshift-config",
        "openshift-config-managed",
        "openshift-infra",
        "openshift-node",
    }
)
"""Namespaces that every cluster has before it applies the first file of a payload."""
_POD_PATHS = (
    ("spec",),
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
)


def check_omitted_namespaces(subject: Subject) -> Iterator[Issue]:
    """Objects that cannot be made, because they belong in a namespace and name none."""
    custom = frozenset(_namespaced_customs(subject))
    for item in subject.objects:
        kind = (item.key.group, item.key.kind)
        if kind in _NAMESPACED | custom and not item.key.namespace and item.is_applied:
            yield item.issue(
                codes.NO_NAMESPACE,
                "belongs in a namespace and names none, so the cluster cannot make it",
                hint="add metadata.namespace",
            )


def check_namespaces(subject: Subject) -> Iterator[Issue]:
    """Namespaces that nothing in the payload makes, once each."""
    made = {item.key.name for item in subject.of_kind("Namespace")} | _ALWAYS_THERE
    first: dict[str, CheckedObject] = {}
    for item in subject.objects:
        if item.key.namespace and item.key.namespace not in made and item.is_applied:
            first.setdefault(item.key.namespace, item)
    for namespace, item in first.items():
        yield item.issue(
            codes.MISSING_NAMESPACE,
            f"is in the namespace {namespace}, which nothing in the payload makes",
            hint="ship the Namespace in a file that sorts before this one, unless an operator"
            " makes it in time",
        )


def check_service_accounts(subject: Subject) -> Iterator[Issue]:
    """Workloads whose pods cannot be made, because their account is not there."""
    made = {(item.key.namespace, item.key.name) for item in subject.of_kind("ServiceAccount")}
    for item in subject.objects:
        if (item.key.group, item.key.kind) not in _WORKLOADS or not item.is_applied:
            continue
        account = _account_of(item)
        if account not in {"", "default"} and (item.key.namespace, account) not in made:
            yield item.issue(
                codes.MISSING_SERVICE_ACCOUNT,
                f"runs as the service account {account}, which nothing in the payload makes",
                hint="no pod starts without its account: ship it beside the workload",
            )


def check_cluster_operators(subject: Subject) -> Iterator[Issue]:
    """Components that run something and report nothing, once each."""
    reporting = {
        item.component for item in subject.of_kind("ClusterOperator", "config.openshift.io")
    }
    first: dict[str, CheckedObject] = {}
    for item in subject.objects:
        workload = (item.key.group, item.key.kind) in _WORKLOADS
        if workload and item.component not in {*reporting, ""} and item.is_applied:
            first.setdefault(item.component, item)
    for component, item in first.items():
        yield item.issue(
            codes.NO_CLUSTER_OPERATOR,
            f"is run by {component}, which has no ClusterOperator among its manifests",
            hint="updates do not wait for it, and nobody sees whether it works",
        )


def check_operator_versions(subject: Subject) -> Iterator[Issue]:
    """ClusterOperators that the cluster cannot wait for, or would wait for in vain."""
    version = subject.metadata.version.partition("+")[0] if subject.metadata else ""
    for item in subject.of_kind("ClusterOperator", "config.openshift.io"):
        versions = {
            text_at(entry, "name"): text_at(entry, "version")
            for entry in maps_at(item.value, "status", "versions")
        }
        if not versions:
            if item.is_applied:
                yield item.issue(
                    codes.NO_OPERATOR_VERSIONS,
                    "does not declare expected versions, and the cluster asks for them",
                    hint="add status.versions with {name: operator, version: 0.0.1-snapshot}",
                )
        elif version and versions.get("operator") != version:
            told = versions.get("operator")
            yield item.issue(
                codes.OPERATOR_VERSION_DIFFERS,
                f"waits for version {told} of the operator, and the release is {version}"
                if told
                else "has no version called `operator`, which is the one that people look at",
                hint="write 0.0.1-snapshot, which becomes the version of the release",
            )


def _namespaced_customs(subject: Subject) -> Iterator[tuple[str, str]]:
    for item in subject.of_kind("CustomResourceDefinition", "apiextensions.k8s.io"):
        if text_at(item.value, "spec", "scope") == "Namespaced":
            yield text_at(item.value, "spec", "group"), text_at(item.value, "spec", "names", "kind")


def _account_of(item: CheckedObject) -> str:
    pods = (map_at(item.value, *path) for path in _POD_PATHS)
    pod = next((pod for pod in pods if list_at(pod, "containers")), {})
    return text_at(pod, "serviceAccountName") or text_at(pod, "serviceAccount")
