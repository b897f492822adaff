# SPDX-License-Identifier: Apache-2.0
"""Inflating layers, and writing gzip."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import ContentError, TooLarge, UnsupportedContent
from okd_payload.oci import media_types
from okd_payload.oci.layers.bounds import Bounds
from okd_payload.oci.layers.compression import (
    Compression,
    GzipWriter,
    Inflater,
    compression_of,
    gzip_format,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SKIPPABLE = b"\x5a\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"


def inflate(
    content: bytes, sizes: list[int] | None = None, *, media_type: str = "", **bounds: int
) -> bytes:
    """All that ``content`` expands to, fed in chunks of ``sizes`` and then the rest."""
    inflater = Inflater(media_type=media_type, bounds=Bounds(**bounds))
    result = bytearray()
    for size in [*(sizes or []), len(content)]:
        chunk, content = content[:size], content[size:]
        result += b"".join(inflater.feed(chunk))
    return bytes(result) + b"".join(inflater.finish())


def compress(*contents: bytes, sizes: list[int] | None = None) -> bytes:
    """``contents`` one after another through our writer, cut into chunks of ``sizes``."""
    target = bytearray()
    writer = GzipWriter(target.extend)
    for content in contents:
        rest = content
        for size in sizes or []:
            writer.write(rest[:size])
            rest = rest[size:]
        writer.write(rest)
    writer.finish()
    return bytes(target)


@pytest.mark.parametrize(
    ("media_type", "compression"),
    [
        (media_types.OCI_LAYER, Compression.NONE),
        (media_types.OCI_LAYER_GZIP, Compression.GZIP),
        (media_types.OCI_LAYER_ZSTD, Compression.ZSTD),
        (media_types.DOCKER_LAYER, Compression.NONE),
        (media_types.DOCKER_LAYER_GZIP, Compression.GZIP),
        (media_types.DOCKER_FOREIGN_LAYER_GZIP, Compression.GZIP),
        (media_types.OCI_FOREIGN_LAYER_ZSTD, Compression.ZSTD),
    ],
)
def test_media_types_of_layers_are_known(media_type: str, compression: Compression) -> None:
    """Every media type of a layer says how it is compressed."""
    assert compression_of(media_type) is compression


def test_other_media_types_are_refused() -> None:
    """What is no layer is not read as one."""
    with pytest.raises(UnsupportedContent, match="not the media type of a layer"):
        Inflater(media_type=media_types.OCI_CONFIG)


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.lists(st.integers(1, 40)))
def test_members_and_frames_join_however_they_are_cut(parts: list[bytes], sizes: list[int]) -> None:
    """Several gzip members or zstd frames are one content, in chunks of any size."""
    content = b"".join(parts)
    assert inflate(b"".join(map(gzip.compress, parts)), sizes) == content
    frames = SKIPPABLE + b"".join(zstd.compress(part) + SKIPPABLE for part in parts)
    assert inflate(frames, sizes) == content


@pytest.mark.parametrize("content", [b"", b"a", b"\x1f\x8b", b"plain text, long enough"])
def test_anything_else_is_plain(content: bytes) -> None:
    """Content without a known beginning passes as it is."""
    assert inflate(content, [1, 2]) == content


@pytest.mark.parametrize(
    ("content", "media_type", "message"),
    [
        (b"plain", media_types.OCI_LAYER_GZIP, "is not compressed, while .* says gzip"),
        (b"", media_types.OCI_LAYER_GZIP, "is not compressed"),
        (gzip.compress(b"a", mtime=0), media_types.OCI_LAYER_ZSTD, "is gzip, while .* says zstd"),
        (zstd.compress(b"a"), media_types.DOCKER_LAYER, "is zstd, while .* says not compressed"),
        (gzip.compress(b"a", mtime=0) + b"x", "", "cut short inside its gzip"),
        (gzip.compress(b"a", mtime=0) + b"garbage", "", "other bytes behind its gzip"),
        (gzip.compress(b"a", mtime=0) + bytes(512), "", "other bytes behind its gzip"),
        (zstd.compress(b"a") + b"garbage", "", "other bytes behind its zstd"),
        (gzip.compress(b"a", mtime=0)[:-1], "", "cut short inside its gzip"),
        (zstd.compress(b"a" * 500)[:-1], "", "cut short inside its zstd"),
        (gzip.compress(b"a", mtime=0)[:-1] + b"x", "", "damaged: .*checksum"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 20, "", "damaged"),
    ],
)
def test_damaged_content_is_refused(content: bytes, media_type: str, message: str) -> None:
    """Wrong types, trailing bytes, truncation and corruption are told apart."""
    with pytest.raises(ContentError, match=message):
        inflate(content, media_type=media_type)


def test_expansion_is_bounded() -> None:
    """A small blob cannot become a large archive."""
    bomb = gzip.compress(bytes(3_000_000), 9)
    with pytest.raises(TooLarge, match="more than 1000000 bytes"):
        inflate(bomb, expanded_bytes=1_000_000)
    with pytest.raises(TooLarge, match="more than 100 times its size"):
        inflate(bomb, expansion=100, expansion_free=1000)
    assert len(inflate(bomb, expansion=2000, expansion_free=1000)) == 3_000_000


def test_many_short_members_stay_cheap() -> None:
    """A blob of nothing but empty members is read without copying its rest each time."""
    assert inflate(gzip.compress(b"") * 20_000 + gzip.compress(b"end")) == b"end"


@given(st.binary(max_size=2000), st.lists(st.integers(0, 900), max_size=5))
def test_written_gzip_is_read_by_everybody(content: bytes, sizes: list[int]) -> None:
    """What we write is gzip for Python too, and is the same however it was cut."""
    written = compress(content, sizes=sizes)
    assert gzip.decompress(written) == content
    assert written == compress(content)


def test_written_gzip_is_the_same_for_large_content_too() -> None:
    """Cuts across blocks do not show, and the header says nothing."""
    content = b"".join(hashlib.sha256(bytes([n % 251])).digest() * (n % 17) for n in range(3000))
    written = compress(content)
    assert written == compress(content, sizes=[1, 300_000, 5, 262_144])
    assert written[:10] == b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    assert inflate(written, media_type=media_types.OCI_LAYER_GZIP) == content


def test_the_format_names_encoder_version_and_level() -> None:
    """Whoever keys on equal bytes finds the encoder named."""
    assert gzip_format().startswith("igzip-")
    assert "-level2-" in gzip_format()


@given(st.sampled_from([b"", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"]), st.binary())
def test_any_bytes_are_inflated_or_refused(magic: bytes, content: bytes) -> None:
    """Foreign bytes give content or ContentError, nothing else."""
    with contextlib.suppress(ContentError):
        inflate(magic + content)
