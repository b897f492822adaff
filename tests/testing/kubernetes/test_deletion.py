# SPDX-License-Identifier: Apache-2.0
"""Deleting: finalizers, owners, grace periods, namespaces."""

from __future__ import annotations

import pytest

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import CONFIG_MAP, NAMESPACE, POD
from okd_payload.testing.kubernetes import Refusal, SimulatedCluster, deletion
from okd_payload.testing.kubernetes.requests import DeleteOptions, ListOptions, Propagation

THING = ObjectKind("example.com/v1", "Thing", "things")


@pytest.fixture
def cluster():
    """A cluster with a kind that takes everything."""
    simulated = SimulatedCluster()
    simulated.serve(THING)
    return simulated


def _thing(cluster, name, **metadata):
    metadata = {"name": name, "namespace": "default", **metadata}
    return cluster.create(THING, {"metadata": metadata})


def _owner(thing, **more):
    metadata = thing["metadata"]
    reference = {"apiVersion": "example.com/v1", "kind": "Thing", "name": metadata["name"]}
    return [{**reference, "uid": metadata["uid"], **more}]


def _pod(cluster, name="p", **spec):
    container = {"name": "c", "image": "quay.test/x"}
    metadata = {"name": name, "namespace": "default"}
    return cluster.create(POD, {"metadata": metadata, "spec": {"containers": [container], **spec}})


def _names(cluster):
    return [each["metadata"]["name"] for each in cluster.objects(THING)]


def test_finalizers_hold_an_object(cluster):
    """It is marked, can still be changed, and goes with its last finalizer."""
    _thing(cluster, "x", finalizers=["example.com/a", "example.com/b"])
    marked = cluster.delete(THING, "x", namespace="default")
    assert marked["metadata"]["deletionTimestamp"]
    again = cluster.delete(THING, "x", namespace="default")
    assert again["metadata"]["resourceVersion"] == marked["metadata"]["resourceVersion"]
    change = {"metadata": {"finalizers": ["example.com/b"]}}
    cluster.patch(THING, "x", change, namespace="default")
    assert _names(cluster) == ["x"]
    cluster.patch(THING, "x", {"metadata": {"finalizers": None}}, namespace="default")
    assert _names(cluster) == []


def test_what_an_object_owns_goes_with_it(cluster):
    """Through all generations; what has another owner stays, without the reference."""
    top, other = _thing(cluster, "top"), _thing(cluster, "other")
    middle = _thing(cluster, "middle", ownerReferences=_owner(top))
    _thing(cluster, "low", ownerReferences=_owner(middle))
    _thing(cluster, "shared", ownerReferences=[*_owner(top), *_owner(other)])
    cluster.delete(THING, "top", namespace="default")
    assert _names(cluster) == ["other", "shared"]
    shared = cluster.find(THING, "shared", namespace="default")
    assert [each["name"] for each in shared["metadata"]["ownerReferences"]] == ["other"]


def test_orphans_stay(cluster):
    """With the policy Orphan what was owned lives on alone."""
    top = _thing(cluster, "top")
    _thing(cluster, "low", ownerReferences=_owner(top))
    cluster.delete(THING, "top", namespace="default", propagation=Propagation.ORPHAN)
    assert _names(cluster) == ["low"]
    low = cluster.find(THING, "low", namespace="default")
    assert "ownerReferences" not in low["metadata"]


def test_in_the_foreground_the_owner_goes_last(cluster):
    """It waits for what blocks it, and goes with it."""
    top = _thing(cluster, "top")
    owners = _owner(top, blockOwnerDeletion=True)
    _thing(cluster, "low", ownerReferences=owners, finalizers=["example.com/a"])
    cluster.delete(THING, "top", namespace="default", propagation=Propagation.FOREGROUND)
    held = cluster.find(THING, "top", namespace="default")
    assert held["metadata"]["finalizers"] == ["foregroundDeletion"]
    cluster.patch(THING, "low", {"metadata": {"finalizers": None}}, namespace="default")
    assert _names(cluster) == []


def test_what_never_had_an_owner_that_lives_goes_at_once(cluster):
    """An owner reference with another uid is garbage, as for the garbage collector."""
    top = _thing(cluster, "top")
    _thing(cluster, "low", ownerReferences=_owner(top, uid="somebody-else"))
    assert _names(cluster) == ["top"]


def test_a_running_pod_is_held_by_its_grace_period(cluster):
    """Whoever plays the kubelet lets it go with a grace period of 0."""
    _pod(cluster, nodeName="node-1")
    marked = cluster.delete(POD, "p", namespace="default")
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    marked = cluster.delete(POD, "p", namespace="default", grace_seconds=5)
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 5
    cluster.delete(POD, "p", namespace="default", grace_seconds=0)
    assert cluster.find(POD, "p", namespace="default") is None


def test_a_pod_that_ended_or_runs_nowhere_goes_at_once(cluster):
    """There is nobody to wait for."""
    _pod(cluster)
    cluster.delete(POD, "p", namespace="default")
    _pod(cluster, nodeName="node-1")
    cluster.set_status(POD, "p", {"phase": "Succeeded"}, namespace="default")
    cluster.delete(POD, "p", namespace="default")
    assert cluster.objects(POD) == []


def test_a_namespace_takes_everything_along(cluster):
    """It is terminating while something is held, and takes nothing new."""
    cluster.add_namespace("going")
    metadata = {"name": "x", "namespace": "going", "finalizers": ["example.com/a"]}
    cluster.create(THING, {"metadata": metadata})
    cluster.create(CONFIG_MAP, {"metadata": {"name": "c", "namespace": "going"}})
    going = cluster.delete(NAMESPACE, "going")
    assert going["metadata"]["deletionTimestamp"]
    assert cluster.find(NAMESPACE, "going")["status"]["phase"] == "Terminating"
    assert cluster.objects(CONFIG_MAP, namespace="going") == []
    with pytest.raises(Refusal, match="because it is being terminated"):
        cluster.create(CONFIG_MAP, {"metadata": {"name": "d", "namespace": "going"}})
    cluster.patch(THING, "x", {"metadata": {"finalizers": None}}, namespace="going")
    assert cluster.find(NAMESPACE, "going") is None


def test_collections_are_deleted_by_selector(cluster):
    """Only what is chosen goes."""
    _thing(cluster, "a", labels={"l": "1"})
    _thing(cluster, "b", labels={"l": "2"})
    target = cluster.target(THING, namespace="default")
    found = deletion.delete_collection(
        cluster.state, target, ListOptions(labels="l=1"), DeleteOptions()
    )
    assert [each["metadata"]["name"] for each in found["items"]] == ["a"]
    assert _names(cluster) == ["b"]
