# SPDX-License-Identifier: Apache-2.0
"""One object for one request, whatever happens to the answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_api import NOTHING, document, status

from okd_payload.cluster import kinds
from okd_payload.cluster.creating import REQUEST_MARK, draft
from okd_payload.errors import (
    AlreadyThere,
    ClusterUnavailable,
    InputError,
    QuotaExceeded,
    Refused,
)

RUNS = "/apis/tekton.dev/v1/namespaces/builds/taskruns"
THERE = status(409, "AlreadyExists")


def run(name="x", **metadata):
    """A TaskRun."""
    names = {"name": name} if name else {}
    return json.dumps({"metadata": {**names, **metadata}, "spec": {"odd": [1, None]}}).encode()


class Store:
    """A server that keeps what is created, and answers as ``faults`` say."""

    def __init__(self, api, *faults):
        self.kept = {}
        self.faults = list(faults)
        api.answer = self.answer

    def answer(self, asked):
        if asked.method == "GET":
            name = asked.path.rpartition("/")[2]
            return document(self.kept[name]) if name in self.kept else status(404, "NotFound")
        fault = self.faults.pop(0) if self.faults else ""
        if fault in {"lost before", "overload"}:
            return NOTHING if fault == "lost before" else status(429)
        name = asked.document["metadata"]["name"]
        if name in self.kept:
            return status(409, "AlreadyExists")
        self.kept[name] = asked.document
        return {"lost after": NOTHING, "gateway": status(502)}.get(fault, document(self.kept[name]))


async def test_what_is_sent(cluster, api):
    """Unknown fields are refused, the writer is named, and the object is sent as it is."""
    api.script(document({"metadata": {"name": "x"}}, 201))
    await cluster.create(kinds.TASK_RUN, run(labels={"a": "b"}))
    (asked,) = api.asked
    assert (asked.method, asked.path) == ("POST", RUNS)
    assert asked.query == {"fieldManager": "okd-payload", "fieldValidation": "Strict"}
    sent = asked.document
    assert sent["spec"] == {"odd": [1, None]}
    assert sent["metadata"]["labels"] == {"a": "b"}
    assert REQUEST_MARK in sent["metadata"]["annotations"]


async def test_a_trial(cluster, api):
    """A dry run says so, and is not marked."""
    api.script(document({}, 201))
    await cluster.create(kinds.TASK_RUN, run(), dry_run=True)
    assert api.asked[0].query["dryRun"] == "All"
    assert "annotations" not in api.asked[0].document["metadata"]


async def test_the_namespace_of_the_object(cluster, api):
    """The namespace that is named counts, then that of the object, then that of the context."""
    api.script(document({}, 201))
    await cluster.create(kinds.POD, run(namespace="own"))
    await cluster.create(kinds.POD, run(), namespace="named")
    await cluster.create(kinds.CLUSTER_ROLE, run())
    assert [asked.path for asked in api.asked] == [
        "/api/v1/namespaces/own/pods",
        "/api/v1/namespaces/named/pods",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    ]


@pytest.mark.parametrize("faults", [["lost after"], ["gateway"], ["lost before", "lost after"]])
@pytest.mark.parametrize("names", [{"name": "x"}, {"name": "", "generateName": "b-"}])
async def test_a_lost_answer(faults, names, cluster, api):
    """A request whose answer was lost is repeated, finds its own object, and makes no second."""
    store = Store(api, *faults)
    made = json.loads(await cluster.create(kinds.TASK_RUN, run(**names)))
    assert list(store.kept) == [made["metadata"]["name"]]


async def test_an_object_of_somebody_else(cluster, api):
    """After a lost request an object that others made meanwhile is not taken for ours."""
    store = Store(api, "lost before")
    store.kept["x"] = {"metadata": {"name": "x", "annotations": {REQUEST_MARK: "another"}}}
    with pytest.raises(AlreadyThere, match=r"TaskRun x in namespace builds .* is there already"):
        await cluster.create(kinds.TASK_RUN, run())


async def test_a_failure_that_lasts(cluster, api):
    """When the server stays away after it made the object, that is found out at the end."""
    store = Store(api, *["gateway"] * 100)
    made = await cluster.create(kinds.TASK_RUN, run())
    assert json.loads(made) == store.kept["x"]
    api.answer = lambda asked: status(503)
    with pytest.raises(ClusterUnavailable, match="503"):
        await cluster.create(kinds.TASK_RUN, run("y"))


async def test_a_generated_name_that_is_taken(cluster, api):
    """A name that we made up and that is taken is no error: another is made up."""
    api.script(THERE, THERE, document({"metadata": {"name": "b-abcde"}}, 201))
    await cluster.create(kinds.TASK_RUN, run("", generateName="b-"))
    names = [asked.document["metadata"]["name"] for asked in api.asked]
    assert len(set(names)) == 3
    with pytest.raises(AlreadyThere):
        api.script(THERE)
        await cluster.create(kinds.TASK_RUN, run("", generateName="b-"))


async def test_orders_are_not_repeated(cluster, api):
    """What the server names itself is asked for once, unless nothing was done for certain."""
    order = kinds.instantiation("etcd")
    api.script(status(429), document({"metadata": {"name": "etcd-1"}}, 201))
    await cluster.create(order, run("etcd"))
    assert len(api.asked) == 2
    assert api.asked[0].path.endswith("/builds/buildconfigs/etcd/instantiate")
    assert "annotations" not in api.asked[0].document["metadata"]
    api.script(NOTHING)
    with pytest.raises(ClusterUnavailable, match="nobody knows whether it was done"):
        await cluster.create(order, run("etcd"))
    assert len(api.asked) == 3


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (status(422, "Invalid", 'T "x" is invalid: spec: Required'), Refused),
        (status(403, "Forbidden", 'p "x" is forbidden: exceeded quota: q'), QuotaExceeded),
    ],
)
async def test_refusals_are_told_at_once(said, error, cluster, api, clock):
    """Nothing is repeated that the server does not take."""
    api.script(said)
    with pytest.raises(error, match="TaskRun x in namespace builds"):
        await cluster.create(kinds.TASK_RUN, run())
    assert len(api.asked) == 1
    assert not clock.waits


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'{"metadata": 1}', b"{"])
async def test_what_is_no_object(content, cluster, api):
    """What is no object is an error before anything is sent."""
    with pytest.raises(InputError, match="this is no TaskRun"):
        await cluster.create(kinds.TASK_RUN, content)
    assert not api.asked


@given(base=st.from_regex(r"[a-z][a-z0-9-]{0,90}", fullmatch=True))
def test_generated_names_fit(base):
    """A name that is made up is that of the server's own making: at most 63 letters."""
    made = draft(kinds.POD, run("", generateName=base), namespace="a", mark="")
    name = made.subject.name
    assert len(name) <= 63
    assert name.startswith(base[:58])
    assert json.loads(made.content)["metadata"] == {"generateName": base, "name": name}
