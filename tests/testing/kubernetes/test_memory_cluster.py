# SPDX-License-Identifier: Apache-2.0
"""The protocol over the simulated cluster, without HTTP."""

from __future__ import annotations

import asyncio
import json

import pytest

from okd_payload import errors
from okd_payload.cluster import Change, ObjectKind
from okd_payload.cluster.kinds import CONFIG_MAP, POD, RESOURCE_QUOTA, TASK_RUN
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.yardstick import attempt_below

THING = ObjectKind("example.com/v1", "Thing", "things")


@pytest.fixture
def cluster():
    """A cluster in whose namespace ``okd`` things may be made."""
    memory = MemoryCluster("okd")
    memory.simulated.serve(THING)
    return memory


def _thing(name="x", **rest):
    return json.dumps({"metadata": {"name": name}, **rest}).encode()


async def _make_pod(cluster, state):
    container = {"name": "c", "image": "quay.test/x"}
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    await cluster.create(POD, json.dumps(pod).encode())
    _set_state(cluster, state)


def _set_state(cluster, state):
    status = {"containerStatuses": [{"name": "c", "state": state}]}
    cluster.simulated.set_status(POD, "p", status, namespace="okd")


async def test_objects_are_made_read_changed_and_removed(cluster):
    """The whole life of one, in the namespace that is meant where none is named."""
    made = json.loads(await cluster.create(THING, _thing(spec={"a": 1})))
    assert made["metadata"]["namespace"] == "okd"
    assert json.loads(await cluster.get(THING, "x")) == made
    changed = json.loads(await cluster.patch(THING, "x", b'{"spec": {"b": 2}}'))
    assert changed["spec"] == {"a": 1, "b": 2}
    listed = await cluster.list(THING)
    assert [json.loads(each) for each in listed.items] == [changed]
    assert await cluster.delete(THING, "x", wait=True)
    assert not await cluster.delete(THING, "x")


async def test_refusals_are_errors_of_the_protocol(cluster):
    """Each refusal by what it means to whoever asks."""
    await cluster.create(THING, _thing())
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"configmaps": "0"}}}
    await cluster.create(RESOURCE_QUOTA, json.dumps(quota).encode())
    with pytest.raises(errors.AlreadyThere, match=r"Thing x in namespace okd .* is there already"):
        await cluster.create(THING, _thing())
    with pytest.raises(errors.NoSuchObject, match=r"Thing y in namespace okd .* is not there"):
        await cluster.get(THING, "y")
    with pytest.raises(errors.Refused, match="a lowercase RFC 1123 subdomain"):
        await cluster.create(THING, _thing("Not_A_Name"))
    with pytest.raises(errors.QuotaExceeded, match="exceeded quota: q"):
        await cluster.create(CONFIG_MAP, _thing())
    with pytest.raises(errors.Refused, match='unknown field "nosuch"'):
        await cluster.create(CONFIG_MAP, _thing(nosuch=1))
    with pytest.raises(errors.NoSuchKind, match="no objects of kind TaskRun"):
        await cluster.list(TASK_RUN)
    assert [await cluster.serves(kind) for kind in (THING, TASK_RUN)] == [True, False]


async def test_others_fields_are_a_conflict():
    """Apply does not take what somebody else owns."""
    simulated = SimulatedCluster()
    cluster = MemoryCluster("okd", cluster=simulated)
    await cluster.apply(CONFIG_MAP, _config_map("1"))
    simulated.patch(CONFIG_MAP, "x", {"data": {"a": "9"}}, namespace="okd")
    with pytest.raises(errors.Conflict, match=r"looks after \.data\.a"):
        await cluster.apply(CONFIG_MAP, _config_map("2"))


def _config_map(value):
    document = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": value}}
    return json.dumps({**document, "metadata": {"name": "x"}}).encode()


async def test_rights_are_those_of_the_user(cluster):
    """What nobody granted is not permitted, and may be asked for before."""
    limited = MemoryCluster("okd", cluster=cluster.simulated, user="somebody")
    cluster.simulated.access.grant("somebody", ["list"], ["things.example.com"], namespace="okd")
    assert (await limited.list(THING)).items == ()
    with pytest.raises(
        errors.NotPermitted, match=r"lacks the right to get things\.example\.com in"
    ):
        await limited.get(THING, "x")
    assert await limited.may("list", THING)
    assert not await limited.may("list", THING, namespace="default")
    assert not await limited.may("get", POD, subresource="log")


