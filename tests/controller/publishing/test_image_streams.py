# SPDX-License-Identifier: Apache-2.0
"""Releases become tags of image streams in a cluster, as the old controller writes them."""

from __future__ import annotations

from typing import Any

import msgspec
from publishing_rig import DONE, TAG, follower, log_of, make
from rig import CONTENT, STREAM, Rig

from okd_payload.cluster import kinds
from okd_payload.controller.configuration.model import Input, PublishAction
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.openshift import ImageStreams, serve_openshift


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
