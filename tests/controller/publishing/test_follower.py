# SPDX-License-Identifier: Apache-2.0
"""Releases come to their places in every way of publishing, once, whoever dies on the way."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from killing import each_kill
from rig import CONTENT, INPUT, RELEASES, STREAM, Rig
from sqlalchemy import Connection

from okd_payload.cluster import kinds
from okd_payload.controller import actions
from okd_payload.controller.configuration.model import Gate, Input, PublishAction
from okd_payload.controller.creation.making import make_payload
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import Phase, Publication, PublicationState, Release
from okd_payload.controller.publishing.commands import CommandPublisher
from okd_payload.controller.publishing.copying import CopyPublisher
from okd_payload.controller.publishing.follower import PublishingFollower
from okd_payload.controller.publishing.image_streams import ImageStreamPublisher
from okd_payload.controller.publishing.signing import SignPublisher
from okd_payload.controller.publishing.tagging import TagPublisher
from okd_payload.controller.records import releases, streams
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, NotFound, RegistryUnavailable, UnknownName
from okd_payload.oci.documents import DocumentAnswer
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.release.load import load_release
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.memory_documents import MemoryDocuments
from okd_payload.testing.memory_signer import MemorySigner
from okd_payload.testing.openshift import ImageStreams, serve_openshift
from okd_payload.testing.small_stream import push_small_stream

TAG = PublishAction(name="newest", kind="tag", targets=("4.20",))
DONE, WAITING, FAILED = PublicationState.DONE, PublicationState.WAITING, PublicationState.FAILED


class Documents(MemoryDocuments):
    """Web servers that things can be put to."""

    async def fetch_document(self, url: str, *, limit: int, token: str = "") -> bytes:
        """What lies there."""
        del token
        answer = await self.ask_document(url, limit=limit)
        if answer.status != 200:
            raise NotFound(f"there is no {url}")
        return answer.body

    async def put_document(self, url: str, content: bytes, *, token: str = "") -> bool:
        """Store ``content``."""
        del token
        self.documents[url] = DocumentAnswer(200, content)
        return True


def follower(surroundings: Surroundings, documents: Documents | None = None) -> PublishingFollower:
    """Publishing in these surroundings, in every way there is."""

    async def write(unit: Callable[[Connection], None]) -> None:
        await surroundings.database.write(unit)

    web = documents or Documents()
    publishers = {
        "tag": TagPublisher(surroundings),
        "copy": CopyPublisher(surroundings),
        "image-stream": ImageStreamPublisher(surroundings),
        "sign": SignPublisher(surroundings, web),
        "command": CommandPublisher(surroundings, seconds=20.0),
    }
    return PublishingFollower(surroundings, publishers, write=write, documents=web)


async def make(rig: Rig, name: str, change: str = "one") -> Release:
    """An accepted release with a real payload."""
    await push_small_stream(rig.repository(INPUT), change=change)
    configuration = rig.streams[STREAM]
    images = await read_input(
        rig.surroundings, msgspec.structs.replace(configuration, input=Input(repository=INPUT))
    )
    now = rig.clock.now()
    begun = Release(name=name, stream=STREAM, created=now, changed=now, input_hash=name)
    await rig.database.write(lambda unit: releases.create(unit, begun, images.images))
    made = await make_payload(rig.surroundings, configuration, begun, images.images)

    def finish(unit: Connection) -> Release:
        releases.write_inputs(unit, name, made.images)
        ready = msgspec.structs.replace(begun, digest=made.digest, pull_spec=made.pull_spec)
        moved = releases.move(unit, ready, Phase.READY, time=now)
        return releases.move(unit, moved, Phase.ACCEPTED, time=now)

    rig.clock.advance(1)
    return await rig.database.write(finish)


async def log_of(rig: Rig, publication: str = "newest") -> list[Publication]:
    """The log of a way of publishing."""
    return await rig.database.read(
        lambda unit: streams.read_publications(unit, publication=publication)
    )


async def tagged(rig: Rig, tag: str = "4.20") -> str:
    """The release that a tag leads to."""
    return (await load_release(rig.repository(RELEASES), tag)).name


async def test_a_tag_follows_the_newest_release_and_is_written_once(rig: Rig) -> None:
    """Each step in the log; a pass without news writes nothing."""
    stream = rig.configure(publications=(TAG,))
    follows = follower(rig.surroundings)
    for number in (1, 2):
        await make(rig, f"4.20.0-0.test-{number}", str(number))
        for _ in range(2):
            await follows.advance(stream)
        assert await tagged(rig) == f"4.20.0-0.test-{number}"
    log = await log_of(rig)
    assert [(line.release[-1], line.state.value, line.replaced[-1:]) for line in log] == [
        ("1", "Running", ""),
        ("1", "Done", ""),
        ("2", "Running", "1"),
        ("2", "Done", "1"),
    ]
    assert log[-1].target == f"{RELEASES}:4.20"


async def test_a_roll_back_returns_to_what_was_there(rig: Rig) -> None:
    """And what was undone is not published again, until somebody asks for it."""
    stream = rig.configure(publications=(TAG,))
    follows = follower(rig.surroundings)
    for number in (1, 2):
        await make(rig, f"4.20.0-0.test-{number}", str(number))
        await follows.advance(stream)
    undone = await actions.roll_back(
        rig.surroundings, STREAM, publication="newest", actor="ann", reason="it breaks"
    )
    assert (undone.release, undone.replaced) == ("4.20.0-0.test-2", "4.20.0-0.test-1")
    for _ in range(2):
        await follows.advance(stream)
        assert await tagged(rig) == "4.20.0-0.test-1"
    with pytest.raises(InputError, match="nothing to return to"):
        await actions.roll_back(
            rig.surroundings, STREAM, publication="newest", actor="ann", reason=""
        )
    for _ in range(2):
        await actions.publish(
            rig.surroundings,
            "4.20.0-0.test-2",
            publication="newest",
            actor="bob",
            reason="it does not",
        )
    await follows.advance(stream)
    assert await tagged(rig) == "4.20.0-0.test-2"
    asked = [line for line in await log_of(rig) if line.actor != "controller"]
    assert [(line.actor, line.state) for line in asked] == [
        ("ann", PublicationState.UNDONE),
        ("bob", WAITING),
    ]


async def test_what_waits_is_told_once_for_each_reason(rig: Rig) -> None:
    """Approvals of two people, and then it is published."""
    gated = msgspec.structs.replace(TAG, gate=Gate(approvals=2))
    stream = rig.configure(publications=(gated,))
    follows = follower(rig.surroundings)
    await make(rig, "4.20.0-0.test-1")
    for team, actor in (("qe", "ann"), ("docs", "ann"), ("docs", "bob")):
        for _ in range(2):
            await follows.advance(stream)
        await actions.approve(
            rig.surroundings, "4.20.0-0.test-1", team=team, actor=actor, reason=""
        )
    await follows.advance(stream)
    assert [(line.state.value, line.message) for line in await log_of(rig)] == [
        ("Waiting", "it has 0 of 2 approvals"),
        ("Waiting", "it has 1 of 2 approvals, from ann"),
        ("Running", "the newest that may be published"),
        ("Done", "the newest that may be published"),
    ]


async def test_two_people_of_one_team_are_two_approvals(rig: Rig) -> None:
    """Neither takes the place of the other's, and saying it again is one approval still."""
    gated = msgspec.structs.replace(TAG, gate=Gate(approvals=2))
    stream = rig.configure(publications=(gated,))
    release = await make(rig, "4.20.0-0.test-1")
    follows = follower(rig.surroundings)
    for actor in ("ann", "ann", "bob"):
        await follows.advance(stream)
        assert (await log_of(rig))[-1].state is WAITING
        await actions.approve(rig.surroundings, release.name, team="qe", actor=actor, reason="")
    await follows.advance(stream)
    assert (await log_of(rig))[-1].state is DONE


