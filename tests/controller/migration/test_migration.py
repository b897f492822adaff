# SPDX-License-Identifier: Apache-2.0
"""What the old controller has becomes records once, and stays ours from then on."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import msgspec
import pytest
from rig import Rig

from okd_payload.controller.migration.objects import ImageStream, ProwJob, ReleasePayload
from okd_payload.controller.migration.reading import OldState, read_graph, read_items
from okd_payload.controller.migration.taking_over import (
    Takeover,
    plan_takeover,
    read_payloads,
    take_over,
)
from okd_payload.controller.model import Phase, RunState
from okd_payload.controller.records import approvals, payloads, releases, runs, streams
from okd_payload.errors import InvalidDocument
from okd_payload.oci.digest import digest_of

PREFIX = "release.openshift.io/"
STREAM = "4.20.0-0.okd-scos"
DIGEST = digest_of(b"payload")
NAME = f"{STREAM}-2026-03-10-010203"


def tag(name: str = NAME, **annotations: str) -> dict[str, Any]:
    """A tag of the target."""
    values = {
        "name": STREAM,
        "source": "origin/scos-4.20",
        "creationTimestamp": "2026-03-10T01:02:03Z",
        "phase": "Accepted",
    } | annotations
    return {
        "name": name,
        "annotations": {PREFIX + key: value for key, value in values.items()},
        "generation": 2,
    }


def image_stream(
    name: str, config: str = "", tags: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """An image stream whose tags all have the one image."""
    listed = tags if tags is not None else [{"name": "cli"}]
    return {
        "metadata": {
            "name": name,
            "namespace": "origin",
            "annotations": {PREFIX + "config": config} if config else None,
        },
        "spec": {"tags": listed},
        "status": {
            "publicDockerImageRepository": f"registry.test/origin/{name}",
            "tags": [
                {"tag": each["name"], "items": [{"image": DIGEST, "generation": 2}]}
                for each in listed
            ],
        },
    }


def payload(*conditions: str, **fields: Any) -> dict[str, Any]:
    """What is kept of the release."""
    status = {
        "conditions": [{"type": kind, "status": "True", "reason": kind} for kind in conditions],
        "blockingJobResults": [
            {
                "ciConfigurationName": "aws",
                "results": [
                    {
                        "coordinates": {"name": f"{NAME}-aws", "namespace": "ci"},
                        "state": "Pending",
                        "startTime": "2026-03-10T02:00:00Z",
                    }
                ],
            },
            {"ciConfigurationName": "gcp", "results": None},
        ],
    }
    return {"metadata": {"name": NAME} | fields, "spec": {}, "status": status}


def listed(*objects: dict[str, Any]) -> bytes:
    """A list as oc prints it."""
    return msgspec.json.encode({"items": objects})


CONFIG = msgspec.json.encode({"name": STREAM, "to": "release-scos"}).decode()


def plan(
    *payloads_: dict[str, Any],
    tags: list[dict[str, Any]] | None = None,
    jobs: tuple[dict[str, Any], ...] = (),
    graph: bytes = b"[]",
    more: tuple[dict[str, Any], ...] = (),
) -> Takeover:
    """What such a controller becomes."""
    given = listed(
        image_stream("scos-4.20", CONFIG),
        image_stream("release-scos", tags=tags if tags is not None else [tag()]),
        *more,
    )
    return plan_takeover(
        OldState(
            image_streams=read_items(given, ImageStream, path="x"),
            payloads=read_items(listed(*payloads_), ReleasePayload, path="x"),
            prow_jobs=read_items(listed(*jobs), ProwJob, path="x"),
            updates=read_graph(graph, path="x"),
        )
    )


@pytest.mark.parametrize(
    ("conditions", "phase"),
    [
        (("PayloadCreated", "PayloadAccepted"), Phase.ACCEPTED),
        (("PayloadCreated", "PayloadRejected"), Phase.REJECTED),
        (("PayloadFailed", "PayloadRejected"), Phase.FAILED),
        (("PayloadCreated",), Phase.READY),
        ((), Phase.PENDING),
    ],
)
def test_conditions_are_phases(conditions: tuple[str, ...], phase: Phase) -> None:
    """One that failed was also rejected, and is failed."""
    (release,) = plan(payload(*conditions)).found.releases
    assert release.phase is phase
    assert release.digest == DIGEST


def test_a_tag_without_a_payload_object_counts_itself() -> None:
    """Its annotation is all that there is."""
    (release,) = plan(tags=[tag(phase="Rejected", reason="Why", keep="for ever")]).found.releases
    assert (release.phase, release.reason, release.kept) == (Phase.REJECTED, "Why", True)
    (soft,) = plan(tags=[tag(**{"soft-delete": "2026-03-11T00:00:00Z"})]).found.releases
    assert soft.withdrawn is not None
    assert soft.withdrawn > soft.created


INSIDE = "registry.internal.test/origin/release-scos"
ORIGIN = {"kind": "DockerImage", "name": "quay.test/okd/scos:1"}


def placed(
    wanted: dict[str, Any], status: dict[str, Any] | None, *, public: str = "registry.test/r"
) -> tuple[str, str | None]:
    """Pull spec and digest of a release whose tag has ``wanted`` and ``status``."""
    target = image_stream("release-scos", tags=[tag() | wanted])
    target["status"] = {
        "publicDockerImageRepository": public,
        "dockerImageRepository": INSIDE,
        "tags": [] if status is None else [{"tag": NAME} | status],
    }
    given = listed(image_stream("scos-4.20", CONFIG), target)
    state = OldState(image_streams=read_items(given, ImageStream, path="x"))
    (release,) = plan_takeover(state).found.releases
    return release.pull_spec, release.digest


def imported(generation: int, reference: str = f"{INSIDE}@{DIGEST}") -> dict[str, Any]:
    """The status of a tag that has the image of ``generation``."""
    item = {"image": DIGEST, "generation": generation, "dockerImageReference": reference}
    return {"items": [item]}


def test_a_release_is_where_the_old_controller_says_it_is() -> None:
    """By tag; where its image came from, until it has a newer one; the digest once that is its."""
    by_tag = f"registry.test/r:{NAME}"
    failed = {"conditions": [{"type": "ImportSuccess", "status": "False"}]}
    assert placed({}, imported(2)) == (by_tag, DIGEST)
    assert placed({}, imported(1)) == (by_tag, None)
    assert placed({"generation": None}, imported(1)) == (by_tag, None)
    assert placed({}, imported(2) | failed) == (by_tag, None)
    assert placed({}, None) == ("", None)
    assert placed({}, {"items": []}) == ("", None)
    assert placed({"from": ORIGIN}, {"items": None}) == (ORIGIN["name"], None)
    assert placed({"from": ORIGIN}, imported(2)) == (ORIGIN["name"], DIGEST)
    assert placed({"from": ORIGIN}, imported(3)) == (by_tag, DIGEST)
    assert placed({"from": ORIGIN, "generation": None}, imported(1)) == (by_tag, None)
    assert placed({"from": {"kind": "ImageStreamTag", "name": "x"}}, imported(2))[0] == by_tag
    assert placed({}, imported(2), public="") == ("", DIGEST)
    elsewhere = f"quay.test/x@{DIGEST}"
    assert placed({}, imported(2, elsewhere), public="") == (elsewhere, DIGEST)


def test_payloads_of_reference_streams_are_in_their_own_repository() -> None:
    """Such a stream has images that nobody imported, and tags that say so."""
    reference = {"pushRepository": "quay.test/push", "pullRepository": "quay.test/pull"}
    config = {"name": STREAM, "to": "release-scos", "referenceRelease": reference}
    source = image_stream("scos-4.20", msgspec.json.encode(config).decode())
    source["status"]["tags"] = None
    older = f"{STREAM}-2026-03-09-010203"
    target = image_stream("release-scos", tags=[tag() | {"reference": True}, tag(older)])
    target["status"]["tags"] = target["status"]["tags"][1:]

    def pull_specs() -> dict[str, str]:
        given = listed(source, target)
        state = OldState(image_streams=read_items(given, ImageStream, path="x"))
        return {each.name: each.pull_spec for each in plan_takeover(state).found.releases}

    assert pull_specs() == {}
    source["spec"]["tags"] = [{"name": "cli", "reference": True}]
    assert pull_specs() == {
        NAME: f"quay.test/pull:rc_payload__{NAME}",
        older: f"registry.test/origin/release-scos:{older}",
    }
    del reference["pullRepository"]
    source["metadata"]["annotations"][PREFIX + "config"] = msgspec.json.encode(config).decode()
    assert pull_specs()[NAME] == ""


def test_attempts_are_in_the_order_in_which_they_began() -> None:
    """However they are listed; jobs still to be run are there while nothing is decided."""
    given = payload()
    (job, other) = given["status"]["blockingJobResults"]
    job["results"] = [
        {"coordinates": {"name": "b"}, "state": "Success", "startTime": "2026-03-10T03:00:00Z"},
        {"coordinates": {"name": "a"}, "state": "Failure", "startTime": "2026-03-10T02:00:00Z"},
    ]
    assert other["results"] is None
    found = [(run.id, run.attempt) for run in plan(given).found.runs]
    assert found == [("a", 0), ("b", 1), (f"{NAME}-gcp", 0)]
    decided = given | {"status": given["status"] | payload("PayloadAccepted")["status"]}
    decided["status"]["blockingJobResults"] = given["status"]["blockingJobResults"]
    assert len(plan(decided).found.runs) == 2


def test_what_is_passed_over_is_told() -> None:
    """Broken configurations, missing targets, foreign sources, and names that are taken."""
    tags = [tag(), tag(source="origin/other"), tag(name="x", source="origin/other")]
    found = plan(
        tags=tags,
        more=(
            image_stream("broken", "{not json"),
            image_stream("lost", '{"name": "lost", "to": "nowhere"}'),
            image_stream("twice", CONFIG),
            image_stream("empty", '{"name": "e", "to": "release-scos"}', tags=[]),
        ),
    )
    assert list(found.configurations) == [STREAM]
    told = [issue.message for issue in found.issues if issue.code.startswith("passed-over")]
    assert [text.split(" is passed over")[0] for text in told] == [
        "origin/broken",
        "origin/lost",
        "origin/twice",
        "origin/empty",
        NAME,
        "x",
    ]


def test_runs_that_ended_once_are_not_open_again() -> None:
    """The stored graph may be older than the jobs, and the other way round."""
    graph = b'[{"from":"a","to":"b","results":[{"state":"Pending","url":"/j/1"}]}]'
    url = "https://prow.ci.openshift.org/view/gs/test-platform-results/logs/j/1"

    def job(name: str, state: str, address: str, **more: str) -> dict[str, Any]:
        annotations = {"from-tag": "a", "tag": "b", "architecture": "amd64"} | more
        return {
            "metadata": {
                "name": name,
                "labels": {PREFIX + "verify": "true"},
                "annotations": {PREFIX + key: value for key, value in annotations.items()},
            },
            "status": {"state": state, "url": address},
        }

    jobs = (
        job("one", "success", url),
        job("two", "", ""),
        job("other", "success", "u", architecture="arm64"),
        job("three", "pending", url),
    )
    found = {edge.run: edge.state for edge in plan(graph=graph, jobs=jobs).edges}
    assert found == {url: RunState.SUCCEEDED, "two": RunState.QUEUED}


async def test_taking_over_again_leaves_decisions_alone(rig: Rig) -> None:
    """Releases stay as they became here; runs are brought up to date until they end."""
    labels = {PREFIX + "teama_state": "Accepted", PREFIX + "teamb_state": "Rejected"}
    given = payload("PayloadCreated", labels=labels)
    graph = b'[{"from":"a","to":"b","results":[{"state":"Failed","url":"u"}]}]'
    first = plan(given, graph=graph)
    database = rig.database
    assert await take_over(rig.surroundings, first) == 1
    release = await database.read(lambda unit: releases.find(unit, NAME))
    assert release is not None
    await database.write(lambda unit: releases.move(unit, release, Phase.REJECTED, time=9.0))
    ended = payload("PayloadAccepted")
    ended["status"]["blockingJobResults"][0]["results"][0]["state"] = "Success"
    assert await take_over(rig.surroundings, plan(ended, graph=graph)) == 0
    after = await database.read(lambda unit: releases.find(unit, NAME))
    assert after is not None
    assert after.phase is Phase.REJECTED
    found = await database.read(lambda unit: runs.list_of(unit, [NAME]))
    states = {run.verification: run.state for run in found[NAME]}
    assert states == {"aws": RunState.SUCCEEDED, "gcp": RunState.QUEUED}
    said = await database.read(approvals.list_of)
    assert [(each.release, each.team) for each in said] == [(NAME, "teama")]
    assert len(await database.read(streams.read_edges)) == 1


async def test_a_payload_that_cannot_be_read_is_told(rig: Rig) -> None:
    """And read the next time."""
    takeover = plan(payload("PayloadAccepted"))
    await take_over(rig.surroundings, takeover)
    (issue,) = await read_payloads(rig.surroundings, takeover)
    assert issue.code == "unread-payload"
    assert NAME in issue.message
    assert await rig.database.read(payloads.list_all) == {}


def test_the_secret_is_unpacked_and_bounded() -> None:
    """Whatever is in it: a graph, nothing, or something that would fill memory."""
    graph = b'[{"from":"a","to":"b","results":null}]'
    packed = base64.b64encode(gzip.compress(graph)).decode()
    secret = msgspec.json.encode({"data": {"latest": packed}})
    assert read_graph(secret, path="x") == read_graph(graph, path="x")
    assert read_graph(b'{"data": {}}', path="x") == ()
    bomb = gzip.compress(b" " * (65 << 20))
    wrong = (
        b"{",
        b"[1]",
        msgspec.json.encode({"data": {"latest": "?"}}),
        msgspec.json.encode({"data": {"latest": base64.b64encode(b"none").decode()}}),
        msgspec.json.encode({"data": {"latest": base64.b64encode(bomb).decode()}}),
        msgspec.json.encode({"data": {"latest": packed[:20]}}),
    )
    for content in wrong:
        with pytest.raises(InvalidDocument):
            read_graph(content, path="graph.json")
    with pytest.raises(InvalidDocument, match="no list of objects"):
        read_items(b'{"items": [{"metadata": 1}]}', ImageStream, path="x")
