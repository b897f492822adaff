# SPDX-License-Identifier: Apache-2.0
"""The document of a snapshot: paths that move with it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.build.freeze import FrozenPlan
from okd_payload.build.plan import Plan
from okd_payload.build.snapshot.archives import FILES_TYPE
from okd_payload.build.snapshot.model import SnapshotDocument
from okd_payload.build.snapshot.relocation import decode_document, encode_document
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.stream import CatalogSource, Stream
from okd_payload.errors import ContentError, InputError
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import Descriptor, Platform
from okd_payload.source.lock import Lock


@given(st.binary(max_size=200) | st.dictionaries(st.text(), st.text()).map(msgspec.json.encode))
def test_a_damaged_document_is_told(content: bytes) -> None:
    """Whatever the bytes are, it is an error of the content or of the version."""
    with pytest.raises((ContentError, InputError)):
        decode_document(content, Path("/there"), tool="1")


def test_no_text_is_taken_for_a_path_of_ours(tmp_path: Path) -> None:
    """What begins like our mark is refused when a snapshot is made."""
    with pytest.raises(InputError, match="contains a NUL"):
        encode_document(_with_text("\0/stream"), {})
    moved = encode_document(_with_text("/one/two"), {"/one": "stream"})
    assert decode_document(moved, tmp_path, tool="1").from_release == f"{tmp_path}/stream/two"
    kept = encode_document(_with_text("/ones/two"), {"/one": "stream"})
    assert decode_document(kept, tmp_path, tool="1").from_release == "/ones/two"


def _with_text(text: str) -> SnapshotDocument:
    stream = Stream(name="x", catalog=(CatalogSource(components="."),))
    catalog = Catalog(path="", stream=stream, components=())
    empty = Descriptor(media_type=FILES_TYPE, digest=digest_of(b""), size=0)
    return SnapshotDocument(
        tool="1",
        platform=Platform(architecture="amd64"),
        frozen=FrozenPlan(catalog=catalog, plan=Plan(stream="x", nodes={}), lock=Lock()),
        from_release=text,
        files=empty,
    )
