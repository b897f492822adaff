# SPDX-License-Identifier: Apache-2.0
"""The sources of ``release new`` that have to be found: streams anywhere, releases by name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.cli.release.locate import find_release
from okd_payload.cli.services import Services
from okd_payload.documents.bounds import MAX_BYTES
from okd_payload.errors import InputError
from okd_payload.imagestream.openshift import (
    RawImageStream,
    parse_image_stream,
    read_image_stream_file,
)
from okd_payload.release.new.request import NewRequest

_PATIENCE = 20.0
"""Seconds for one object: whoever waits sees nothing until then."""
_WEB = ("http://", "https://")


class StreamSource(msgspec.Struct, frozen=True, kw_only=True):
    """A file or address, or the name of a stream in a cluster; neither when both are empty."""

    file: str = ""
    name: str = ""
    namespace: str = ""
    kubeconfig: Path | None = None
    context: str = ""


def take_stream_source(options: dict[str, Any]) -> StreamSource:
    """Take what names a stream out of ``options``. Raises InputError."""
    source = StreamSource(
        file=options.pop("from_image_stream_file"),
        name=options.pop("from_image_stream"),
        namespace=options.pop("namespace"),
        kubeconfig=options.pop("kubeconfig"),
        context=options.pop("context"),
    )
    if not source.name and (source.namespace or source.kubeconfig or source.context):
        raise InputError("--namespace, --kubeconfig and --context go with --from-image-stream")
    return source


async def read_stream_source(
    source: StreamSource, request: NewRequest, services: Services
) -> NewRequest:
    """``request`` with the stream that ``source`` names, if it names one.

    Raises InputError, RegistryError for a web server, and ClusterError.
    """
    if source.name:
        return await _read_from_cluster(source, request)
    if not source.file:
        return request
    return msgspec.structs.replace(request, stream=await _read_file(source.file, services))


async def find_source_release(request: NewRequest, services: Services) -> NewRequest:
    """``request`` with a place instead of the name of its source release, if it has one.

    Raises InputError.
    """
    if not request.release:
        return request
    place = await find_release(request.release, services)
    if isinstance(place, Path):
        raise InputError(
            f"{request.release} is a folder with a payload, and no release image",
            hint="give the release that it was extracted from",
        )
    return msgspec.structs.replace(request, release=str(place))


async def _read_file(name: str, services: Services) -> RawImageStream:
    if name == "-":
        return parse_image_stream(sys.stdin.buffer.read(MAX_BYTES + 1), path="standard input")
    if name.startswith(_WEB):
        content = await services.fetch_document(name, limit=MAX_BYTES)
        return parse_image_stream(content, path=name.partition("?")[0])
    return read_image_stream_file(Path(name))


async def _read_from_cluster(source: StreamSource, request: NewRequest) -> NewRequest:
    from okd_payload.cluster.lightkube_cluster import open_cluster
    from okd_payload.imagestream.cluster import read_cluster_stream

    async with open_cluster(source.kubeconfig, source.context, patience=_PATIENCE) as cluster:
        namespace = source.namespace or cluster.namespace
        stream = await read_cluster_stream(cluster, source.name, namespace=namespace)
    return msgspec.structs.replace(
        request, stream=stream, stream_origin=f"{namespace}/{source.name}"
    )
