# SPDX-License-Identifier: Apache-2.0
"""Inflating layers as they arrive, and the one deflate encoder of this program.

What a blob is compressed with is read from its first bytes and must agree with its media type.
Gzip members and zstd frames may follow one another; anything else behind them is refused.

Compressed bytes decide digests, so the encoder is pinned: ISA-L's igzip at level 2, fed in
blocks of fixed size, with a header that says nothing. Its output was compared on emulated
processors from SSE4.2 to AVX-512 and is the same at levels 0 to 2; at level 3 it is not. Other
versions and other architectures may differ, hence ``gzip_format``.
"""

from __future__ import annotations

import enum
import platform
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from okd_payload.errors import ContentError, TooLarge, UnsupportedContent
from okd_payload.oci.layers.bounds import DEFAULT_BOUNDS, Bounds

LEVEL: Final = 2
BLOCK_BYTES: Final = 256 * 1024

Bytes = bytes | bytearray | memoryview

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LONGEST_MAGIC = 4
_STEP_BYTES = 256 * 1024
"""Output taken at once: what fits a processor's second cache is inflated and parsed a fifth faster
than a megabyte."""
_SHORT_SLICE, _LONG_SLICE = 8 * 1024, 256 * 1024
"""Input given to a decoder at once. What follows a member is copied, so slices are short where
members are; long slices are what makes decoders fast."""


class Compression(enum.Enum):
    """The ways layers are compressed."""

    NONE = "not compressed"
    GZIP = "gzip"
    ZSTD = "zstd"

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.value

    @property
    def magics(self) -> tuple[bytes, ...]:
        """The bytes that members and frames begin with."""
        return _MAGICS[self]


_MAGICS: dict[Compression, tuple[bytes, ...]] = {
    Compression.NONE: (),
    Compression.GZIP: (b"\x1f\x8b\x08",),
    Compression.ZSTD: (
        b"\x28\xb5\x2f\xfd",
        *(bytes([number]) + b"\x2a\x4d\x18" for number in range(0x50, 0x60)),
    ),
}


def compression_of(media_type: str) -> Compression:
    """What a layer of ``media_type`` is compressed with. Raises UnsupportedContent."""
    if media_type.endswith((".tar", "/x-tar")):
        return Compression.NONE
    if media_type.endswith(("+gzip", ".tar.gzip")):
        return Compression.GZIP
    if media_type.endswith("+zstd"):
        return Compression.ZSTD
    raise UnsupportedContent(f"{media_type!r} is not the media type of a layer")


def gzip_format() -> str:
    """The name of what ``GzipWriter`` writes: equal names, equal bytes for equal input."""
    from isal import ISAL_VERSION

    return f"igzip-{ISAL_VERSION}-level{LEVEL}-{platform.machine()}"


