# SPDX-License-Identifier: Apache-2.0
"""What may be done is done once, by name and with a reason; administrators see to the rest."""

from __future__ import annotations

import pytest
from asking import add_release, add_run, token_for
from litestar.testing import AsyncTestClient
from rig import INPUT, STREAM

from okd_payload.controller.configuration.model import Input, PublishAction, StreamKind
from okd_payload.controller.model import Phase
from okd_payload.controller.records import events, releases, streams
from okd_payload.web.access.settings import NotificationSettings, SiteSettings
from okd_payload.web.application import make_application
from okd_payload.web.site import Site


@pytest.mark.parametrize(
    ("word", "phase", "field", "value"),
    [
        ("accept", Phase.READY, "phase", "Accepted"),
        ("reject", Phase.READY, "phase", "Rejected"),
        ("retry", Phase.REJECTED, "phase", "Ready"),
        ("keep", Phase.READY, "kept", True),
        ("withdraw", Phase.ACCEPTED, "withdrawn", "2023-11-14T22:13:20Z"),
    ],
)
async def test_actions_on_releases(rig, client, word, phase, field, value):
    """Each answers with the release after it, and is on record with who and why."""
    release = await add_release(rig, phase=phase)
    headers = await token_for(rig, "manager", name="alice")
    path = f"/api/v2/releases/{release.name}/{word}"
    answer = await client.post(path, json={"reason": "because"}, headers=headers)
    assert (answer.status_code, answer.json()[field]) == (200, value)
    told = (await rig.database.read(events.read_last))[0]
    assert (told.actor, told.message) == ("alice", "because")


@pytest.mark.parametrize(
    "word", ["accept", "reject", "keep", "stop-keeping", "withdraw", "restore"]
)
async def test_asking_again_changes_nothing(rig, client, word):
    """The second time nothing is written, and the answer is the same."""
    release = await add_release(rig, phase=Phase.READY)
    headers = await token_for(rig, "manager")
    path = f"/api/v2/releases/{release.name}/{word}"
    first = await client.post(path, json={"reason": "because"}, headers=headers)
    before = await rig.database.read(events.last_number)
    rig.clock.advance(60)
    again = await client.post(path, json={"reason": "because"}, headers=headers)
    assert again.json() == first.json()
    assert await rig.database.read(events.last_number) == before


async def test_a_state_that_has_changed_is_not_acted_on(rig, client):
    """Who decides by what was read is told that it is not so any more."""
    release = await add_release(rig)
    headers = await token_for(rig, "manager")
    path = f"/api/v2/releases/{release.name}"
    tag = (await client.get(path)).headers["etag"]
    await client.post(f"{path}/keep", json={}, headers=headers)
    answer = await client.post(f"{path}/accept", json={}, headers=headers | {"If-Match": tag})
    assert answer.status_code == 412
    tag = (await client.get(path)).headers["etag"]
    answer = await client.post(f"{path}/accept", json={}, headers=headers | {"If-Match": tag})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"reason": 1}', 400),
        (b'{"reason": "' + b"x" * (2 << 20) + b'"}', 413),
        (b'{"reason": "a\\u0000b"}', 200),
    ],
)
async def test_bodies_are_bounded_and_of_their_form(rig, client, body, status):
    """What is no such document is refused; signs that no database takes are left out."""
    release = await add_release(rig)
    headers = await token_for(rig, "manager") | {"Content-Type": "application/json"}
    path = f"/api/v2/releases/{release.name}/accept"
    answer = await client.post(path, content=body, headers=headers)
    assert answer.status_code == status
    assert ("has no body" in answer.text) is (body == b"")
    if status == 200:
        found = await rig.database.read(lambda unit: releases.find(unit, release.name))
        assert found.message == "ab"


