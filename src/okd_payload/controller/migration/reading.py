# SPDX-License-Identifier: Apache-2.0
"""What the old controller has, read from files that ``oc get -o json`` writes.

The graph is in a secret, compressed; the plain list is taken, too.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from okd_payload.controller.migration.objects import (
    ImageStream,
    ProwJob,
    ReleasePayload,
    StoredUpdate,
)
from okd_payload.errors import InvalidDocument

_LARGEST_GRAPH = 64 << 20
"""Bytes of the graph; the secret that holds it compressed has one MiB at most."""

Item = TypeVar("Item", bound=msgspec.Struct)


class OldState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is taken over."""

    image_streams: tuple[ImageStream, ...] = ()
    payloads: tuple[ReleasePayload, ...] = ()
    prow_jobs: tuple[ProwJob, ...] = ()
    updates: tuple[StoredUpdate, ...] = ()


class _List(msgspec.Struct, frozen=True):
    items: tuple[msgspec.Raw, ...] = ()


class _Secret(msgspec.Struct, frozen=True):
    data: dict[str, str] = {}


def read_items(content: bytes, kind: type[Item], *, path: str) -> tuple[Item, ...]:
    """The objects in ``content``, a list as ``oc`` prints it. Raises InvalidDocument."""
    try:
        return tuple(
            msgspec.json.decode(item, type=kind)
            for item in msgspec.json.decode(content, type=_List).items
        )
    except msgspec.MsgspecError as error:
        raise InvalidDocument(
            f"no list of objects: {error}",
            path=path,
            hint="write it with: oc get RESOURCE -o json",
        ) from error


def read_graph(content: bytes, *, path: str) -> tuple[StoredUpdate, ...]:
    """The updates in ``content``: the secret, or what is in it. Raises InvalidDocument."""
    try:
        if content.lstrip().startswith(b"{"):
            packed = msgspec.json.decode(content, type=_Secret).data.get("latest", "")
            content = _unpack(base64.b64decode(packed, validate=True)) if packed else b"[]"
        return tuple(msgspec.json.decode(content, type=Sequence[StoredUpdate]))
    except (msgspec.MsgspecError, binascii.Error, OSError, EOFError, zlib.error) as error:
        raise InvalidDocument(
            f"{path} holds no update graph: {error}",
            path=path,
            hint="write it with: oc get secret release-upgrade-graph -o json",
        ) from error


def _unpack(packed: bytes) -> bytes:
    """``packed`` as it was before, no more of it than any graph has."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    content = unpacker.decompress(packed, _LARGEST_GRAPH)
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise gzip.BadGzipFile("it is cut off, or larger than any update graph")
    return content
