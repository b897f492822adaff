# SPDX-License-Identifier: Apache-2.0
"""For which machines the programs of a root file system are.

A command that overlooks which machine it writes for gives a system of the machine it ran on, and
nothing says so before somebody starts it. Programs tell: the first bytes of an ELF file name its
machine. Firmware and emulators are programs of other machines and stand among the others, so the
question is whether any is for the right one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from okd_payload.oci.layers.entry import Entry, EntryKind
from okd_payload.oci.layers.scan import LayerScan, scan

_HEADER_BYTES = 20
_ELF = b"\x7fELF"
_ARCHITECTURES = {
    (1, 3): "386",
    (1, 40): "arm",
    (2, 21): "ppc64",
    (2, 22): "s390x",
    (2, 62): "amd64",
    (2, 183): "arm64",
    (2, 243): "riscv64",
    (2, 258): "loong64",
}
"""By the class (1 is 32 bits, 2 is 64) and the machine of the header, as images name them."""
_LITTLE = {"ppc64": "ppc64le"}
"""Architectures whose other byte order is another one."""

KNOWN_ARCHITECTURES = frozenset({*_ARCHITECTURES.values(), *_LITTLE.values()})


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
        architecture = _architecture_of(self._header)
        if architecture:
            self.architectures.add(architecture)


def _architecture_of(header: bytes) -> str:
    """The architecture of the program that begins with ``header``; empty when it is none."""
    if len(header) < _HEADER_BYTES or not header.startswith(_ELF):
        return ""
    word_size, order = header[4], header[5]
    is_little = order == 1
    machine = int.from_bytes(header[18:20], "little" if is_little else "big")
    architecture = _ARCHITECTURES.get((word_size, machine), "")
    return _LITTLE.get(architecture, architecture) if is_little else architecture