async def test_a_copy_that_is_partly_done_goes_on(rig: Rig) -> None:
    """A registry that is away keeps no other from being filled, and is filled later."""
    near, far = "quay.test/mirror/okd", "quay.test/away/okd"
    stream = rig.configure(
        publications=(PublishAction(name="newest", kind="copy", targets=(far, near)),)
    )
    release = await make(rig, "4.20.0-0.test-1")
    rig.errors[far] = RegistryUnavailable("away")
    follows = follower(rig.surroundings)
    due = await follows.advance(stream)
    assert due == rig.clock.now() + 60
    assert (await log_of(rig))[-1].message == f"{far}: away"
    tags = await rig.repository(near).manifests.tags()
    assert len(tags) == 4
    copied = next(tag for tag in tags if tag.startswith(f"{release.name}") and "etcd" not in tag)
    assert (await rig.repository(near).manifests.get(copied)).digest == release.digest
    rig.errors.clear()
    await follows.advance(stream)
    assert (await log_of(rig))[-1].state is FAILED
    rig.clock.advance(60)
    await follows.advance(stream)
    assert (await log_of(rig))[-1].state is DONE
    assert len(await rig.repository(far).manifests.tags()) == 4


async def test_a_registry_that_is_away_is_asked_once(rig: Rig) -> None:
    """Not for every image, each of which would wait and be told in the log."""
    away = "127.0.0.1:1/away/okd"
    stream = rig.configure(
        publications=(PublishAction(name="newest", kind="copy", targets=(away,)),)
    )
    await make(rig, "4.20.0-0.test-1")
    async with RegistryClient(RegistrySettings(doubtful_deadline=0.1)) as client:

        async def open_location(location: Any) -> Any:
            if location.repository.startswith("127.0.0.1:1/"):
                return client.repository(location.reference)
            return await rig.open(location)

        rig.surroundings = msgspec.structs.replace(rig.surroundings, open_target=open_location)
        await follower(rig.surroundings).advance(stream)
    failed = (await log_of(rig))[-1]
    assert failed.state is FAILED
    assert failed.message.count("no connection to") == 1


