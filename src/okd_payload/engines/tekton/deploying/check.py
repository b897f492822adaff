# SPDX-License-Identifier: Apache-2.0
"""What a cluster lacks for a deployment, found before anything is tried.

All of it at once: kinds that are not served, rights that are missing, a namespace in which pods
that build are not admitted. What is found here need not be found object by object later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from okd_payload.cluster import Cluster, ObjectKind, kinds
from okd_payload.engines.pod.security import ENFORCED_LEVEL, admits
from okd_payload.engines.tekton.deploying import codes
from okd_payload.engines.tekton.deploying.objects import DesiredState, is_ours, read_metadata
from okd_payload.engines.tekton.deploying.survey import PRUNED_KINDS, find
from okd_payload.errors import NotPermitted
from okd_payload.issues import Issue
from okd_payload.release.concurrency import map_concurrently

_AT_ONCE = 8
_TEKTON, _TRIGGERS = kinds.TASK.group, kinds.EVENT_LISTENER.group
_OLDER = {"v1": "v1beta1", "v1beta1": "v1alpha1"}
_INSTALL_TEKTON = (
    "install Tekton Pipelines 0.44 or newer (https://tekton.dev/docs/installation/pipelines/), "
    "or the operator OpenShift Pipelines"
)
_INSTALL_TRIGGERS = (
    "install Tekton Triggers 0.20 or newer (https://tekton.dev/docs/installation/triggers/), or "
    "leave --listen away"
)


class _Question(msgspec.Struct, frozen=True):
    kind: ObjectKind
    verb: str


async def check_cluster(
    cluster: Cluster, desired: DesiredState, *, admission_level: str
) -> list[Issue]:
    """Everything that the cluster lacks for ``desired``; builds need ``admission_level``.

    Raises ClusterUnavailable.
    """
    wanted = list(dict.fromkeys(each.kind for each in desired.objects))
    issues = await _check_kinds(cluster, wanted)
    namespace = await _read_namespace(cluster, desired)
    if namespace.is_foreign:
        wanted.remove(kinds.NAMESPACE)
        issues += _check_admission(desired.namespace, namespace.level, admission_level)
    return [*issues, *await _check_rights(cluster, desired.namespace, wanted)]


async def _check_kinds(cluster: Cluster, wanted: Sequence[ObjectKind]) -> list[Issue]:
    served = await map_concurrently(cluster.serves, wanted, at_once=_AT_ONCE)
    missing = [kind for kind, is_served in zip(wanted, served, strict=True) if not is_served]
    issues = []
    for group, code, product, hint in (
        (_TEKTON, codes.NO_TEKTON, "Tekton Pipelines", _INSTALL_TEKTON),
        (_TRIGGERS, codes.NO_TRIGGERS, "Tekton Triggers", _INSTALL_TRIGGERS),
    ):
        of_group = [kind for kind in missing if kind.group == group]
        if of_group:
            what = await _describe_absence(cluster, of_group[0], product)
            issues.append(code.issue(what, hint=hint))
    issues += [
        codes.KIND_MISSING.issue(
            f"the cluster has no {kind.kind} of {kind.api_version}",
            hint=f"it runs Kubernetes {await cluster.server_version()}; 1.27 or newer is needed",
        )
        for kind in missing
        if kind.group not in (_TEKTON, _TRIGGERS)
    ]
    return issues


async def _describe_absence(cluster: Cluster, kind: ObjectKind, product: str) -> str:
    """Whether ``product`` is missing altogether, or only too old."""
    older = _OLDER.get(kind.version, "")
    before = msgspec.structs.replace(kind, api_version=f"{kind.group}/{older}")
    if older and await cluster.serves(before):
        return f"{product} of this cluster is too old: it serves {older} and not {kind.version}"
    return f"the cluster has no {product}"


class _NamespaceFound(msgspec.Struct, frozen=True):
    is_foreign: bool
    """Whether somebody else made it, so that it is used as it is."""
    level: str = ""


async def _read_namespace(cluster: Cluster, desired: DesiredState) -> _NamespaceFound:
    try:
        content = await find(cluster, kinds.NAMESPACE, desired.namespace)
    except NotPermitted:  # who may not look at namespaces may still work in one
        return _NamespaceFound(is_foreign=True)
    if content is None:
        return _NamespaceFound(is_foreign=False)
    metadata = read_metadata(content)
    return _NamespaceFound(
        is_foreign=not is_ours(metadata, desired.marks),
        level=metadata.labels.get(ENFORCED_LEVEL, ""),
    )


def _check_admission(namespace: str, enforced: str, needed: str) -> Iterable[Issue]:
    if admits(enforced, needed):
        return
    yield codes.POD_SECURITY.issue(
        f"namespace {namespace} admits pods of the level {enforced}, and builds need {needed}",
        hint=f"kubectl label --overwrite namespace {namespace} {ENFORCED_LEVEL}={needed}",
    )


async def _check_rights(
    cluster: Cluster, namespace: str, wanted: Iterable[ObjectKind]
) -> list[Issue]:
    questions = [
        _Question(kind, verb)
        for kind in wanted
        for verb in (
            "get",
            "create",
            "patch",
            *(("list", "delete") if kind in PRUNED_KINDS else ()),
        )
    ]

    async def ask(question: _Question) -> bool:
        place = namespace if question.kind.namespaced else ""
        return await cluster.may(question.verb, question.kind, namespace=place)

    answers = await map_concurrently(ask, questions, at_once=_AT_ONCE)
    missing: dict[ObjectKind, list[str]] = {}
    for question, may in zip(questions, answers, strict=True):
        if not may:
            missing.setdefault(question.kind, []).append(question.verb)
    return [_right_missing(kind, verbs, namespace) for kind, verbs in missing.items()]


def _right_missing(kind: ObjectKind, verbs: Sequence[str], namespace: str) -> Issue:
    place = f" in namespace {namespace}" if kind.namespaced else ""
    hint = "let somebody deploy who administers the namespace, or ask for a role with this right"
    if kind == kinds.NAMESPACE:
        hint = (
            f"let somebody make it: kubectl create namespace {namespace}, or on OpenShift "
            f"oc new-project {namespace}; a namespace that is there is used as it is"
        )
    return codes.RIGHT_MISSING.issue(
        f"the right to {', '.join(verbs)} {kind.resource}{place} is missing", hint=hint
    )
