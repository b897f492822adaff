# SPDX-License-Identifier: Apache-2.0
"""Data that bzip2 compressed, with everything that comes before a damage.

The library of the clusters compares the check sum of a block when it is asked for more than the
block has; what is asked for no more, a signature at the end above all, is good without it. The C
library compares in the call that gives the last byte, and then gives nothing, so what it held
back has to be found again.
"""

from __future__ import annotations

import bz2
import contextlib
import functools
import re

from okd_payload.signing.openpgp.faults import OpenPgpError, Truncated
from okd_payload.signing.openpgp.inflation import CHUNK, PIECE, Budget, Inflater
from okd_payload.signing.openpgp.streams import Stream, read_exactly

_PATIENCE = PIECE
"""How much output is fetched byte by byte when a block is damaged at its end."""


class Bzip2Stream(Inflater):
    """What bzip2 data inflates to; several streams in a row are one."""

    def __init__(self, source: Stream, budget: Budget) -> None:
        super().__init__(source, budget)
        self._restart(b"")

    def _advance(self) -> None:
        if self._engine.eof:
            self._go_on()
            return
        chunk = self._input.read(CHUNK) if self._engine.needs_input else b""
        if self._engine.needs_input and not chunk:
            raise Truncated
        self._fed += chunk
        try:
            self._output = self._engine.decompress(chunk, PIECE)
            self._delivered += len(self._output)
        except OSError as error:
            self._output, damage = self._replay()
            raise OpenPgpError(f"bzip2 data invalid: {damage}") from error

    def _go_on(self) -> None:
        self._input.put_back(self._engine.unused_data)
        mark = self._input.read(1)
        if not mark:
            self._input.finish()
            self._ended = True
            return
        mark += read_exactly(self._input, 1)
        if mark != b"BZ":
            raise OpenPgpError("bzip2 data invalid: bad magic value in continuation file")
        self._restart(mark)

    def _restart(self, mark: bytes) -> None:
        self._engine = bz2.BZ2Decompressor()
        self._fed = mark
        self._delivered = 0
        if mark:
            self._engine.decompress(mark)

    def _replay(self) -> tuple[bytes, str]:
        """What comes before the damage and was not delivered yet; and what the damage is."""
        if not _MAGIC.match(self._fed):
            return b"", "bad magic value"
        engine = bz2.BZ2Decompressor()
        output = bytearray()
        reached = 0
        with contextlib.suppress(OSError):
            for reached, byte in enumerate(self._fed, start=1):  # noqa: B007 - used behind it
                piece = engine.decompress(bytes([byte]), 1)
                while piece:
                    output += piece
                    fresh = len(output) - self._delivered
                    piece = engine.decompress(b"", 1 if 0 <= fresh < _PATIENCE else PIECE)
        fresh_output = bytes(output[self._delivered :])
        if len(self._fed) > CHUNK or len(output) > PIECE:
            # Signatures are small; what is larger is not worth the search for its last byte.
            return fresh_output, "block checksum mismatch" if output else "damaged block"
        if last := _find_last_byte(self._fed[:reached], bytes(output)):
            return fresh_output + last, "block checksum mismatch"
        return fresh_output, "file checksum mismatch" if output else "damaged block"


def _find_last_byte(compressed: bytes, output: bytes) -> bytes:
    """The byte after ``output``, when only the check sum of the first block is wrong.

    It is the one with whose sum in place the C library goes on; ``compressed`` ends where the
    block does, so that it stumbles over nothing else.
    """
    total = functools.reduce(_add_to_sum, output, 0xFFFFFFFF)
    for last in range(256):
        mended = (_add_to_sum(total, last) ^ 0xFFFFFFFF).to_bytes(4)
        block = compressed[:_SUM_PLACE] + mended + compressed[_SUM_PLACE + len(mended) :]
        with contextlib.suppress(OSError):
            found = bz2.BZ2Decompressor().decompress(block)
            if len(found) > len(output):
                return found[len(output) : len(output) + 1]
    return b""


def _add_to_sum(total: int, byte: int) -> int:
    """The check sum of bzip2 with one byte more."""
    return (total << 8 & 0xFFFFFFFF) ^ _SUM_TABLE[total >> 24 ^ byte]


def _sum_of_byte(byte: int) -> int:
    total = byte << 24
    for _ in range(8):
        total = total << 1 ^ (_SUM_POLYNOMIAL if total & 0x80000000 else 0)
    return total


_MAGIC = re.compile(rb"BZh[1-9]|BZ?h?$")
_SUM_PLACE = 10
"""Where the sum of the first block stands: behind two marks of four and six bytes."""
_SUM_POLYNOMIAL = 0x104C11DB7
_SUM_TABLE = [_sum_of_byte(byte) for byte in range(256)]
