# SPDX-License-Identifier: Apache-2.0
"""Applying, changing, rights, versions and kinds, as they go over the wire."""

from __future__ import annotations

import json

import pytest
from scripted_api import NOTHING, Reply, document, status

from okd_payload.cluster import kinds
from okd_payload.errors import (
    ClusterError,
    ClusterUnavailable,
    Conflict,
    InputError,
    NoSuchObject,
    Refused,
)

TASK = b'{"apiVersion":"tekton.dev/v1","kind":"Task","metadata":{"name":"t"}}'


async def test_server_side_apply(cluster, api):
    """An object is applied as it is, by our name, without taking fields from others."""
    api.script(document({"metadata": {"name": "t"}}))
    await cluster.apply(kinds.TASK, TASK, dry_run=True)
    (asked,) = api.asked
    assert (asked.method, asked.path) == ("PATCH", "/apis/tekton.dev/v1/namespaces/builds/tasks/t")
    assert asked.headers["content-type"] == "application/apply-patch+yaml"
    assert asked.query == {
        "fieldManager": "okd-payload",
        "fieldValidation": "Strict",
        "dryRun": "All",
    }
    assert asked.body == TASK


async def test_fields_of_others(cluster, api, clock):
    """A conflict names who looks after which fields, and is not tried again."""
    cause = {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "helm" using tekton.dev/v1',
        "field": ".spec.steps",
    }
    api.script(status(409, "Conflict", "Apply failed with 1 conflict", causes=[cause]))
    with pytest.raises(Conflict, match=r"helm looks after \.spec\.steps"):
        await cluster.apply(kinds.TASK, TASK)
    assert not clock.waits


async def test_applying_needs_a_name(cluster, api):
    """What has no name cannot be applied, and is told before anything is sent."""
    with pytest.raises(InputError, match="without a name"):
        await cluster.apply(kinds.TASK, b'{"metadata":{"generateName":"t-"}}')
    assert not api.asked


async def test_merge_patches(cluster, api):
    """A change is a merge patch, and is repeated when others were quicker."""
    overtaken = status(409, "Conflict", "the object has been modified")
    api.script(overtaken, document({}))
    await cluster.patch(kinds.TASK_RUN, "x", b'{"spec":{"status":"TaskRunCancelled"}}')
    assert [asked.headers["content-type"] for asked in api.asked] == [
        "application/merge-patch+json"
    ] * 2
    api.script(status(400, "BadRequest", "once the TaskRun is complete, no updates"))
    with pytest.raises(Refused, match="once the TaskRun is complete"):
        await cluster.patch(kinds.TASK_RUN, "x", b"{}")


@pytest.mark.parametrize("allowed", [True, False])
async def test_rights(allowed, cluster, api):
    """A right is asked for by verb, group, resource, part and namespace."""
    api.script(document({"status": {"allowed": allowed}}, 201))
    assert await cluster.may("get", kinds.POD, subresource="log") is allowed
    assert await cluster.may("list", kinds.NODE) is allowed
    first, second = (asked.document["spec"]["resourceAttributes"] for asked in api.asked)
    assert first == {
        "verb": "get",
        "resource": "pods",
        "version": "v1",
        "namespace": "builds",
        "subresource": "log",
    }
    assert second == {"verb": "list", "resource": "nodes", "version": "v1"}
    assert api.asked[0].path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def test_versions_and_kinds(cluster, api):
    """The version is told, and which kinds there are, from what the server says of itself."""
    resources = {"resources": [{"name": "taskruns"}, {"name": "taskruns/status"}]}
    answers = {
        "/version": document({"gitVersion": "v1.36.2"}),
        "/apis/tekton.dev/v1": document(resources),
        "/api/v1": document({"resources": [{"name": "pods"}]}),
    }
    api.answer = lambda asked: answers.get(asked.path, Reply(404, b"404 page not found\n"))
    assert await cluster.server_version() == "v1.36.2"
    assert await cluster.serves(kinds.TASK_RUN)
    assert await cluster.serves(kinds.POD)
    assert not await cluster.serves(kinds.PIPELINE_RUN)
    assert not await cluster.serves(kinds.SHIPWRIGHT_BUILD)


@pytest.mark.parametrize("said", [Reply(body=b"<html>"), document([]), document({"a": 1})])
async def test_what_is_no_api_server(said, cluster, api):
    """A page of somebody else is no version, no review and no list of kinds."""
    api.script(said)
    with pytest.raises(ClusterError, match="this is no API server"):
        await cluster.server_version()
    with pytest.raises(ClusterError, match="no review"):
        await cluster.may("get", kinds.POD)


async def test_overload_is_waited_for(cluster, api, clock):
    """429 and 5xx are asked again, after the pause that the server wants, as long as allowed."""
    busy = status(429, "TooManyRequests", headers={"Retry-After": "3"})
    api.script(busy, status(502), NOTHING, document({"metadata": {"name": "x"}}))
    await cluster.get(kinds.POD, "x")
    assert clock.waits[0] == 3
    assert len(clock.waits) in {2, 3}  # the HTTP client itself asks once more after a lost answer
    api.script(status(503, message="not ready"))
    with pytest.raises(ClusterUnavailable, match="503 not ready"):
        await cluster.get(kinds.POD, "x")
    assert clock.monotonic() <= 200


async def test_answers_that_are_cut(cluster, api):
    """An answer that breaks off in its middle is asked for again."""
    whole = json.dumps({"metadata": {"name": "x"}}).encode()
    broken = Reply(pieces=(whole[:9],), cut=True)
    api.script(broken, broken, document({"metadata": {"name": "x"}}))
    assert json.loads(await cluster.get(kinds.POD, "x")) == {"metadata": {"name": "x"}}


async def test_names_with_odd_letters(cluster, api):
    """Names are quoted in addresses, but for the colon of image stream tags."""
    api.script(document({"metadata": {}}))
    await cluster.get(kinds.IMAGE_STREAM_TAG, "release:4.19")
    with pytest.raises(NoSuchObject):
        api.script(status(404, "NotFound"))
        await cluster.get(kinds.POD, "../../secrets")
    assert api.asked[0].path.endswith("/imagestreamtags/release:4.19")
    assert api.asked[1].path.endswith("/pods/../../secrets")
