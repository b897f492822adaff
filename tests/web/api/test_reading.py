# SPDX-License-Identifier: Apache-2.0
"""Everything can be read page by page, filtered, and again for nothing when it is the same."""

from __future__ import annotations

import msgspec
import pytest
from asking import DIGEST, add_release, add_run, token_for
from rig import STREAM

from okd_payload.controller.configuration.model import Retention, Runner, Verification
from okd_payload.controller.model import Phase, RunState
from okd_payload.web.api.files import LARGEST_PIECE

ALL = (Phase.ACCEPTED, Phase.REJECTED, Phase.READY, Phase.FAILED, Phase.PENDING)


def nulls(value: object) -> list[object]:
    """Every null in a document."""
    if isinstance(value, dict):
        return [found for item in value.values() for found in nulls(item)]
    if isinstance(value, list):
        return [found for item in value for found in nulls(item)]
    return [value] if value is None else []


async def test_a_stream_says_how_it_fares(rig, client):
    """Health, the newest, the last accepted and its age, and why nothing is new."""
    await add_release(rig, 0, phase=Phase.ACCEPTED)
    await add_release(rig, 60, phase=Phase.READY)
    headers = await token_for(rig, "manager", name="alice")
    await client.post(
        f"/api/v2/streams/{STREAM}/pause", json={"reason": "a fix is coming"}, headers=headers
    )
    found = (await client.get("/api/v2/streams")).json()
    stream = found["items"][0]
    assert stream["newest"]["name"] == f"{STREAM}-0060"
    assert stream["accepted"]["name"] == f"{STREAM}-0000"
    assert stream["acceptedAgeSeconds"] == 3600
    assert (stream["health"], stream["paused"], stream["pausedBy"]) == (
        "paused",
        "a fix is coming",
        "alice",
    )
    assert stream["releases"] == {
        "Pending": 0,
        "Ready": 1,
        "Accepted": 1,
        "Rejected": 0,
        "Failed": 0,
    }
    assert nulls(found) == []


