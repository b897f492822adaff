# SPDX-License-Identifier: Apache-2.0
"""Image streams of clusters."""

from __future__ import annotations

import json

import pytest

from okd_payload.errors import ClusterError, InvalidDocument, NoSuchObject, NotFound, Refused
from okd_payload.imagestream.cluster import (
    IMAGE_STREAM,
    read_cluster_stream,
    read_cluster_tags,
    read_tagged_digest,
    references_of,
    tag_cluster_image,
)
from okd_payload.imagestream.cluster_repository import ClusterStreamRepository
from okd_payload.oci.digest import digest_of
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.images import push_image
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.openshift import ImageStreams, StreamRegistry, serve_openshift

STREAM = b"""{"kind": "ImageStream", "apiVersion": "image.openshift.io/v1",
 "metadata": {"name": "release"}, "status": {"dockerImageRepository": "x"}}"""


async def test_a_stream_is_read_by_its_name():
    """The object is the same as in a file."""
    cluster = MemoryCluster("okd")
    cluster.add(IMAGE_STREAM, "release", STREAM)
    stream = await read_cluster_stream(cluster, "release")
    assert stream.metadata.name == "release"
    assert stream.status.docker_image_repository == "x"


async def test_what_is_no_stream():
    """Absent and foreign objects are errors that name the place."""
    cluster = MemoryCluster("okd")
    cluster.simulated.serve(IMAGE_STREAM)
    with pytest.raises(NoSuchObject, match="release in namespace other"):
        await read_cluster_stream(cluster, "release", namespace="other")
    cluster.add(IMAGE_STREAM, "release", b'{"kind": "Status"}')
    with pytest.raises(InvalidDocument, match="okd/release"):
        await read_cluster_stream(cluster, "release")


async def test_tags_are_what_the_cluster_says() -> None:
    """Only tags that have an image count, by the newest one; annotations come along."""
    cluster = MemoryCluster("okd")
    first, second = (digest_of(text) for text in (b"1", b"2"))
    history = [
        {"image": second, "dockerImageReference": f"registry/okd/release@{second}"},
        {"image": first, "dockerImageReference": f"registry/okd/release@{first}"},
    ]
    stream = {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "release"},
        "spec": {"tags": [{"name": "etcd", "annotations": {"io.openshift.build.source": "x"}}]},
        "status": {
            "tags": [
                {"tag": "waits", "items": None, "conditions": [{"type": "ImportSuccess"}]},
                {"tag": "etcd", "items": history},
            ]
        },
    }
    cluster.add(IMAGE_STREAM, "release", json.dumps(stream).encode())
    found = await read_cluster_tags(cluster, "release")
    assert [tag.name for tag in found.tags] == ["etcd"]
    assert found.tag("etcd").digest == second
    assert found.tag("etcd").reference == f"registry/okd/release@{second}"
    assert found.tag("etcd").annotations == {"io.openshift.build.source": "x"}


async def test_tags_that_are_references_are_images_elsewhere() -> None:
    """The cluster resolves none of them; what refers to something of the cluster is its own."""
    cluster = MemoryCluster("okd")
    digest = digest_of(b"1")
    pinned = {"kind": "DockerImage", "name": f"quay.test/okd/etcd@{digest}"}
    loose = {"kind": "DockerImage", "name": "quay.test/okd/etcd:latest"}
    stream = {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "release"},
        "spec": {
            "tags": [
                {"name": "etcd", "reference": True, "from": pinned},
                {"name": "imported", "from": pinned},
                {"name": "loose", "reference": True, "from": loose},
                {"name": "other", "reference": True, "from": pinned | {"kind": "ImageStreamTag"}},
                {"name": "empty", "reference": True},
            ]
        },
        "status": {
            "tags": [
                {"tag": "etcd", "items": [{"image": digest_of(b"older")}]},
                {"tag": "loose", "items": [{"dockerImageReference": loose["name"]}]},
            ]
        },
    }
    cluster.add(IMAGE_STREAM, "release", json.dumps(stream).encode())
    found = await read_cluster_stream(cluster, "release")
    assert references_of(found) == {"etcd": pinned["name"], "loose": loose["name"]}
    (seen,) = (await read_cluster_tags(cluster, "release")).tags
    assert (seen.name, seen.digest) == ("etcd", digest_of(b"older"))


class Project:
    """An image stream and its repository."""

    def __init__(self) -> None:
        simulated = SimulatedCluster(clock=ManualClock())
        serve_openshift(simulated)
        streams = ImageStreams(simulated)
        self.cluster = MemoryCluster("okd", cluster=simulated)
        streams.add("okd", "release")
        self.content = MemoryRepository("registry.example.com/okd/release")
        registry = StreamRegistry(self.content, streams, namespace="okd", stream="release")
        self.view = ClusterStreamRepository(self.cluster, "release", registry)


async def test_a_stream_is_a_repository() -> None:
    """Content is that of the registry; tags are read and set through the API."""
    project = Project()
    view = project.view
    one, two = [await push_image(view, layers=[text]) for text in (b"1", b"2")]
    assert view.name == "registry.example.com/okd/release"
    await view.manifests.put(one, tag="etcd")
    assert (await view.manifests.get("etcd")).digest == one.digest
    await view.manifests.put(two, tag="etcd")
    assert (await view.manifests.get("etcd")).digest == two.digest
    assert await view.manifests.tags() == ["etcd", "latest"]
    assert (await view.manifests.get(one.digest)).content == one.content
    pushes = [text for verb, text in project.content.operations if verb == "put"]
    assert pushes == [one.digest, two.digest]  # setting a tag moves no content
    assert await view.manifests.referrers(one.digest) == []


async def test_what_a_stream_does_not_have() -> None:
    """A tag that is not there, and a stream that is not there, are what they are elsewhere."""
    project = Project()
    with pytest.raises(NotFound, match="release has no tag nowhere"):
        await project.view.manifests.get("nowhere")
    absent = ClusterStreamRepository(project.cluster, "absent", project.content)
    assert await absent.manifests.tags() == []
    with pytest.raises(Refused, match="no release@"):
        await tag_cluster_image(project.cluster, "release", "x", digest_of(b"never pushed"))


@pytest.mark.parametrize("content", [b"{}", b'{"image":{"metadata":{"name":null}}}', b"", b"\xff"])
def test_a_tag_without_image(content: bytes) -> None:
    """An object that has no image yet, or none at all, is told and not guessed."""
    with pytest.raises(ClusterError, match="has no image") as caught:
        read_tagged_digest(content)
    assert caught.value.hint