async def test_streams_are_paused_and_go_on(rig, client):
    """And a rebuild is asked for."""
    headers = await token_for(rig, "manager", name="alice")
    base = f"/api/v2/streams/{STREAM}"
    paused = await client.post(f"{base}/pause", json={"reason": "a fix comes"}, headers=headers)
    assert paused.json()["paused"] == "a fix comes"
    assert (await client.post(f"{base}/resume", json={}, headers=headers)).json()["paused"] == ""
    await client.post(f"{base}/rebuild", json={}, headers=headers)
    assert (await rig.database.read(lambda unit: streams.find(unit, STREAM))).rebuild


async def test_verifiers_end_manual_runs_and_approve(rig, client):
    """Once, and not what others run."""
    release = await add_release(rig)
    run = await add_run(rig, release)
    headers = await token_for(rig, "verifier", name="bob")
    path = f"/api/v2/runs/{run.id}/finish"
    body = {"succeeded": False, "reason": "it does not install"}
    for _ in range(2):
        ended = (await client.post(path, json=body, headers=headers)).json()
        assert (ended["state"], ended["message"]) == ("Failed", "it does not install")
    assert (await client.post(path, json={"succeeded": True}, headers=headers)).status_code == 400
    other = await add_run(rig, release, id="other", runner="builtin")
    path = f"/api/v2/runs/{other.id}/finish"
    assert (await client.post(path, json=body, headers=headers)).status_code == 400
    path = f"/api/v2/releases/{release.name}/approve"
    for _ in range(2):
        given = (await client.post(path, json={"team": "docs"}, headers=headers)).json()
        assert (given["team"], given["actor"]) == ("docs", "bob")
    whole = (await client.get(f"/api/v2/releases/{release.name}")).json()
    assert len(whole["approvals"]) == 1
    assert (await client.post(path, json={"team": " "}, headers=headers)).status_code == 400


async def test_publishers_have_releases_published(rig, client):
    """What is asked for waits for the next pass; an unknown way is not found."""
    rig.configure(publications=(PublishAction(name="latest", kind="tag", targets=("latest",)),))
    release = await add_release(rig, phase=Phase.ACCEPTED)
    headers = await token_for(rig, "publisher")
    path = f"/api/v2/releases/{release.name}/publish"
    told = (await client.post(path, json={"publication": "latest"}, headers=headers)).json()
    assert (told["name"], told["state"]) == ("latest", "Waiting")
    answer = await client.post(path, json={"publication": "nothing"}, headers=headers)
    assert answer.status_code == 404
    path = f"/api/v2/streams/{STREAM}/roll-back"
    answer = await client.post(path, json={"publication": "latest"}, headers=headers)
    assert answer.status_code == 400


async def test_tokens_are_made_shown_once_and_revoked(rig, client):
    """The text is in one answer, opens what it says, and nothing after it is revoked."""
    admin = await token_for(rig, "administrator", name="root")
    body = {"name": "ci", "roles": ["manager"], "days": 1}
    made = (await client.post("/api/v2/tokens", json=body, headers=admin)).json()
    release = await add_release(rig)
    shown = {"Authorization": f"Bearer {made['text']}"}
    path = f"/api/v2/releases/{release.name}/keep"
    assert (await client.post(path, json={}, headers=shown)).status_code == 200
    listed = await client.get("/api/v2/tokens", headers=admin)
    assert made["text"] not in listed.text
    ours = next(item for item in listed.json()["items"] if item["name"] == "ci")
    assert (ours["createdBy"], ours["roles"]) == ("root", ["manager"])
    assert "used" in ours
    revoke = f"/api/v2/tokens/{ours['id']}/revoke"
    assert "revoked" in (await client.post(revoke, json={}, headers=admin)).json()
    assert (await client.post(path, json={}, headers=shown)).status_code == 401
    for wrong in ({"name": "", "roles": ["manager"]}, {"name": "x", "roles": []}):
        assert (await client.post("/api/v2/tokens", json=wrong, headers=admin)).status_code == 400
    audited = (await client.get("/api/v2/audit", headers=admin)).json()
    assert {entry["actor"] for entry in audited["items"]} == {"root", "ci", ""}


