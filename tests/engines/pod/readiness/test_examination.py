# SPDX-License-Identifier: Apache-2.0
"""What is told of clusters that lack something, all at once and without a trace."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from okd_payload.cluster import ObjectKind, kinds
from okd_payload.engines.pod.readiness.examination import examine_cluster
from okd_payload.engines.pod.rights import TEKTON as RIGHTS
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.errors import ClusterUnavailable, Refused
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster

sys.path.insert(0, str(Path(__file__).parent))

from conftest import TEKTON, node, wish

USER = "system:serviceaccount:builds:me"


async def look(cluster, wanted, namespace="builds"):
    """The issues, and all that was found out."""
    found = await examine_cluster(cluster, wanted, namespace=namespace)
    return [issue.code for issue in found.issues], found


async def test_a_cluster_that_can_build(cluster, simulated, wanted):
    """Nothing is wrong, what there is is told, and nothing was made."""
    before = len(list(simulated.state.store.everything()))
    codes, found = await look(cluster, wanted)
    assert codes == []
    assert found.kubernetes == "v1.36.2"
    assert found.architectures == ("amd64",)
    assert (found.storage_class, found.pod_security) == ("fast", "baseline")
    tekton, shipwright, openshift = found.engines
    assert (tekton.usable, tekton.version) == (True, "v1.15.0")
    assert not shipwright.usable
    assert not openshift.usable
    assert len(list(simulated.state.store.everything())) == before


async def test_a_bare_cluster():
    """A cluster with nothing on it: everything that is missing is told at once."""
    cluster = MemoryCluster("builds", cluster=SimulatedCluster())
    codes, found = await look(cluster, wish())
    assert codes == ["engine-absent", "no-room", "no-default-storage-class"]
    assert "https://tekton.dev" in found.issues[0].hint
    codes, _ = await look(cluster, wish("shipwright"))
    assert codes[0] == "engine-absent"
    codes, _ = await look(cluster, wish("openshift"))
    assert codes[0] == "engine-absent"


async def test_an_old_tekton():
    """A Tekton without the API v1 is told as too old, and not as absent."""
    simulated = SimulatedCluster()
    simulated.serve(ObjectKind("tekton.dev/v1beta1", "TaskRun", "taskruns"))
    simulated.put(kinds.NODE, node())
    cluster = MemoryCluster("builds", cluster=simulated)
    codes, found = await look(cluster, wish())
    assert codes[0] == "engine-too-old"
    assert "0.44" in found.issues[0].hint


@pytest.mark.parametrize(
    ("engine", "kind", "namespace", "name"),
    [
        ("tekton", kinds.TASK_RUN, "tekton-pipelines", "tekton-pipelines-controller"),
        ("shipwright", kinds.SHIPWRIGHT_BUILD, "shipwright-build", "shipwright-build-controller"),
    ],
)
async def test_versions_of_controllers(engine, kind, namespace, name):
    """A version that nobody says is taken from the label of the controller."""
    simulated = SimulatedCluster()
    simulated.serve(kind)
    labelled = {"metadata": {"name": name, "labels": {"app.kubernetes.io/version": "v7"}}}
    simulated.put(kinds.DEPLOYMENT, labelled, namespace=namespace)
    _, found = await look(MemoryCluster("builds", cluster=simulated), wish(engine))
    assert [each.version for each in found.engines if each.name == engine] == ["v7"]


async def test_openshift():
    """On OpenShift its builds are usable, and the version is that of the cluster."""
    simulated = SimulatedCluster()
    for kind in (kinds.BUILD_CONFIG, kinds.OPENSHIFT_BUILD, kinds.IMAGE_STREAM):
        simulated.serve(kind)
    simulated.put(
        kinds.CLUSTER_VERSION,
        {"metadata": {"name": "version"}, "status": {"desired": {"version": "4.19.3"}}},
    )
    simulated.put(kinds.NODE, node())
    codes, found = await look(MemoryCluster("builds", cluster=simulated), wish("openshift"))
    assert codes == ["no-default-storage-class"]
    openshift = next(each for each in found.engines if each.name == "openshift")
    assert (openshift.usable, openshift.version) == (True, "4.19.3")


async def test_rights(simulated, wanted):
    """All rights that are missing are told, by verb, with what they are for."""
    simulated.access.grant(USER, ["get", "list", "watch"], ["pods"], namespace="builds")
    cluster = MemoryCluster("builds", cluster=simulated, user=USER)
    codes, found = await look(cluster, wanted)
    assert codes.count("right-missing") == len(RIGHTS) - 1
    first = next(issue for issue in found.issues if issue.code == "right-missing")
    assert "create, get, list, watch, patch, delete taskruns.tekton.dev" in first.message
    assert "in namespace builds" in first.message
    assert "okd-payload deploy tekton" in first.hint
    assert codes.count("not-looked-at") == 5
    assert set(codes) == {"right-missing", "not-looked-at"}


async def test_with_the_rights_of_the_table(simulated, wanted):
    """Whoever has just the rights of the table misses none."""
    for right in RIGHTS:
        group = f".{right.kind.group}" if right.kind.group else ""
        plural, slash, part = right.resource.partition("/")
        name = f"{plural}{group}{slash}{part}"
        simulated.access.grant(USER, list(right.verbs), [name], namespace="builds")
    codes, _ = await look(MemoryCluster("builds", cluster=simulated, user=USER), wanted)
    assert set(codes) == {"not-looked-at"}


async def test_namespaces(cluster, simulated, wanted):
    """A namespace that is not there, goes away or is too strict is told with the way out."""
    codes, found = await look(cluster, wanted, namespace="none")
    assert codes == ["namespace-unusable"]
    assert "kubectl create namespace none" in found.issues[0].hint
    strict = {"pod-security.kubernetes.io/enforce": "restricted"}
    simulated.add_namespace("strict", strict)
    codes, found = await look(cluster, wanted, namespace="strict")
    assert "pod-security-too-strict" in codes
    assert "enforce=baseline" in found.issues[0].hint
    codes, found = await look(cluster, wish(profile=SecurityProfile.PRIVILEGED))
    assert "pod-security-too-strict" in codes
    assert "builds need privileged" in found.issues[0].message
    codes, _ = await look(cluster, wish("openshift"), namespace="strict")
    assert "pod-security-too-strict" not in codes


async def test_a_namespace_on_its_way_out(cluster, simulated, wanted):
    """What is being deleted cannot be built in."""
    going = {"metadata": {"name": "going", "deletionTimestamp": "2025-01-01T00:00:00Z"}}
    simulated.put(kinds.NAMESPACE, going)
    codes, _ = await look(cluster, wanted, namespace="going")
    assert "namespace-unusable" in codes


async def test_bounds(cluster, simulated, wanted):
    """Quotas and limits that a build does not fit into are told with their numbers."""
    hard = {"limits.memory": "2Gi", "pods": "3", "requests.cpu": "100"}
    quota = {"metadata": {"name": "q"}, "spec": {"hard": hard}, "status": {"hard": hard}}
    limits = {
        "metadata": {"name": "l"},
        "spec": {"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]},
    }
    simulated.put(kinds.RESOURCE_QUOTA, {**quota}, namespace="builds")
    simulated.put(kinds.LIMIT_RANGE, {**limits}, namespace="builds")
    codes, found = await look(cluster, wanted)
    messages = " ".join(issue.message for issue in found.issues)
    assert {"no-room", "little-room"} <= set(codes)
    assert "ResourceQuota q has 2Gi limits.memory in all, one build takes 4Gi" in messages
    assert "room for 3 builds now: pods is 0 of 3" in messages
    assert "LimitRange l has a maximum of 1Gi memory per Container, a build has 4Gi" in messages


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([node(ready="False")], "no-room"),
        ([node(memory="512Mi")], "no-room"),
        ([{**node(), "spec": {"unschedulable": True}}], "no-room"),
        ([node(runtimeHandlers=[{"name": "", "features": {}}])], "no-pod-user-namespaces"),
        ([node(nodeInfo={"kubeletVersion": "v1.30.1"})], "no-pod-user-namespaces"),
    ],
)
async def test_nodes(nodes, expected, cluster, simulated, wanted):
    """Nodes that take no build, or give no user namespaces, are told."""
    simulated.remove(kinds.NODE, "n1")
    for content in nodes:
        simulated.put(kinds.NODE, content)
    codes, _ = await look(cluster, wanted)
    assert codes == [expected]


async def test_user_namespaces_that_nobody_asks_for(cluster, simulated):
    """Whoever asks for capabilities needs no user namespaces."""
    simulated.put(kinds.NODE, node(runtimeHandlers=[{"name": ""}]))
    codes, _ = await look(cluster, wish(profile=SecurityProfile.CAPABILITIES))
    assert codes == []


async def test_architectures(cluster, simulated, wanted):
    """All processors of nodes that take pods are told."""
    simulated.put(kinds.NODE, node("n2", architecture="arm64"))
    simulated.put(kinds.NODE, node("n3", architecture="s390x", ready="Unknown"))
    _, found = await look(cluster, wanted)
    assert found.architectures == ("amd64", "arm64")


async def test_admission(cluster, simulated, wanted):
    """What a policy of the cluster refuses is told in its words, though nobody knew of it."""

    class Policy(MemoryCluster):
        async def create(self, kind, content, **options):
            assert options["dry_run"]
            if kind == kinds.POD:
                raise Refused("no images from there", hint="ask the policy's owner")
            raise ClusterUnavailable('failed calling webhook "w"', hint="wait")

    codes, found = await look(Policy("builds", cluster=simulated), wanted)
    assert codes == ["admission-refuses", "admission-silent"]
    assert found.issues[0].message == "no images from there"
    assert "webhook" in found.issues[1].message


async def test_a_wish_that_is_dropped(simulated, wanted):
    """A server that drops the wish for a user namespace without a word is found out."""

    class Old(MemoryCluster):
        async def create(self, kind, content, **options):
            made = await super().create(kind, content, **options)
            return made.replace(b'"hostUsers":false', b'"hostNetwork":false')

    codes, _ = await look(Old("builds", cluster=simulated), wanted)
    assert codes == ["no-pod-user-namespaces"]


async def test_a_cluster_that_does_not_answer(simulated, wanted):
    """A cluster that is away, or does not know us, is one issue."""

    class Away(MemoryCluster):
        async def server_version(self):
            raise ClusterUnavailable("nobody there", hint="check the network")

    codes, found = await look(Away("builds", cluster=simulated), wanted)
    assert codes == ["cluster-unreachable"]
    assert found.issues[0].hint == "check the network"


def test_all_engines_have_rights():
    """The table of rights and that of engines name the same engines."""
    from okd_payload.engines.pod.readiness.presence import RULES
    from okd_payload.engines.pod.rights import RIGHTS as ALL

    assert set(RULES) == set(ALL)
    assert len(TEKTON) == 4
