# SPDX-License-Identifier: Apache-2.0
"""Compressed data, taken apart while it is read: deflate and zlib (``bunzip`` does bzip2).

Damage is reported where it is reached and not before: what comes before it is delivered first,
because a signature that is complete counts, whatever follows. The C libraries throw away what
one call had produced when it fails, so a chunk that failed is taken through again in the
smallest steps, which also tells at which byte the damage is.
"""

from __future__ import annotations

import abc
import zlib

from okd_payload.signing.openpgp.faults import Malformed, OpenPgpError, Truncated
from okd_payload.signing.openpgp.streams import MemoryStream, Stream, read_exactly

MAX_INFLATED = 64 * 1024 * 1024
"""Most bytes that all layers of one message may inflate to; a cluster has no such bound."""
CHUNK = 4096
"""Most compressed bytes taken at once: as many as the clusters' library reads ahead."""
PIECE = 64 * 1024
"""Most bytes that one step may inflate to."""
_RAW = -15
_DEFLATE, _LARGEST_WINDOW, _HAS_DICTIONARY = 8, 7, 0x20
_EMPTY_ADLER = 1


class Budget:
    """What all decompressors of one message may produce together."""

    def __init__(self, left: int = MAX_INFLATED) -> None:
        self._left = left

    def spend(self, count: int) -> None:
        """Raises Malformed when the budget is used up."""
        self._left -= count
        if self._left < 0:
            raise Malformed(f"compressed data inflates to more than {MAX_INFLATED} bytes")


class CompressedInput:
    """The compressed bytes; those read in vain go back to a source that can take them."""

    def __init__(self, source: Stream) -> None:
        self._source = source
        self._held = b""

    def read(self, most: int) -> bytes:
        """The next bytes, nothing at the end."""
        chunk = self._held or self._source.read(CHUNK)
        self._held = chunk[most:]
        return chunk[:most]

    def put_back(self, rest: bytes) -> None:
        """``rest`` was read and is not used."""
        self._held = rest + self._held

    def finish(self) -> None:
        """Nothing more is needed."""
        if isinstance(self._source, MemoryStream):
            self._source.give_back(len(self._held))
        self._held = b""


class Inflater(abc.ABC):
    """Delivers pieces until the end, or until the damage, which then stays."""

    def __init__(self, source: Stream, budget: Budget) -> None:
        self._input = CompressedInput(source)
        self._budget = budget
        self._output = b""
        self._ended = False
        self._fault: OpenPgpError | None = None

    def read(self, most: int) -> bytes:
        """The next bytes. Raises OpenPgpError at damage, again and again."""
        while not self._output:
            if self._fault is not None:
                raise self._fault
            if self._ended:
                return b""
            try:
                self._advance()
                self._budget.spend(len(self._output))
            except OpenPgpError as fault:
                self._fault = fault
        piece, self._output = self._output[:most], self._output[most:]
        return piece

    @abc.abstractmethod
    def _advance(self) -> None:
        """Set ``_output``, ``_ended`` or both; may raise after ``_output`` was set."""


class DeflateStream(Inflater):
    """What raw deflate data inflates to."""

    def __init__(self, source: Stream, budget: Budget) -> None:
        super().__init__(source, budget)
        self._engine = zlib.decompressobj(_RAW)
        self._consumed = 0

    def _advance(self) -> None:
        chunk = self._engine.unconsumed_tail or self._input.read(CHUNK)
        if not chunk:
            raise Truncated
        checkpoint = self._engine.copy()
        try:
            self._output = self._engine.decompress(chunk, PIECE)
        except zlib.error:
            self._engine = checkpoint
            self._creep(chunk)
        self._consumed += len(chunk) - len(self._engine.unconsumed_tail)
        if self._engine.eof:
            self._input.put_back(self._engine.unused_data)
            self._end()

    def _creep(self, chunk: bytes) -> None:
        """Set ``_output`` to what comes before the damage in ``chunk``, and raise."""
        output = bytearray()
        for place, byte in enumerate(chunk, start=1):
            left = bytes([byte])
            try:
                while True:
                    piece = self._engine.decompress(left, 1)
                    left = self._engine.unconsumed_tail
                    output += piece
                    if not piece and not left:
                        break
            except zlib.error as error:
                self._output = bytes(output)
                offset = self._consumed + place
                raise OpenPgpError(f"flate: corrupt input before offset {offset}") from error

    def _end(self) -> None:
        self._input.finish()
        self._ended = True


class ZlibStream(DeflateStream):
    """What zlib data inflates to; the header is read at once, the check sum at the end."""

    def __init__(self, source: Stream, budget: Budget) -> None:
        super().__init__(source, budget)
        self._sum = _EMPTY_ADLER
        method, flags = read_exactly(self._input, 2)
        known = method & 0x0F == _DEFLATE and method >> 4 <= _LARGEST_WINDOW
        if not known or (method << 8 | flags) % 31:
            raise OpenPgpError("zlib: invalid header")
        if flags & _HAS_DICTIONARY and self._read_sum() != _EMPTY_ADLER:
            raise OpenPgpError("zlib: invalid dictionary")

    def _advance(self) -> None:
        if self._engine.eof:
            if self._read_sum() != self._sum:
                raise OpenPgpError("zlib: invalid checksum")
            self._input.finish()
            self._ended = True
            return
        try:
            super()._advance()
        finally:
            self._sum = zlib.adler32(self._output, self._sum)

    def _end(self) -> None:
        """The check sum follows, once everything was delivered."""

    def _read_sum(self) -> int:
        return int.from_bytes(read_exactly(self._input, 4))
