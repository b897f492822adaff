# SPDX-License-Identifier: Apache-2.0
"""The cluster itself: controllers, definitions made in it, versions, actions."""

from __future__ import annotations

import asyncio

import pytest

from okd_payload.cluster import Change, ObjectKind
from okd_payload.cluster.kinds import (
    CONFIG_MAP,
    CUSTOM_RESOURCE_DEFINITION,
    POD,
    RESOURCE_QUOTA,
    TASK_RUN,
)
from okd_payload.testing.kubernetes import MemoryCluster, Refusal, SimulatedCluster

THING = ObjectKind("example.com/v1", "Thing", "things")
OLD_THING = ObjectKind("example.com/v1beta1", "Thing", "things")


def _definition(**schema):
    versions = [
        {
            "name": name,
            "served": True,
            "storage": name == "v1",
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": schema or {}}}},
        }
        for name in ("v1beta1", "v1")
    ]
    names = {"kind": "Thing", "plural": "things", "singular": "thing"}
    return {
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": versions,
        },
    }


def _thing(**rest):
    return {"metadata": {"name": "x", "namespace": "default"}, **rest}


async def test_controllers_live_as_long_as_the_cluster_is_used():
    """They react to changes, and are ended with the last way to the cluster."""
    cluster, ended = SimulatedCluster(), asyncio.Event()

    async def name_owner(simulated):
        try:
            async for change, document in simulated.changes(CONFIG_MAP):
                metadata = document["metadata"]
                if change is Change.ADDED and "labels" not in metadata:
                    patch = {"metadata": {"labels": {"seen": "yes"}}}
                    simulated.patch(CONFIG_MAP, metadata["name"], patch, namespace="default")
        finally:
            ended.set()

    cluster.controllers.append(name_owner)
    async with MemoryCluster(cluster=cluster) as memory, cluster:
        watch = memory.watch(CONFIG_MAP)
        cluster.create(CONFIG_MAP, _thing())
        assert [(await anext(watch)).change for _ in range(2)] == [Change.ADDED, Change.MODIFIED]
        await watch.aclose()
    assert ended.is_set()


async def test_what_a_controller_dies_of_is_told():
    """A test does not pass while its controller is broken."""
    cluster = SimulatedCluster()

    async def break_down(_):
        raise RuntimeError("broken")

    cluster.controllers.append(break_down)
    with pytest.raises(RuntimeError, match="broken"):
        async with cluster:
            await asyncio.sleep(0)


def test_a_definition_in_the_cluster_makes_a_kind():
    """Objects are judged by it, and the kind goes with it."""
    cluster = SimulatedCluster()
    spec = {"type": "object", "properties": {"a": {"type": "integer"}}}
    cluster.create(CUSTOM_RESOURCE_DEFINITION, _definition(**spec))
    cluster.create(THING, _thing(spec={"a": 1}))
    with pytest.raises(Refusal, match=r"spec\.a in body must be of type integer"):
        cluster.patch(THING, "x", {"spec": {"a": "b"}}, namespace="default")
    cluster.delete(CUSTOM_RESOURCE_DEFINITION, "things.example.com")
    assert cluster.target(THING) is None


def test_versions_are_converted():
    """Stored in one, given and taken in each."""
    cluster = SimulatedCluster()
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    cluster.create(CUSTOM_RESOURCE_DEFINITION, _definition(**free))

    def convert(document, version):
        old, new = ("a", "b") if version == "v1" else ("b", "a")
        spec = dict(document["spec"])
        spec[new] = spec.pop(old)
        return {**document, "spec": spec}

    cluster.conversions["things.example.com"] = convert
    cluster.create(OLD_THING, _thing(spec={"a": 1}))
    assert cluster.find(THING, "x", namespace="default")["spec"] == {"b": 1}
    after = cluster.patch(OLD_THING, "x", {"spec": {"a": 2}}, namespace="default")
    assert (after["apiVersion"], after["spec"]) == ("example.com/v1beta1", {"a": 2})
    assert cluster.find(THING, "x", namespace="default")["spec"] == {"b": 2}


def test_quotas_count_what_is_there():
    """Their status follows, and what ended does not count."""
    cluster = SimulatedCluster()
    hard = {"pods": "1", "requests.cpu": "1", "count/configmaps": "5"}
    cluster.create(RESOURCE_QUOTA, _thing(spec={"hard": hard}))
    resources = {"requests": {"cpu": "500m"}}
    spec = {"containers": [{"name": "c", "image": "x", "resources": resources}]}
    cluster.create(POD, _thing(spec=spec))

    def used():
        return cluster.find(RESOURCE_QUOTA, "x", namespace="default")["status"]["used"]

    assert used() == {"pods": "1", "requests.cpu": "500m", "count/configmaps": "0"}
    with pytest.raises(Refusal, match=r"exceeded quota: x, requested: pods=1, used: pods=1"):
        cluster.create(
            POD, {**_thing(spec=spec), "metadata": {"name": "y", "namespace": "default"}}
        )
    cluster.set_status(POD, "x", {"phase": "Succeeded"}, namespace="default")
    assert used()["pods"] == "0"


def test_what_a_recording_holds_is_stored_as_it_is():
    """By no rules; the kind is served from then on."""
    cluster = SimulatedCluster()
    cluster.put(TASK_RUN, {"metadata": {"name": "Not A Name"}, "odd": 1}, namespace="default")
    assert cluster.find(TASK_RUN, "Not A Name", namespace="default")["odd"] == 1
    cluster.remove(TASK_RUN, "Not A Name", namespace="default")
    assert cluster.objects(TASK_RUN) == []