async def test_a_watch_tells_what_is_there_and_what_happens(cluster):
    """Leaving the selection is an end, and entering it a beginning."""
    await cluster.create(THING, _thing("there"))
    watch = cluster.watch(THING, labels="!hidden")
    told = [await anext(watch)]
    await cluster.patch(THING, "there", b'{"metadata": {"labels": {"hidden": ""}}}')
    await cluster.patch(THING, "there", b'{"metadata": {"labels": {"hidden": null}}}')
    await cluster.patch(THING, "there", b'{"spec": {"a": 1}}')
    await cluster.delete(THING, "there")
    told += [await anext(watch) for _ in range(4)]
    assert [event.change.value for event in told] == [
        "ADDED",
        "DELETED",
        "ADDED",
        "MODIFIED",
        "DELETED",
    ]
    await watch.aclose()


async def test_a_watch_outlives_forgotten_history(cluster):
    """After a 410 it lists, and tells what changed and what is gone."""
    for name in ("stays", "goes", "changes"):
        await cluster.create(THING, _thing(name))
    watch = cluster.watch(THING)
    for _ in range(3):
        await anext(watch)
    await cluster.delete(THING, "goes")
    await cluster.patch(THING, "changes", b'{"spec": {"a": 1}}')
    await cluster.create(THING, _thing("new"))
    cluster.simulated.state.store.compact()
    told = [await anext(watch) for _ in range(3)]
    names = [json.loads(event.content)["metadata"]["name"] for event in told]
    assert [(event.change, name) for event, name in zip(told, names, strict=True)] == [
        (Change.DELETED, "goes"),
        (Change.MODIFIED, "changes"),
        (Change.ADDED, "new"),
    ]
    await watch.aclose()


async def test_deletion_can_be_waited_for(cluster):
    """``wait`` returns when the last finalizer is gone."""
    finalizers = {"metadata": {"name": "x", "finalizers": ["example.com/a"]}}
    await cluster.create(THING, json.dumps(finalizers).encode())
    waiting = asyncio.create_task(cluster.delete(THING, "x", wait=True))
    await asyncio.sleep(0)
    assert not waiting.done()
    await cluster.patch(THING, "x", b'{"metadata": {"finalizers": null}}')
    assert await waiting


async def test_logs_are_followed_to_their_end(cluster):
    """From before the container runs to after it ended, and lines come whole."""
    await _make_pod(cluster, {"waiting": {"reason": "PodInitializing"}})

    async def read():
        return b"".join([piece async for piece in cluster.follow_log("p", "c")])

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    cluster.simulated.print_log("p", "c", "one\ntw", namespace="okd")
    _set_state(cluster, {"running": {}})
    await asyncio.sleep(0)
    cluster.simulated.print_log("p", "c", "o\nthree", namespace="okd")
    _set_state(cluster, {"terminated": {"exitCode": 0}})
    assert await reading == b"one\ntwo\nthree"
    with pytest.raises(errors.NoSuchObject, match="Pod q"):
        await anext(cluster.follow_log("q", "c"))


async def test_a_log_is_read_on_after_its_pod_is_gone(cluster):
    """Whoever reads it already gets the rest."""
    await _make_pod(cluster, {"running": {}})
    cluster.simulated.print_log("p", "c", "one\n", namespace="okd")
    log = cluster.follow_log("p", "c")
    assert await anext(log) == b"one\n"
    cluster.simulated.print_log("p", "c", "two\n", namespace="okd")
    await cluster.delete(POD, "p")
    assert [piece async for piece in log] == [b"two\n"]


async def test_many_changes_cost_little(cluster):
    """189 objects with 1400 changes and two watches take well under a second of CPU."""
    seen = 0

    async def count():
        nonlocal seen
        async for _ in cluster.watch(THING):
            seen += 1

    watches = [asyncio.create_task(count()) for _ in range(2)]
    await asyncio.sleep(0)
    attempts = 0
    for cost in attempt_below(1.0):
        attempts += 1
        with cost:
            for number in range(189):
                thing = _thing(f"x-{attempts}-{number}", spec={"text": "x" * 3000})
                await cluster.create(THING, thing)
            for turn in range(7):
                for number in range(189):
                    status = {"conditions": [{"type": "Succeeded", "message": f"{turn}"}]}
                    name = f"x-{attempts}-{number}"
                    cluster.simulated.set_status(THING, name, status, namespace="okd")
                await asyncio.sleep(0)
            for _ in range(3):
                await asyncio.sleep(0)
    for watch in watches:
        watch.cancel()
    assert seen == attempts * 2 * 189 * 8
