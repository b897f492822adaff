# SPDX-License-Identifier: Apache-2.0
"""One entry of a layer, and what its name means.

Names are kept as the archive has them and cleaned where they are compared: ``./a``, ``a/./b``
and ``a//b/`` are spellings, ``/a`` and ``../a`` are other places. Whiteouts are entries whose
names say what of the layers below is gone (OCI image-spec, layer.md).
"""

from __future__ import annotations

import enum
import posixpath

import msgspec

from okd_payload.errors import TooLarge, UnsafeEntry

NANOSECONDS = 1_000_000_000
"""In a second."""

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_SPELLINGS = frozenset({"", ".", ".."})
_MAX_DEPTH = 256
"""Deeper than any real tree; keeps looking at all parents of a path cheap."""


class EntryKind(enum.Enum):
    """What an entry is, with its type flag in a header."""

    FILE = b"0"
    HARD_LINK = b"1"
    SYMBOLIC_LINK = b"2"
    CHARACTER_DEVICE = b"3"
    BLOCK_DEVICE = b"4"
    DIRECTORY = b"5"
    FIFO = b"6"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The header of one file, folder, link or device."""

    name: str
    """As in the archive; bytes that are not UTF-8 are surrogates."""
    kind: EntryKind = EntryKind.FILE
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    uname: str = ""
    gname: str = ""
    size: int = 0
    """Bytes of content, 0 for whatever has none."""
    mtime_ns: int = 0
    """Nanoseconds since the epoch."""
    link: str = ""
    """Where a link points: of a hard link a name in the archive, of a symbolic one any text."""
    device: tuple[int, int] = (0, 0)
    xattrs: dict[str, bytes] = {}
    position: int = 0
    """Where the content begins in the archive; nothing to writers."""

    @property
    def path(self) -> str:
        """The cleaned name, "" for the root."""
        return clean_path(self.name)

    @property
    def mtime(self) -> int:
        """Seconds since the epoch, rounded down."""
        return self.mtime_ns // NANOSECONDS

    @property
    def rounded_mtime(self) -> int:
        """Seconds since the epoch, rounded to the nearest as Go's archiver does."""
        return (self.mtime_ns + NANOSECONDS // 2) // NANOSECONDS


class Whiteout(msgspec.Struct, frozen=True):
    """What of the layers below a whiteout hides: ``path`` itself, or only all that is in it."""

    path: str
    opaque: bool = False


def clean_path(name: str) -> str:
    """``name`` without empty and ``.`` parts, ``..`` resolved as far as the text allows.

    A leading ``/`` or ``../`` stays, because it names another place; the root is "".
    """
    parts = name.split("/")
    if not _SPELLINGS.intersection(parts):
        return name
    cleaned = posixpath.normpath(name)
    if cleaned.startswith("//"):
        cleaned = cleaned[1:]
    return "" if cleaned == "." else cleaned


def rooted_path(name: str) -> str:
    """``name`` below the root of an image: ``/a`` is ``a`` there.

    Raises UnsafeEntry and TooLarge.
    """
    path = clean_path(name).lstrip("/")
    if path.partition("/")[0] == "..":
        raise UnsafeEntry(
            f"the name {name!r} leads out of the image",
            hint="do not use this image: no ordinary tool writes such names",
        )
    if path.count("/") > _MAX_DEPTH:
        raise TooLarge(f"the name {name[:100]!r}... is deeper than {_MAX_DEPTH} folders")
    return path


def whiteout_of(path: str) -> Whiteout | None:
    """The meaning of the cleaned ``path`` as a whiteout, None when it is none.

    Raises UnsafeEntry for one that would hide a folder by another name.
    """
    folder, name = posixpath.split(path)
    if not name.startswith(_WHITEOUT):
        return None
    if name == _OPAQUE:
        return Whiteout(folder, opaque=True)
    hidden = name.removeprefix(_WHITEOUT)
    if hidden in _SPELLINGS:
        raise UnsafeEntry(f"the whiteout {path!r} hides nothing that has a name")
    return Whiteout(posixpath.join(folder, hidden))
