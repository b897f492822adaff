# SPDX-License-Identifier: Apache-2.0
"""Image streams as an OpenShift cluster has them."""

from __future__ import annotations

from okd_payload.cluster import ClusterReader, ObjectKind
from okd_payload.imagestream.openshift import (
    API_VERSION,
    KIND,
    RawImageStream,
    parse_image_stream,
)

IMAGE_STREAM = ObjectKind(API_VERSION, KIND, "imagestreams")


async def read_cluster_stream(
    cluster: ClusterReader, name: str, *, namespace: str = ""
) -> RawImageStream:
    """The stream ``name``. Raises NoSuchObject, other errors of clusters, and InvalidDocument."""
    content = await cluster.get(IMAGE_STREAM, name, namespace=namespace)
    return parse_image_stream(content, path=f"{namespace or cluster.namespace}/{name}")
