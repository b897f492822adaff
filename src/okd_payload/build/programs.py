# SPDX-License-Identifier: Apache-2.0
"""For which machines the programs of a root file system are.

A command that overlooks which machine it writes for gives a system of the machine it ran on, and
nothing says so before somebody starts it. Programs tell: the first bytes of an ELF file name its
machine. Firmware and emulators are programs of other machines and stand among the others, so the
question is whether any is for the right one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from okd_payload.oci.elf import architecture_of
from okd_payload.oci.layers.entry import Entry, EntryKind
from okd_payload.oci.layers.scan import LayerScan, scan

_HEADER_BYTES = 20


async def architectures_of(archive: AsyncIterator[bytes]) -> frozenset[str]:
    """The known architectures that ``archive``, a tar, has programs for. Raises ContentError."""
    headers = _Headers()
    await scan(archive, LayerScan(headers))
    return frozenset(headers.architectures)


class _Headers:
    """A visitor that reads the beginning of every file."""

    def __init__(self) -> None:
        self.architectures: set[str] = set()
        self._header = b""

    def enter(self, entry: Entry) -> bool:
        self._header = b""
        return entry.kind is EntryKind.FILE and entry.size >= _HEADER_BYTES

    def take(self, content: memoryview) -> None:
        left = _HEADER_BYTES - len(self._header)
        if left:
            self._header += content[:left]

    def leave(self) -> None:
        architecture = architecture_of(self._header)
        if architecture:
            self.architectures.add(architecture)
