# SPDX-License-Identifier: Apache-2.0
"""Everything that a namespace needs to build a stream, composed from settings, offline.

The order is that in which objects are made: what others stand on first, what starts work last.
Each object says in an annotation why it is there. No object holds a secret: Secrets are named,
and made by those who have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from okd_payload.cluster import ObjectKind, kinds
from okd_payload.engines.manifests import Manifest, Metadata, encode_manifest
from okd_payload.engines.pod.accounts import (
    ACCOUNTS,
    COORDINATOR,
    DEPLOYER_ACCOUNT,
    LISTENER_ACCOUNT,
    PULL_REQUEST_ACCOUNT,
)
from okd_payload.engines.pod.rights import TEKTON, Right
from okd_payload.engines.pod.security import BUILD_CAPABILITIES, ENFORCED_LEVEL, build_rights
from okd_payload.engines.tekton.deploying.access import (
    allow_builds_on_openshift,
    make_account,
    make_cluster_role,
    make_role,
    named,
)
from okd_payload.engines.tekton.deploying.network import limit_network
from okd_payload.engines.tekton.deploying.objects import (
    NAMESPACE_LABEL,
    DesiredState,
    ManagedObject,
    deployment_labels,
)
from okd_payload.engines.tekton.deploying.settings import DeploymentSettings
from okd_payload.engines.tekton.deploying.starts import make_starts
from okd_payload.engines.tekton.kubernetes_objects import Namespace
from okd_payload.engines.tekton.triggers.listener import (
    LISTENER_CLUSTER_RIGHTS,
    LISTENER_RIGHTS,
)
from okd_payload.engines.tekton.triggers.repositories import WatchedRepository
from okd_payload.errors import InputError

_DEPLOYED = (
    kinds.NAMESPACE,
    kinds.SERVICE_ACCOUNT,
    kinds.ROLE,
    kinds.ROLE_BINDING,
    kinds.CLUSTER_ROLE,
    kinds.CLUSTER_ROLE_BINDING,
    kinds.NETWORK_POLICY,
    kinds.CONFIG_MAP,
    kinds.TASK,
    kinds.PIPELINE,
    kinds.TRIGGER_BINDING,
    kinds.TRIGGER_TEMPLATE,
    kinds.EVENT_LISTENER,
    kinds.CRON_JOB,
)
_KINDS = {(kind.api_version, kind.kind): kind for kind in _DEPLOYED}
_DEPLOYER_VERBS = ("create", "get", "list", "patch", "delete")


def compose(
    settings: DeploymentSettings,
    rendered: Sequence[Manifest],
    repositories: Sequence[WatchedRepository] = (),
) -> DesiredState:
    """The objects of a deployment, with the Tasks and Pipelines that were ``rendered``.

    ``repositories`` are those that the listener knows. Raises InputError.
    """
    metadata = Metadata(namespace=settings.namespace, labels=deployment_labels(settings.stream))
    manifests = [
        _make_namespace(settings, metadata),
        *_make_access(settings, metadata),
        *limit_network(metadata),
        *(mark(each, metadata) for each in rendered),
        *make_starts(settings, metadata, repositories),
    ]
    return DesiredState(
        stream=settings.stream,
        namespace=settings.namespace,
        namespaced_only=settings.namespaced_only,
        objects=tuple(
            ManagedObject(
                kind=kind_of(each), name=each.metadata.name, content=encode_manifest(each)
            )
            for each in manifests
        ),
        manifests=tuple(manifests),
    )


def mark(manifest: Manifest, metadata: Metadata) -> Manifest:
    """``manifest`` in the namespace of ``metadata``, with its labels besides its own."""
    own = manifest.metadata
    changed = msgspec.structs.replace(
        own, namespace=metadata.namespace, labels={**own.labels, **metadata.labels}
    )
    return msgspec.structs.replace(manifest, metadata=changed)


def kind_of(manifest: Manifest) -> ObjectKind:
    """The kind of ``manifest``. Raises InputError when it is none that is deployed."""
    kind = _KINDS.get((manifest.api_version, manifest.kind))
    if kind is None:
        raise InputError(
            f"{manifest.identity} of {manifest.api_version} is not deployed",
            hint="only what is rendered for Tekton is",
        )
    return kind


def _make_namespace(settings: DeploymentSettings, metadata: Metadata) -> Namespace:
    level = build_rights(settings.tool.profile).admission_level
    capabilities = ", ".join(capability.name for capability in BUILD_CAPABILITIES)
    why = (
        f"enforce={level}: pods that build images keep {capabilities}, or more with "
        "--pod-security, which no stricter level admits; every other pod here is one that "
        "restricted admits"
    )
    own = named(metadata, settings.namespace, why)
    return Namespace(
        api_version="v1",
        kind="Namespace",
        metadata=Metadata(
            name=settings.namespace,
            labels={**own.labels, ENFORCED_LEVEL: level},
            annotations=own.annotations,
        ),
    )


def _make_access(settings: DeploymentSettings, metadata: Metadata) -> Iterator[Manifest]:
    for account in ACCOUNTS:
        yield make_account(account, metadata)
        if account.name == COORDINATOR:
            yield from make_role(account, TEKTON, metadata)
    listener = settings.listener
    if listener is not None:
        yield make_account(LISTENER_ACCOUNT, metadata)
        yield from make_role(LISTENER_ACCOUNT, LISTENER_RIGHTS, metadata)
        if not settings.namespaced_only:
            yield from _cluster_access(settings, metadata)
        if listener.base_release:
            yield make_account(PULL_REQUEST_ACCOUNT, metadata)
    if settings.follow is not None:
        yield make_account(DEPLOYER_ACCOUNT, metadata)
        yield from make_role(DEPLOYER_ACCOUNT, deployer_rights(settings), metadata)
    if settings.openshift:
        proposals = listener is not None and bool(listener.base_release)
        yield from allow_builds_on_openshift(settings.tool.profile, metadata, proposals=proposals)


def _cluster_access(settings: DeploymentSettings, metadata: Metadata) -> tuple[Manifest, ...]:
    labels = {**metadata.labels, NAMESPACE_LABEL: settings.namespace}
    return make_cluster_role(
        LISTENER_ACCOUNT,
        LISTENER_CLUSTER_RIGHTS,
        Metadata(labels=labels),
        namespace=settings.namespace,
    )


def deployer_rights(settings: DeploymentSettings) -> tuple[Right, ...]:
    """What the job that follows the stream's repository may do.

    It may make what a deployment consists of, and holds every right that it gives to others:
    without it the cluster lets nobody give one. Objects of the whole cluster it may not touch.
    """
    own = tuple(
        Right(kind=kind, verbs=_DEPLOYER_VERBS, reason="make what the stream's repository says")
        for kind in _DEPLOYED
        if kind.namespaced and (settings.listener or kind.group != kinds.EVENT_LISTENER.group)
    )
    namespace = Right(
        kind=kinds.NAMESPACE, verbs=("get", "patch"), reason="keep the labels of the namespace"
    )
    given = TEKTON if settings.listener is None else (*TEKTON, *LISTENER_RIGHTS)
    held = tuple(
        msgspec.structs.replace(right, reason="give it to another account") for right in given
    )
    return (namespace, *own, *held)
