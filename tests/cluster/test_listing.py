# SPDX-License-Identifier: Apache-2.0
"""Lists in pages: one moment, all objects, each with its kind."""

from __future__ import annotations

import json

import pytest
from scripted_api import Reply, document, status

from okd_payload.cluster import kinds
from okd_payload.errors import ClusterError, NoSuchKind, NotPermitted


def page(*names, more="", version="7", kind="TaskRun"):
    """A part of a list."""
    items = [{"kind": kind, "metadata": {"name": name}} for name in names]
    if not kind:
        items = [{"metadata": {"name": name}} for name in names]
    return document({"metadata": {"resourceVersion": version, "continue": more}, "items": items})


async def test_all_pages(cluster, api):
    """Pages are read one after another, each with the selector."""
    api.script(page("a", "b", more="t1"), page("c", more="t2"), page("d"))
    found = await cluster.list(kinds.TASK_RUN, labels="x=y,z")
    assert [json.loads(item)["metadata"]["name"] for item in found.items] == ["a", "b", "c", "d"]
    assert found.resource_version == "7"
    assert [asked.query for asked in api.asked] == [
        {"labelSelector": "x=y,z", "limit": "500"},
        {"labelSelector": "x=y,z", "limit": "500", "continue": "t1"},
        {"labelSelector": "x=y,z", "limit": "500", "continue": "t2"},
    ]


async def test_a_moment_that_is_over(cluster, api):
    """When a page comes too late the whole is read anew: no list shows two moments."""
    expired = status(410, "Expired", "The provided continue parameter is too old")
    api.script(page("a", "gone", more="t1"), expired, page("a", "c", version="9"))
    found = await cluster.list(kinds.TASK_RUN)
    assert [json.loads(item)["metadata"]["name"] for item in found.items] == ["a", "c"]
    assert found.resource_version == "9"
    assert api.asked[-1].query == {}


async def test_pods_say_that_they_are_pods(cluster, api):
    """Items of lists of kinds of Kubernetes itself get the kind that the list leaves out."""
    api.script(page("a", kind=""))
    found = await cluster.list(kinds.POD)
    assert json.loads(found.items[0]) == {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "a"},
    }


async def test_an_empty_list(cluster, api):
    """No items at all are an empty list, in either way of saying it."""
    api.script(document({"metadata": {"resourceVersion": "3"}, "items": None}))
    assert (await cluster.list(kinds.NODE)).items == ()
    assert api.asked[0].path == "/api/v1/nodes"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Reply(404, b"404 page not found\n"), NoSuchKind),
        (status(403, "Forbidden"), NotPermitted),
        (document([]), ClusterError),
        (document({"metadata": {}, "items": [1]}), ClusterError),
    ],
)
async def test_what_cannot_be_listed(said, error, cluster, api):
    """A kind that is not there, rights that are missing and answers that are no lists are told."""
    api.script(said)
    with pytest.raises(error):
        await cluster.list(kinds.TASK_RUN)