class Inflater:
    """Takes a blob in chunks of any size, gives the archive in pieces of bounded size."""

    def __init__(self, *, media_type: str = "", bounds: Bounds = DEFAULT_BOUNDS) -> None:
        """With an empty ``media_type`` only the first bytes decide."""
        self._expected = compression_of(media_type) if media_type else None
        self._bounds = bounds
        self._head: bytes = b""
        self._stream: _Stream | None = None
        self._taken = 0
        self._given = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What the next bytes of the blob expand to. Raises ContentError."""
        self._taken += len(chunk)
        if self._stream is None:
            self._head += chunk
            if len(self._head) < _LONGEST_MAGIC:
                return
            chunk, self._stream = self._head, self._choose(self._head)
        yield from self._check(self._stream.inflate(chunk))

    def finish(self) -> Iterator[bytes]:
        """What is left at the end of the blob. Raises ContentError when it is cut short."""
        if self._stream is None:
            self._stream = self._choose(self._head)
            yield from self._check(self._stream.inflate(self._head))
        self._stream.finish()

    def _choose(self, head: bytes) -> _Stream:
        found = next((c for c in Compression if head.startswith(c.magics)), Compression.NONE)
        if self._expected not in (None, found):
            raise ContentError(
                f"a layer is {found.title}, while its media type says {self._expected.title}",
                hint="the tool that wrote the image is at fault: build or push it again",
            )
        return _Plain() if found is Compression.NONE else _Members(found)

    def _check(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        bounds = self._bounds
        for piece in pieces:
            self._given += len(piece)
            if self._given > bounds.expanded_bytes:
                raise TooLarge(f"a layer expands to more than {bounds.expanded_bytes} bytes")
            if self._given > max(bounds.expansion_free, self._taken * bounds.expansion):
                raise TooLarge(f"a layer expands to more than {bounds.expansion} times its size")
            yield piece


class DeflateWriter:
    """Writes a deflate stream whose bytes depend on the content only, and sums the content up."""

    def __init__(self, target: Callable[[bytes], object]) -> None:
        from isal import isal_zlib

        self.crc = 0
        """Of the content up to the last whole block; of all of it after ``finish``."""
        self.size = 0
        self._target = target
        self._deflate = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
        self._checksum = isal_zlib.crc32
        self._block = bytearray()

    def write(self, data: Bytes) -> None:
        """Take the next bytes of the content, however they are cut."""
        self._block += data
        if len(self._block) < BLOCK_BYTES:
            return
        whole = len(self._block) - len(self._block) % BLOCK_BYTES
        with memoryview(self._block) as view:
            for start in range(0, whole, BLOCK_BYTES):
                self._compress(view[start : start + BLOCK_BYTES])
        del self._block[:whole]

    def finish(self) -> None:
        """Write what is left, and the end of the stream."""
        self._compress(self._block)
        self._target(self._deflate.flush())

    def _compress(self, block: Bytes) -> None:
        self.crc = self._checksum(block, self.crc)
        self.size += len(block)
        self._target(self._deflate.compress(block))


class GzipWriter:
    """Writes one gzip member whose bytes depend on the content only."""

    def __init__(self, target: Callable[[bytes], object]) -> None:
        self._target = target
        self._deflate = DeflateWriter(target)
        target(_GZIP_HEADER)

    def write(self, data: Bytes) -> None:
        """Take the next bytes of the content, however they are cut."""
        self._deflate.write(data)

    def finish(self) -> None:
        """Write what is left, and the trailer."""
        self._deflate.finish()
        self._target(struct.pack("<II", self._deflate.crc, self._deflate.size & 0xFFFFFFFF))


class _Stream(Protocol):
    def inflate(self, data: bytes) -> Iterator[bytes]: ...

    def finish(self) -> None: ...


class _Plain:
    def inflate(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        """Whatever has no frame has no end either."""


class _Members:
    """Gzip members or zstd frames, one after another and nothing in between."""

    def __init__(self, compression: Compression) -> None:
        self._title = compression.title
        self._magics = compression.magics
        self._make, self._error = _decoder_of(compression)
        self._decoder: Any = None
        self._head = b""
        self._slice = _LONG_SLICE

    def inflate(self, data: bytes) -> Iterator[bytes]:
        start = 0
        while start < len(data):
            piece = data[start : start + self._slice]
            start += len(piece)
            self._slice = min(2 * self._slice, _LONG_SLICE)
            yield from self._inflate_slice(piece)

    def _inflate_slice(self, data: bytes) -> Iterator[bytes]:
        while self._decoder is not None or self._begin(data):
            if self._head:
                data, self._head = self._head, b""
            try:
                piece = self._decoder.decompress(data, _STEP_BYTES)
            except self._error as error:
                raise ContentError(f"a layer is damaged: {error}") from error
            data = b""
            if piece:
                yield piece
            if self._decoder.eof:
                data, self._decoder = self._decoder.unused_data, None
                self._slice = _SHORT_SLICE
            elif self._decoder.needs_input:
                return

    def finish(self) -> None:
        if self._decoder is not None or self._head:
            raise ContentError(f"a layer is cut short inside its {self._title} data")

    def _begin(self, data: bytes) -> bool:
        """Start the next member, once enough of it is there to know that it is one."""
        self._head += data
        if len(self._head) < min(map(len, self._magics)):
            return False
        if not self._head.startswith(self._magics):
            raise ContentError(f"a layer has other bytes behind its {self._title} data")
        self._decoder = self._make()
        return True


def _decoder_of(compression: Compression) -> tuple[Any, Any]:
    """What makes a decoder, and the error it raises; isal's stubs know neither type."""
    if compression is Compression.GZIP:
        from isal import igzip_lib

        return lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP), igzip_lib.IsalError
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    return zstd.ZstdDecompressor, zstd.ZstdError
