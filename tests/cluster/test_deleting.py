# SPDX-License-Identifier: Apache-2.0
"""Deleting what is there, and seeing it go."""

from __future__ import annotations

import json

import pytest
from scripted_api import Reply, document, status

from okd_payload.cluster import kinds
from okd_payload.errors import ClusterError, NoSuchKind, NotPermitted

GONE = document({"kind": "Status", "status": "Success"})
ABSENT = status(404, "NotFound", name="x", kind="taskruns")


def run(version, uid="u"):
    """A TaskRun that is on its way out."""
    return {"kind": "TaskRun", "metadata": {"name": "x", "uid": uid, "resourceVersion": version}}


def event(change, content):
    """One event, as the server sends it."""
    return json.dumps({"type": change, "object": content}).encode() + b"\n"


async def test_what_was_there(cluster, api):
    """It is told whether there was anything, and what it owns goes too."""
    api.script(GONE, ABSENT)
    assert await cluster.delete(kinds.TASK_RUN, "x")
    assert not await cluster.delete(kinds.TASK_RUN, "x")
    assert api.asked[0].document["propagationPolicy"] == "Background"


async def test_a_lost_answer(cluster, api):
    """An object that is not there after a lost answer was deleted by us."""
    api.script(status(502), ABSENT)
    assert await cluster.delete(kinds.TASK_RUN, "x")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (
            status(403, "Forbidden", 'x: User "a" cannot delete resource "b" in API group ""'),
            NotPermitted,
        ),
        (Reply(404, b"404 page not found\n"), NoSuchKind),
    ],
)
async def test_refusals(said, error, cluster, api):
    """A missing right and a missing kind are no absence."""
    api.script(said)
    with pytest.raises(error):
        await cluster.delete(kinds.TASK_RUN, "x")


async def test_waiting_for_the_end(cluster, api):
    """Who waits returns when finalizers and all that it owned are done."""
    changes = (event("MODIFIED", run("7")), event("DELETED", run("8")))
    listed = document({"metadata": {"resourceVersion": "6"}, "items": [run("6")]})
    api.script(document(run("6")), document(run("6")), listed, Reply(pieces=changes))
    assert await cluster.delete(kinds.TASK_RUN, "x", wait=True)
    assert api.asked[0].document["propagationPolicy"] == "Foreground"
    assert api.asked[-1].query["fieldSelector"] == "metadata.name=x"


@pytest.mark.parametrize("after", [ABSENT, document(run("9", uid="another"))])
async def test_gone_before_anybody_looks(after, cluster, api):
    """What is gone at once, or has a successor of the same name, is not waited for."""
    api.script(document(run("6")), after)
    assert await cluster.delete(kinds.TASK_RUN, "x", wait=True)
    assert len(api.asked) == 2


async def test_gone_at_once(cluster, api):
    """An answer that it is done needs no second question."""
    api.script(GONE)
    assert await cluster.delete(kinds.TASK_RUN, "x", wait=True)
    assert len(api.asked) == 1


async def test_an_answer_that_shows_no_object(cluster, api):
    """What some proxy answers in place of the object cannot be waited for, and is told."""
    api.script(Reply(200, b"<html>signed out</html>"))
    with pytest.raises(ClusterError, match="the answer is no object of an API"):
        await cluster.delete(kinds.TASK_RUN, "x", wait=True)
