# SPDX-License-Identifier: Apache-2.0
"""Who somebody is, and what they may do."""

from __future__ import annotations

import json

import pytest

from okd_payload.cluster.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CONFIG_MAP,
    POD,
    ROLE,
    ROLE_BINDING,
)
from okd_payload.errors import NoSuchObject, Refused
from okd_payload.testing.kubernetes import MemoryCluster, Refusal, SimulatedCluster
from okd_payload.testing.kubernetes.access import Ask

_GROUP = "rbac.authorization.k8s.io"
_ACCOUNT = "system:serviceaccount:default:builder"


@pytest.fixture
def cluster():
    """A cluster with a role for logs and config maps."""
    simulated = SimulatedCluster()
    rules = [
        {"apiGroups": [""], "resources": ["pods/log", "*/status"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"], "resourceNames": ["mine"]},
    ]
    simulated.create(CLUSTER_ROLE, {"metadata": {"name": "logs"}, "rules": rules})
    return simulated


def _bind(cluster, subject, *, everywhere=False):
    reference = {"apiGroup": _GROUP, "kind": "ClusterRole", "name": "logs"}
    metadata = {"name": "b"} if everywhere else {"name": "b", "namespace": "default"}
    kind = CLUSTER_ROLE_BINDING if everywhere else ROLE_BINDING
    cluster.create(kind, {"metadata": metadata, "roleRef": reference, "subjects": [subject]})


def _may(cluster, verb, resource, *, user=_ACCOUNT, namespace="default", name=""):
    asked = Ask(user=user, verb=verb, group="", resource=resource, namespace=namespace, name=name)
    return cluster.access.why(asked)


def test_roles_in_the_cluster_give_rights(cluster):
    """With subresources, names and namespaces as they say."""
    _bind(cluster, {"kind": "ServiceAccount", "name": "builder", "namespace": "default"})
    reason = _may(cluster, "get", "pods/log")
    assert reason == (
        'RBAC: allowed by RoleBinding "b/default" of ClusterRole "logs" to ServiceAccount '
        '"builder/default"'
    )
    assert _may(cluster, "get", "pods/status")
    assert not _may(cluster, "get", "pods")
    assert not _may(cluster, "get", "pods/log", namespace="kube-system")
    assert _may(cluster, "delete", "configmaps", name="mine")
    assert not _may(cluster, "delete", "configmaps", name="yours")
    assert not _may(cluster, "get", "pods/log", user="somebody")


@pytest.mark.parametrize(
    "group",
    ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
)
def test_groups_give_rights_everywhere(cluster, group):
    """A ClusterRoleBinding holds in every namespace and in none."""
    _bind(cluster, {"kind": "Group", "name": group}, everywhere=True)
    assert _may(cluster, "get", "pods/log", namespace="kube-system")
    assert not _may(cluster, "get", "pods/log", user="system:anonymous")


def test_grants_are_rights_without_roles(cluster):
    """They can be withdrawn, and hold where they say."""
    cluster.access.grant("somebody", ["get"], ["pods/log"], namespace="default")
    assert _may(cluster, "get", "pods/log", user="somebody")
    assert not _may(cluster, "get", "pods/log", user="somebody", namespace="kube-public")
    cluster.access.withdraw("somebody")
    assert not _may(cluster, "get", "pods/log", user="somebody")


def test_what_is_missing_is_named(cluster):
    """Verb, resource, group and place stand in the refusal."""
    target = cluster.target(POD, namespace="default", name="p", subresource="log")
    with pytest.raises(Refusal) as refused:
        cluster.access.check(_ACCOUNT, "get", target)
    assert refused.value.message == (
        f'pods "p" is forbidden: User "{_ACCOUNT}" cannot get resource "pods/log" in API group "" '
        'in the namespace "default"'
    )
    with pytest.raises(Refusal, match=r"cannot list resource .* at the cluster scope"):
        cluster.access.check(_ACCOUNT, "list", cluster.target(CONFIG_MAP))


def test_tokens_name_users(cluster):
    """No token is nobody in particular; an unknown or revoked one is refused."""
    token = cluster.access.token_for("somebody")
    assert cluster.access.user_of(f"Bearer {token}") == "somebody"
    assert cluster.access.user_of("") == "system:anonymous"
    cluster.access.revoke(token)
    with pytest.raises(Refusal, match="Unauthorized"):
        cluster.access.user_of(f"Bearer {token}")


def _role(**more):
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}
    return {"metadata": {"name": "r", "namespace": "default"}, "rules": [{**rule, **more}]}


async def test_nobody_gives_rights_that_he_does_not_have(cluster):
    """Neither by a role nor by binding one; whoever may escalate and bind does it anyway."""
    memory = MemoryCluster(cluster=cluster, user="somebody")
    grant = cluster.access.grant
    grant("somebody", ["create"], [f"roles.{_GROUP}", f"rolebindings.{_GROUP}"])
    grant("somebody", ["get"], ["configmaps"], namespace="default")
    with pytest.raises(Refused) as refused:
        await memory.create(ROLE, json.dumps(_role()).encode())
    assert str(refused.value).endswith(
        'user "somebody" (groups=["system:authenticated"]) is attempting to grant RBAC '
        'permissions not currently held:; {APIGroups:[""], Resources:["configmaps"], '
        'Verbs:["list"]}'
    )
    await memory.create(ROLE, json.dumps(_role(verbs=["get"])).encode())
    reference = {"apiGroup": _GROUP, "kind": "ClusterRole", "name": "logs"}
    binding = {"metadata": {"name": "b"}, "roleRef": reference}
    with pytest.raises(Refused, match="not currently held"):
        await memory.create(ROLE_BINDING, json.dumps(binding).encode())
    grant("somebody", ["bind"], [f"clusterroles.{_GROUP}"])
    await memory.create(ROLE_BINDING, json.dumps(binding).encode())
    absent = {"metadata": {"name": "c"}, "roleRef": {**reference, "name": "nosuch", "kind": "Role"}}
    with pytest.raises(NoSuchObject):
        await memory.create(ROLE_BINDING, json.dumps(absent).encode())
