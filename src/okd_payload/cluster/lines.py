# SPDX-License-Identifier: Apache-2.0
"""A stream of bytes as lines, however it was cut into pieces on its way."""

from __future__ import annotations

from okd_payload.cluster.objects import strange_answer

_LONGEST = 64 << 20
"""Bytes of a line: many times the largest object that a cluster can hold."""


class LineSplitter:
    """Takes pieces and gives whole lines; what is left of the last one is thrown away."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self._size = 0

    def split(self, piece: bytes) -> list[bytes]:
        """The lines that ``piece`` completes, without their ends. Raises ClusterError."""
        *complete, rest = piece.split(b"\n")
        if complete:
            complete[0] = b"".join((*self._begun, complete[0]))
            self._begun.clear()
            self._size = 0
        if rest:
            self._begun.append(rest)
            self._size += len(rest)
        if self._size > _LONGEST:
            raise strange_answer(f"the cluster sends a line of more than {_LONGEST} bytes")
        return complete