REGISTRY = {"events": [{"action": "push", "target": {"repository": "okd/scos", "tag": "etcd"}}]}
QUAY = {"repository": "okd/scos", "updated_tags": ["etcd"], "docker_url": INPUT}
HUB = {"push_data": {"tag": "etcd"}, "repository": {"repo_name": "okd/scos", "name": "scos"}}
HARBOR_REPOSITORY = {"name": "scos", "namespace": "okd", "repo_full_name": "okd/scos"}
HARBOR = {
    "type": "PUSH_ARTIFACT",
    "operator": "robot$okd",
    "event_data": {"resources": [{"tag": "etcd"}], "repository": HARBOR_REPOSITORY},
}
HARBOR_EVENT = {
    "specversion": "1.0",
    "type": "harbor.artifact.pushed",
    "source": "/projects/2/webhook/policies/1",
    "data": {"resources": [{"tag": "etcd"}], "repository": HARBOR_REPOSITORY},
}
TYPES = {
    "distribution": "application/vnd.docker.distribution.events.v1+json",
    "cloud event": "application/cloudevents+json",
}


@pytest.mark.parametrize(
    ("body", "shown", "expected"),
    [
        (REGISTRY, {"Authorization": "Bearer the secret"}, [STREAM]),
        (REGISTRY, {"Content-Type": TYPES["distribution"]}, [STREAM]),
        (QUAY, {"Authorization": "Bearer the secret"}, [STREAM]),
        (HUB, "query", [STREAM]),
        (HARBOR, {"Authorization": "the secret"}, [STREAM]),
        (HARBOR | {"type": "PULL_ARTIFACT"}, "query", []),
        (HARBOR_EVENT, {"Content-Type": TYPES["cloud event"]}, [STREAM]),
        (HARBOR_EVENT | {"type": "harbor.artifact.pulled"}, "query", []),
        ({"events": [{"action": "pull", "target": {"repository": "okd/scos"}}]}, "query", []),
        ({"repository": "okd/other"}, "query", []),
        (QUAY, {}, None),
        (QUAY, {"Authorization": "Bearer wrong"}, None),
    ],
)
async def test_registries_wake_the_streams_that_read_them(rig, body, shown, expected):
    """With the secret; another instance hears of it by an event."""
    settings = SiteSettings(notifications=NotificationSettings(secret="the secret"))
    site = Site(surroundings=rig.surroundings, settings=settings)
    async with AsyncTestClient(make_application(site, parts=("api",))) as asking:
        by_query = shown == "query" or "Content-Type" in shown
        query = {"secret": "the secret"} if by_query else {}
        answer = await asking.post(
            "/api/v2/notifications/registry",
            json=body,
            params=query,
            headers={} if shown == "query" else shown,
        )
    if expected is None:
        assert answer.status_code == 401
        return
    assert answer.json() == {"streams": expected}
    told = await rig.database.read(events.read_last)
    assert [event.stream for event in told if event.kind == "stream.notified"] == expected


async def test_whatever_a_stream_takes_up_wakes_it(rig):
    """The release that it begins with, what it mirrors, and of a stable stream the releases."""
    shown = {"secret": "the secret"}
    rig.configure(input=Input(release="quay.test/okd/base:4.20.0", mirror_from="quay.test/ocp/4"))
    rig.configure("stable", kind=StreamKind.STABLE, input=Input())
    settings = SiteSettings(notifications=NotificationSettings(secret="the secret"))
    site = Site(surroundings=rig.surroundings, settings=settings)
    expected = {"okd/base": [STREAM], "ocp/4": [STREAM], "okd/release": ["stable"], "okd": []}
    async with AsyncTestClient(make_application(site, parts=("api",))) as asking:
        for repository, woken in expected.items():
            answer = await asking.post(
                "/api/v2/notifications/registry", json={"repository": repository}, params=shown
            )
            assert answer.json() == {"streams": woken}


async def test_nobody_is_listened_to_without_a_secret(client):
    """A site whose owner set none refuses even an empty one."""
    answer = await client.post("/api/v2/notifications/registry", json=REGISTRY)
    assert answer.status_code == 403
