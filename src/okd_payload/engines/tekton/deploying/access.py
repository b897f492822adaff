# SPDX-License-Identifier: Apache-2.0
"""Who may do what in the namespace: accounts, roles, and what OpenShift wants besides.

Every rule comes from a table with reasons (``engines.pod.rights``), and the reasons travel with
the role as an annotation, so that whoever reviews it on the cluster need not look for them. The
accounts that run code of others have no role at all.
"""

from __future__ import annotations

from collections.abc import Iterable

from okd_payload.engines.manifests import Manifest, Metadata
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.accounts import BUILDER, PULL_REQUEST, Account
from okd_payload.engines.pod.rights import Right
from okd_payload.engines.pod.security import BUILD_CAPABILITIES, SecurityProfile
from okd_payload.engines.tekton.kubernetes_objects import (
    PolicyRule,
    Role,
    RoleBinding,
    RoleReference,
    ServiceAccount,
    Subject,
)

_GROUP = "rbac.authorization.k8s.io"
_VERSION = f"{_GROUP}/v1"
REASON = labels.PREFIX + "reason"
"""The annotation that says why an object is there, or what each of its rights is for."""
CONSTRAINTS = {
    SecurityProfile.USER_NAMESPACE: "nested-container",
    SecurityProfile.CAPABILITIES: "privileged",
    SecurityProfile.PRIVILEGED: "privileged",
}
"""The security context constraints of OpenShift that admit a build pod. Those for containers in
user namespaces came with OpenShift 4.20; nothing between them and ``privileged`` admits the two
capabilities of a build."""


def make_account(account: Account, metadata: Metadata) -> ServiceAccount:
    """The service account; its pods get a token only if they speak with the cluster."""
    return ServiceAccount(
        api_version="v1",
        kind="ServiceAccount",
        metadata=named(metadata, account.name, account.purpose),
        automount_service_account_token=account.uses_api,
    )


def make_role(
    account: Account, rights: Iterable[Right], metadata: Metadata
) -> tuple[Manifest, ...]:
    """A role with ``rights``, and the binding that gives it to ``account``."""
    kept = tuple(rights)
    role = Role(
        api_version=_VERSION,
        kind="Role",
        metadata=named(metadata, account.name, _reasons(kept)),
        rules=rules_of(kept),
    )
    return role, _bind(account, metadata, "Role", account.name)


def make_cluster_role(
    account: Account, rights: Iterable[Right], metadata: Metadata, *, namespace: str
) -> tuple[Manifest, ...]:
    """The same for what belongs to the whole cluster; the name tells namespaces apart."""
    kept = tuple(rights)
    name = f"{account.name}-{namespace}"
    role = Role(
        api_version=_VERSION,
        kind="ClusterRole",
        metadata=named(metadata, name, _reasons(kept)),
        rules=rules_of(kept),
    )
    binding = RoleBinding(
        api_version=_VERSION,
        kind="ClusterRoleBinding",
        metadata=named(metadata, name, account.purpose),
        role_ref=RoleReference(api_group=_GROUP, kind="ClusterRole", name=name),
        subjects=(Subject(name=account.name, namespace=namespace),),
    )
    return role, binding


def allow_builds_on_openshift(
    profile: SecurityProfile, metadata: Metadata, *, proposals: bool
) -> tuple[Manifest, ...]:
    """What lets build pods in on OpenShift, which asks for more than pod security labels.

    The constraints are bound to the accounts that build and to no other, in this namespace only.
    """
    constraints = CONSTRAINTS[profile]
    capabilities = ", ".join(capability.name for capability in BUILD_CAPABILITIES)
    why = f"builds keep the capabilities {capabilities}, which {constraints} admits"
    return tuple(
        RoleBinding(
            api_version=_VERSION,
            kind="RoleBinding",
            # Which role a binding gives can never be changed, so other constraints are another.
            metadata=named(metadata, f"{name}-{constraints}", why),
            role_ref=RoleReference(
                api_group=_GROUP,
                kind="ClusterRole",
                name=f"system:openshift:scc:{constraints}",
            ),
            subjects=(Subject(name=name, namespace=metadata.namespace),),
        )
        for name in (BUILDER, *((PULL_REQUEST,) if proposals else ()))
    )


def rules_of(rights: Iterable[Right]) -> tuple[PolicyRule, ...]:
    """``rights`` as rules: one for each, so that a reason belongs to each line."""
    return tuple(
        PolicyRule(api_groups=(right.kind.group,), resources=(right.resource,), verbs=right.verbs)
        for right in rights
    )


def named(metadata: Metadata, name: str, reason: str) -> Metadata:
    """``metadata`` of an object called ``name``, which is there for ``reason``."""
    return Metadata(
        name=name,
        namespace=metadata.namespace,
        labels=metadata.labels,
        annotations={**metadata.annotations, REASON: reason},
    )


def _bind(account: Account, metadata: Metadata, kind: str, role: str) -> RoleBinding:
    return RoleBinding(
        api_version=_VERSION,
        kind="RoleBinding",
        metadata=named(metadata, account.name, account.purpose),
        role_ref=RoleReference(api_group=_GROUP, kind=kind, name=role),
        subjects=(Subject(name=account.name, namespace=metadata.namespace),),
    )


def _reasons(rights: Iterable[Right]) -> str:
    lines = (f"{', '.join(right.verbs)} {right.resource}: {right.reason}" for right in rights)
    return "\n".join(lines)
