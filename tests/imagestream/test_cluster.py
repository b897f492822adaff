# SPDX-License-Identifier: Apache-2.0
"""Image streams of clusters."""

from __future__ import annotations

import pytest

from okd_payload.errors import InvalidDocument, NoSuchObject
from okd_payload.imagestream.cluster import IMAGE_STREAM, read_cluster_stream
from okd_payload.testing.kubernetes import MemoryCluster

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
