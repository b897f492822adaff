# SPDX-License-Identifier: Apache-2.0
"""Writing what a tool must know of its release into places that its binary holds free.

A marker is a NUL, a name, a NUL, a row of ``X`` and a NUL. The value is written from the first
byte on and ended by a NUL; what is left of the marker stays, and no byte moves. Only the first
place of each marker counts, as for ``oc``, wherever chunks are cut. A marker that is not there
is told and harms nothing: the tool is of another release then, or was built without.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from okd_payload.errors import ReleaseError


class Marker(msgspec.Struct, frozen=True):
    """One kind of place, by the name that ``oc`` gives it."""

    title: str
    name: bytes
    room: int

    @property
    def content(self) -> bytes:
        """The bytes that are looked for."""
        return b"\0%b\0%b\0" % (self.name, b"X" * self.room)


IMAGE: Final = Marker("release image", b"_RELEASE_IMAGE_LOCATION_", 300)
VERSION: Final = Marker("release version", b"_RELEASE_VERSION_LOCATION_", 64)
ARCHITECTURE: Final = Marker("release architecture", b"_RELEASE_ARCHITECTURE_LOCATION_", 64)


class Replacement(msgspec.Struct, frozen=True):
    """A value and the marker whose place it takes."""

    marker: Marker
    value: str

    def check(self) -> None:
        """Raise ReleaseError when the value is longer than its place."""
        size, most = len(self.value.encode()), len(self.marker.content) - 1
        if size > most:
            raise ReleaseError(
                f"the {self.marker.title} value has {size} bytes, but the maximum replacement"
                f" length is {most}",
                hint="make the release under a shorter version, or pull it from a shorter place",
            )


class MarkerWriter:
    """Takes a binary in chunks of any size and gives it with the values written into it."""

    def __init__(self, replacements: Sequence[Replacement]) -> None:
        """Raise ReleaseError for a value that is too long."""
        for replacement in replacements:
            replacement.check()
        self._left = {item.marker.content: item for item in replacements}
        self._kept = b""
        """The end of what came, in which a marker may have begun."""

    @property
    def missing(self) -> list[str]:
        """The titles of the markers not found so far, sorted."""
        return sorted(item.marker.title for item in self._left.values())

    def feed(self, chunk: bytes | memoryview) -> bytes | memoryview:
        """As much of the result as is certain by now."""
        if not self._left:
            return chunk
        buffer = bytearray(self._kept)
        buffer += chunk
        for content in list(self._left):
            place = buffer.find(content)
            if place >= 0:
                value = self._left.pop(content).value.encode() + b"\0"
                buffer[place : place + len(value)] = value
        keep = min(len(buffer), max((len(content) - 1 for content in self._left), default=0))
        certain = len(buffer) - keep
        self._kept = bytes(buffer[certain:])
        return memoryview(buffer)[:certain]

    def finish(self) -> bytes:
        """The rest of the result."""
        rest, self._kept = self._kept, b""
        return rest