async def test_a_release_is_signed_before_it_is_tagged(rig: Rig, tmp_path: Path) -> None:
    """By a key of ours, into every store; signing again adds nothing."""
    signer = MemorySigner()
    key, store = tmp_path / "key.asc", tmp_path / "signatures"
    key.write_bytes(signer.secret_key)
    sign = PublishAction(
        name="signature",
        kind="sign",
        key=str(key),
        targets=(str(store), "https://signatures.test/okd"),
    )
    gated = msgspec.structs.replace(TAG, gate=Gate(signed=True))
    stream = rig.configure(publications=(gated, sign))
    release = await make(rig, "4.20.0-0.test-1")
    documents = Documents()
    follows = follower(rig.surroundings, documents)
    await follows.advance(stream)
    assert await tagged(rig) == release.name
    place = f"sha256={str(release.digest)[7:]}/signature-1"
    signature = (store / place).read_bytes()
    assert documents.documents[f"https://signatures.test/okd/{place}"] == DocumentAnswer(
        200, signature
    )
    with pytest.raises(InputError, match="cannot be taken back"):
        await actions.roll_back(
            rig.surroundings, STREAM, publication="signature", actor="ann", reason=""
        )


async def test_a_signature_that_others_made_opens_the_gate(rig: Rig, tmp_path: Path) -> None:
    """Where it is good by a key that the gate names, and in a store that it names."""
    ours, theirs = MemorySigner(), MemorySigner("Others <others@example.com>")
    public, store = tmp_path / "public.asc", tmp_path / "signatures"
    public.write_bytes(ours.public_key)
    gate = Gate(signed=True, keys=(str(public),), stores=(store.as_uri(),))
    stream = rig.configure(publications=(msgspec.structs.replace(TAG, gate=gate),))
    await make(rig, "4.20.0-0.test-1")
    follows = follower(rig.surroundings)
    for signer in (theirs, ours):
        await follows.advance(stream)
        assert (await log_of(rig))[-1].message == "it is not signed"
        key = tmp_path / "key.asc"
        key.write_bytes(signer.secret_key)
        sign = PublishAction(name="x", kind="sign", key=str(key), targets=(str(store),))
        publisher = SignPublisher(rig.surroundings, Documents())
        context = await _context(rig, sign)
        await publisher.publish(context)
        await publisher.publish(context)
        rig.clock.advance(301)
    await follows.advance(stream)
    assert (await log_of(rig))[-1].state is DONE
    assert sorted(path.name for path in store.rglob("signature-*")) == [
        "signature-1",
        "signature-2",
    ]


async def test_a_signature_that_others_made_is_found_for_what_was_asked_for(
    rig: Rig, tmp_path: Path
) -> None:
    """A release that is older than what is published is no candidate, and counts all the same."""
    ours = MemorySigner()
    public, key, store = tmp_path / "public.asc", tmp_path / "key.asc", tmp_path / "signatures"
    public.write_bytes(ours.public_key)
    key.write_bytes(ours.secret_key)
    gate = Gate(signed=True, keys=(str(public),), stores=(store.as_uri(),))
    stream = rig.configure(publications=(msgspec.structs.replace(TAG, gate=gate),))
    publisher = SignPublisher(rig.surroundings, Documents())
    sign = PublishAction(name="x", kind="sign", key=str(key), targets=(str(store),))
    for name in ("4.20.0-0.test-1", "4.20.0-0.test-2"):
        await make(rig, name, change=name)
        await publisher.publish(await _context(rig, sign))
    follows = follower(rig.surroundings)
    await follows.advance(stream)
    assert await tagged(rig) == "4.20.0-0.test-2"
    await actions.publish(
        rig.surroundings, "4.20.0-0.test-1", publication="newest", actor="ann", reason="worked"
    )
    await follows.advance(stream)
    assert await tagged(rig) == "4.20.0-0.test-1"


