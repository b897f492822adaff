# SPDX-License-Identifier: Apache-2.0
"""A file of a run as pieces of one size, each known by a sum of its bytes."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

PIECE_BYTES = 256 * 1024


class RunFile(msgspec.Struct, frozen=True):
    """A file that a run left."""

    run: str
    name: str
    """Below the folder of the run, with slashes."""
    path: Path
    """Where it is, or its copy is to be."""

    def read(self, numbers: range) -> Iterator[tuple[int, bytes]]:
        """Its pieces with these numbers, as far as there are any; an empty file has one."""
        with contextlib.suppress(OSError), self.path.open("rb") as file:
            file.seek(numbers.start * PIECE_BYTES)
            for number in numbers:
                content = file.read(PIECE_BYTES)
                if not content and number:
                    return
                yield number, content


def count_pieces(size: int) -> int:
    """How many pieces a file of ``size`` bytes has."""
    return max(1, -(-size // PIECE_BYTES))


def sum_of(content: bytes) -> str:
    """By which a piece is known."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()