async def test_all_releases_are_found_once_page_by_page(rig, client):
    """The newest first; what comes in between moves nothing."""
    for number, phase in enumerate(ALL * 2):
        await add_release(rig, number, phase=phase)
    seen: list[str] = []
    query: dict[str, str] = {"limit": "3"}
    while True:
        page = (await client.get("/api/v2/releases", params=query)).json()
        assert nulls(page) == []
        seen += [item["name"] for item in page["items"]]
        await add_release(rig, 1000 + len(seen))
        if "next" not in page:
            break
        query["after"] = page["next"]
    assert seen == [f"{STREAM}-{number:04}" for number in reversed(range(10))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"phase": "Accepted"}, [5, 0]),
        ({"phase": ["Accepted", "Failed"]}, [8, 5, 3, 0]),
        ({"text": "0007"}, [7]),
        ({"text": "%"}, []),
        ({"since": "2023-11-14T21:13:28Z"}, [9, 8]),
        ({"until": "2023-11-14T21:13:22Z"}, [1, 0]),
        ({"stream": "nothing"}, []),
        ({"withdrawn": "true"}, []),
    ],
)
async def test_releases_are_filtered(rig, client, query, expected):
    """By phase, part of the name, time and stream."""
    for number, phase in enumerate(ALL * 2):
        await add_release(rig, number, phase=phase)
    found = (await client.get("/api/v2/releases", params=query)).json()
    assert [item["name"] for item in found["items"]] == [
        f"{STREAM}-{number:04}" for number in expected
    ]


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=%00",
        "limit=0",
        "limit=201",
        "phase=Verified",
        "since=yesterday",
        "limit=x",
    ],
)
async def test_wrong_questions_say_what_is_wrong(client, query):
    """With 400, as a problem document."""
    answer = await client.get(f"/api/v2/releases?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_one_release_is_told_whole(rig, client):
    """Inputs, runs, transitions, expiry, what was before: and the lock alone."""
    rig.configure(retention=Retention(expires=7200.0, keep_accepted=1))
    first = await add_release(rig, 0, phase=Phase.ACCEPTED)
    second = await add_release(rig, 60, phase=Phase.ACCEPTED)
    await add_run(rig, first, state=RunState.SUCCEEDED)
    found = (await client.get(f"/api/v2/releases/{first.name}")).json()
    assert nulls(found) == []
    assert found["release"]["digest"] == DIGEST
    assert [image["tag"] for image in found["inputs"]] == ["etcd", "operator"]
    assert [step["after"] for step in found["transitions"]] == ["Pending", "Ready", "Accepted"]
    assert "before" not in found["transitions"][0]
    assert found["runs"][0]["state"] == "Succeeded"
    assert (found["expiry"]["step"], found["expiry"]["reason"]) == ("stay", "it has not expired")
    assert found["expiry"]["expires"] == "2023-11-14T23:13:20Z"
    assert found["newer"] == second.name
    later = (await client.get(f"/api/v2/releases/{second.name}")).json()
    assert later["previousAccepted"] == first.name
    lock = (await client.get(f"/api/v2/releases/{first.name}/lock")).json()
    assert (lock["inputHash"], lock["inputs"]) == (first.input_hash, found["inputs"])


async def test_a_release_stands_for_each_architecture(rig, client):
    """Where verifications are about one; a release of one architecture has none apart."""
    runner = Runner(kind="command")
    verifications = [
        Verification(name=f"e2e-{each}", runner=runner, architecture=each)
        for each in ("amd64", "arm64")
    ]
    rig.configure(architectures=("amd64", "arm64"), verifications=tuple(verifications))
    release = await add_release(rig, phase=Phase.READY)
    now = rig.clock.now()
    fields = {"verification": "e2e-amd64", "state": RunState.SUCCEEDED, "queued": now}
    await add_run(rig, release, **fields)
    found = (await client.get(f"/api/v2/releases/{release.name}")).json()
    assert found["architectures"] == {"amd64": "Succeeded", "arm64": "Open"}
    rig.configure()
    found = (await client.get(f"/api/v2/releases/{release.name}")).json()
    assert found["architectures"] == {}


async def test_changes_are_told_since_the_accepted_one_or_any(rig, client):
    """With the commits, and where those between are shown."""
    first = await add_release(rig, 0, phase=Phase.ACCEPTED)
    second = await add_release(rig, 60)
    changes = (await client.get(f"/api/v2/releases/{second.name}/changes")).json()
    assert (changes["before"]["name"], changes["same"]) == (first.name, 1)
    assert [(each["tag"], each["change"]) for each in changes["changes"]] == [("etcd", "changed")]
    compared = changes["changes"][0]["compareUrl"]
    assert compared == f"https://github.com/example/etcd/compare/{0:040}...{60:040}"
    answer = await client.get(f"/api/v2/releases/{first.name}/changes")
    assert answer.status_code == 400
    same = (await client.get(f"/api/v2/releases/{first.name}/changes?since={first.name}")).json()
    assert same["changes"] == []
    answer = await client.get(f"/api/v2/releases/{first.name}/changes?since=nobody")
    assert answer.status_code == 404


async def test_components_are_followed_and_everything_is_searched(rig, client):
    """A history has an entry for each image; a search finds by name, digest and commit."""
    for number in (0, 60):
        await add_release(rig, number, phase=Phase.ACCEPTED)
    history = (await client.get("/api/v2/components/operator")).json()
    assert len(history["items"]) == 1
    assert history["items"][0]["releases"] == [f"{STREAM}-0060", f"{STREAM}-0000"]
    assert len((await client.get("/api/v2/components/etcd")).json()["items"]) == 2
    found = (await client.get("/api/v2/search", params={"q": "0060"})).json()
    assert [release["name"] for release in found["releases"]] == [f"{STREAM}-0060"]
    found = (await client.get("/api/v2/search", params={"q": "etc"})).json()
    assert found["components"] == ["etcd"]


async def test_what_is_known_is_not_sent_again(rig, client):
    """The same state has the same tag, another has another."""
    release = await add_release(rig, 0, phase=Phase.ACCEPTED)
    for path in ("/api/v2/streams", "/api/v2/releases", f"/api/v2/releases/{release.name}"):
        first = await client.get(path)
        tag = first.headers["etag"]
        again = await client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    await add_release(rig, 60)
    changed = await client.get("/api/v2/releases", headers={"If-None-Match": tag})
    assert changed.status_code == 200


async def test_logs_come_in_bounded_pieces(rig, client):
    """However long a line is, and whatever is in it, as plain text."""
    release = await add_release(rig)
    await add_run(rig, release, log=f"runs/{release.name}-check/log")
    folder = rig.surroundings.state / "runs" / f"{release.name}-check"
    folder.mkdir(parents=True)
    line = b"<script>alert(1)</script>\x1b[31m\x00\xff"
    content = line + b"x" * (50 << 20)
    (folder / "log").write_bytes(content)
    path = f"/api/v2/runs/{release.name}-check/log"
    answer = await client.get(path)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["log-size"] == str(len(content))
    assert answer.content == content[:LARGEST_PIECE]
    answer = await client.get(path, params={"offset": len(content) - 3})
    assert (answer.status_code, answer.content) == (200, b"xxx")
    answer = await client.get(path, headers={"Range": "bytes=0-7"})
    assert (answer.status_code, answer.content) == (206, b"<script>")
    assert answer.headers["content-range"] == f"bytes 0-7/{len(content)}"
    answer = await client.get(path, headers={"Range": "lines=0-7"})
    assert (answer.status_code, answer.content) == (200, content[:LARGEST_PIECE])
    assert "content-range" not in answer.headers
    answer = await client.get(path, params={"offset": len(content)})
    assert (answer.status_code, answer.content) == (200, b"")
    answer = await client.get(path, params={"offset": len(content) + 1})
    assert answer.status_code == 400
    answer = await client.get(path, headers={"Range": f"bytes={len(content)}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(content)}"


async def test_artifacts_are_downloads_of_what_the_run_lists(rig, client):
    """Nothing beside them, above them, or behind a link out of the folder."""
    release = await add_release(rig)
    identity = f"{release.name}-check"
    folder = rig.surroundings.state / "runs" / identity
    (folder / "junit").mkdir(parents=True)
    (folder / "junit" / "result.xml").write_text("<testsuite/>")
    (folder / "secret").write_text("secret")
    outside = rig.surroundings.state / "outside"
    outside.write_text("secret")
    (folder / "link").symlink_to("/etc/hostname")
    listed = tuple(f"runs/{identity}/{name}" for name in ("junit/result.xml", "link", "gone"))
    await add_run(rig, release, artifacts=listed)
    told = (await client.get(f"/api/v2/runs/{identity}")).json()
    assert told["artifacts"] == ["junit/result.xml", "link", "gone"]
    base = f"/api/v2/runs/{identity}/artifacts"
    answer = await client.get(f"{base}/junit/result.xml")
    assert answer.text == "<testsuite/>"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-type"] == "application/octet-stream"
    for name in ("link", "gone", "secret", "..%2f..%2foutside", "%2e%2e/outside", "junit"):
        answer = await client.get(f"{base}/{name}")
        assert answer.status_code == 404, name
        assert "secret" not in answer.text


async def test_what_happened_is_read_page_by_page(rig, client):
    """The newest first, of a release or a kind."""
    await add_release(rig, 0, phase=Phase.ACCEPTED)
    await add_release(rig, 1)
    page = (await client.get("/api/v2/history", params={"limit": 2})).json()
    assert [item["number"] for item in page["items"]] == [5, 4]
    rest = (await client.get("/api/v2/history", params={"before": page["before"]})).json()
    assert [item["number"] for item in rest["items"]] == [3, 2, 1]
    assert "before" not in rest
    kinds = (await client.get("/api/v2/history", params={"kind": "release.created"})).json()
    assert {item["kind"] for item in kinds["items"]} == {"release.created"}


@pytest.mark.parametrize(
    "name", ["%00", "%0a", "..%2f..", "%F0%9F%92%A9", "a" * 300, "<script>", "'--"]
)
async def test_hostile_names_are_only_names(client, name):
    """Nothing of that name is there, and nothing else is said."""
    for path in (f"/api/v2/releases/{name}", f"/api/v2/streams/{name}", f"/api/v2/runs/{name}/log"):
        answer = await client.get(path)
        assert answer.status_code in (400, 404), path
        assert answer.headers["content-type"] == "application/problem+json"
        msgspec.json.decode(answer.content)