async def _context(rig: Rig, action: PublishAction) -> Any:
    from okd_payload.controller.publishing.publisher import PublishContext

    (release, *_) = await rig.database.read(lambda unit: releases.list_of(unit, STREAM))
    return PublishContext(configuration=rig.streams[STREAM], action=action, release=release)


async def test_a_command_is_told_what_is_published_and_sees_no_secrets(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its failure is on record with its last words."""
    monkeypatch.setenv("OUR_SECRET", "hunter2")
    program = (
        "import os, pathlib, sys;"
        "pathlib.Path('told').write_text(repr(sorted(os.environ.items())));"
        "sys.exit('no room' if os.path.exists('fail') else 0)"
    )
    action = PublishAction(name="announce", kind="command", command=(sys.executable, "-c", program))
    stream = rig.configure(publications=(action,))
    release = await make(rig, "4.20.0-0.test-1")
    folder = rig.surroundings.state / "publications" / "4.20.0-0.test-1" / "announce"
    folder.mkdir(parents=True)
    (folder / "fail").touch()
    follows = follower(rig.surroundings)
    await follows.advance(stream)
    failed = (await log_of(rig, "announce"))[-1]
    assert failed.state is FAILED
    assert failed.message.endswith("ended with code 1: no room")
    (folder / "fail").unlink()
    rig.clock.advance(60)
    await follows.advance(stream)
    assert (await log_of(rig, "announce"))[-1].state is DONE
    told = (folder / "told").read_text()
    assert "hunter2" not in told
    for value in (release.name, str(release.digest), release.pull_spec, STREAM):
        assert f"'{value}'" in told


def cluster_of(rig: Rig) -> ImageStreams:
    """A cluster with the image streams of the old controller."""
    simulated = SimulatedCluster()
    serve_openshift(simulated)
    rig.surroundings = msgspec.structs.replace(
        rig.surroundings, cluster=MemoryCluster("origin", cluster=simulated)
    )
    return ImageStreams(simulated)


async def read_stream(rig: Rig, name: str) -> dict[str, Any]:
    """An image stream of the cluster."""
    assert rig.surroundings.cluster is not None
    content = await rig.surroundings.cluster.get(kinds.IMAGE_STREAM, name, namespace="origin")
    found: dict[str, Any] = msgspec.json.decode(content)
    return found


async def test_in_a_cluster_the_tag_is_written_as_the_old_controller_does(rig: Rig) -> None:
    """As recorded from it: it follows the bare tag of the release."""
    cluster_of(rig).add("origin", "release-scos")
    stream = rig.configure(
        publications=(TAG,),
        input=Input(image_stream="origin/scos-4.20"),
        target="release-scos",
    )
    await make(rig, "4.20.0-0.test-1")
    follows = follower(rig.surroundings)
    for _ in range(2):
        await follows.advance(stream)
    (tag,) = (await read_stream(rig, "release-scos"))["spec"]["tags"]
    assert (tag["name"], tag["from"], tag["importPolicy"]) == (
        "4.20",
        {"kind": "ImageStreamTag", "name": "4.20.0-0.test-1"},
        {"importMode": "PreserveOriginal"},
    )
    assert (await log_of(rig))[-1].target == "origin/release-scos:4.20"


async def test_images_of_a_release_become_tags_of_a_stream(rig: Rig) -> None:
    """Those that are wanted, beside those that others have there, marked with where from."""
    cluster_of(rig).add("origin", "4.20")
    assert rig.surroundings.cluster is not None
    theirs = {"name": "theirs", "from": {"kind": "DockerImage", "name": "quay.test/a:b"}}
    old = {"name": "etcd", "from": {"kind": "DockerImage", "name": "quay.test/old:b"}}
    change = msgspec.json.encode({"spec": {"tags": [theirs, old]}})
    await rig.surroundings.cluster.patch(kinds.IMAGE_STREAM, "4.20", change, namespace="origin")
    action = PublishAction(
        name="newest",
        kind="image-stream",
        targets=("origin/4.20",),
        tags=("etcd*",),
        exclude=("*-operator",),
    )
    stream = rig.configure(publications=(action,))
    await make(rig, "4.20.0-0.test-1")
    await follower(rig.surroundings).advance(stream)
    assert (await log_of(rig))[-1].state is DONE
    found = await read_stream(rig, "4.20")
    assert found["metadata"]["annotations"] == {
        f"release.openshift.io/source-{STREAM}": "4.20.0-0.test-1"
    }
    tags = {tag["name"]: tag["from"]["name"] for tag in found["spec"]["tags"]}
    assert set(tags) == {"theirs", "etcd"}
    assert tags["theirs"] == "quay.test/a:b"
    assert tags["etcd"].startswith(f"{CONTENT}@sha256:")


async def test_without_a_cluster_an_image_stream_is_refused(rig: Rig) -> None:
    """With what to do about it; a release's own name is no name to publish under either."""
    action = PublishAction(name="newest", kind="image-stream", targets=("origin/4.20",))
    odd = PublishAction(name="odd", kind="tag", targets=("4.20.0-0.test-1",))
    unknown = PublishAction(name="unknown", kind="pigeon", targets=("x",))
    stream = rig.configure(publications=(action, odd, unknown))
    await make(rig, "4.20.0-0.test-1")
    await follower(rig.surroundings).advance(stream)
    messages = [(await log_of(rig, name))[-1].message for name in ("newest", "odd", "unknown")]
    assert messages == [
        "newest publishes to an image stream, and no cluster is known here",
        "the tag 4.20.0-0.test-1 is a release itself, and no name to publish under",
        "this controller publishes nothing by pigeon",
    ]


@pytest.mark.parametrize("kind", ["tag", "copy"])
async def test_a_kill_at_any_step_publishes_once(tmp_path: Path, kind: str) -> None:
    """The same tags and the same log, whenever the process died."""
    ends = set()
    targets = ("4.20",) if kind == "tag" else ("quay.test/mirror/okd",)

    async def prepare(rig: Rig) -> None:
        action = PublishAction(name="newest", kind=kind, targets=targets)
        rig.configure(publications=(action,))
        await make(rig, "4.20.0-0.test-1")
        await follower(rig.surroundings).advance(rig.streams[STREAM])
        await make(rig, "4.20.0-0.test-2", "two")

    async def act(surroundings: Surroundings) -> None:
        await follower(surroundings).advance(surroundings.configurations()[STREAM])

    async for rig in each_kill(tmp_path, prepare, act):
        place = rig.repository(RELEASES if kind == "tag" else targets[0])
        content = sorted(place.manifests.tagged.items())
        log = tuple((line.release, line.state) for line in await log_of(rig))
        ends.add((tuple(content), log))
    assert len(ends) == 1
    ((_, log),) = ends
    assert [state.value for _, state in log] == ["Running", "Done", "Running", "Done"]


async def test_what_cannot_be_published_is_refused_with_what_can(rig: Rig) -> None:
    """A mistyped name, a release that is not accepted, a way that is switched off."""
    off = msgspec.structs.replace(TAG, name="off", disabled=True)
    rig.configure(publications=(TAG, off))
    release = await make(rig, "4.20.0-0.test-1")
    for publication, error in (("nowest", UnknownName), ("off", InputError)):
        with pytest.raises(error):
            await actions.publish(
                rig.surroundings, release.name, publication=publication, actor="ann", reason=""
            )
    with pytest.raises(UnknownName, match="release stream"):
        await actions.roll_back(rig.surroundings, "x", publication="newest", actor="a", reason="")
    await actions.reject(rig.surroundings, release.name, actor="ann", reason="it breaks")
    with pytest.raises(InputError, match="is Rejected, and only accepted releases"):
        await actions.publish(
            rig.surroundings, release.name, publication="newest", actor="ann", reason=""
        )


@pytest.mark.integration
async def test_a_release_is_copied_to_a_real_registry(rig: Rig, docker_registry: str) -> None:
    """With all its images, so that a cluster could pull it from there."""
    target = f"{docker_registry}/publishing/okd"
    stream = rig.configure(
        publications=(PublishAction(name="newest", kind="copy", targets=(target,)),)
    )
    release = await make(rig, "4.20.0-0.test-1")
    settings = RegistrySettings(plain_http_hosts=frozenset({docker_registry}))
    async with RegistryClient(settings) as client:

        async def open_location(location: Any) -> Any:
            if location.repository.startswith(docker_registry):
                return client.repository(location.reference)
            return await rig.open(location)

        rig.surroundings = msgspec.structs.replace(
            rig.surroundings, open_location=open_location, open_target=open_location
        )
        await follower(rig.surroundings).advance(stream)
        assert (await log_of(rig))[-1].state is DONE, (await log_of(rig))[-1].message
        from okd_payload.oci.reference import parse_reference

        repository = client.repository(parse_reference(target))
        assert len(await repository.manifests.tags()) == 4
        copied = await load_release(repository, str(release.digest))
        for tag in copied.tags:
            assert tag.origin is not None
            await repository.manifests.get(tag.origin.name.rpartition("@")[2])
