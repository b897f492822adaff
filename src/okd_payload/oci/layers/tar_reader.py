# SPDX-License-Identifier: Apache-2.0
"""Parsing a tar archive that arrives in chunks.

A parser of our own, because bodies nobody wants are then skipped without a copy, and because
every limit and every oddity is decided here: POSIX, PAX (local and global), GNU and V7 archives
are read; sparse files, multi-volume parts and other rarities are refused by name; archives
that are damaged or cut short are ContentError. As for Go, an archive may end without its two
zero blocks, and what follows them is ignored.
"""

from __future__ import annotations

import re
from typing import Protocol

from okd_payload.errors import ContentError, TooLarge, UnsupportedContent
from okd_payload.oci.layers.bounds import DEFAULT_BOUNDS, Bounds
from okd_payload.oci.layers.entry import NANOSECONDS, Entry, EntryKind
from okd_payload.oci.layers.tar_header import (
    BLOCK_BYTES,
    XATTR,
    ZERO_BLOCK,
    Header,
    decode_header,
    decode_records,
    padding_of,
)

_KINDS = {kind.value: kind for kind in EntryKind} | dict.fromkeys((b"\0", b"7"), EntryKind.FILE)
_LINKS = frozenset({EntryKind.HARD_LINK, EntryKind.SYMBOLIC_LINK})
_GLOBAL, _LOCAL, _LONG_NAME, _LONG_LINK = b"g", b"x", b"L", b"K"
_EXTENSIONS = frozenset({_GLOBAL, _LOCAL, b"X", _LONG_NAME, _LONG_LINK})
_REFUSED = {
    b"S": "a sparse file",
    b"D": "a GNU folder listing",
    b"M": "a part of a multi-volume archive",
    b"V": "a volume label",
}
_SPARSE = "GNU.sparse."
_KNOWN_RECORDS = frozenset({"path", "linkpath", "size", "mtime", "uid", "gid", "uname", "gname"})
_WHOLE = re.compile(rb"[0-9]{1,19}")
_SECONDS = re.compile(rb"(?P<sign>-?)(?P<whole>[0-9]{1,18})(?:\.(?P<fraction>[0-9]*))?")
_LARGEST = 1 << 62


class Visitor(Protocol):
    """Whoever wants to know what is in an archive."""

    def enter(self, entry: Entry) -> bool:
        """A new entry; whether its content is wanted, in which case ``leave`` follows too."""
        ...

    def take(self, content: memoryview) -> None:
        """The next bytes of the entry last entered."""
        ...

    def leave(self) -> None:
        """All of its content has been given."""
        ...


class TarReader:
    """Takes an archive in chunks of any size and shows its entries to a visitor."""

    def __init__(self, visitor: Visitor, *, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self._visitor = visitor
        self._bounds = bounds
        self._position = 0
        self._block = b""
        self._zero_blocks = 0
        self._body = 0
        """Bytes of content still to come, padding not counted."""
        self._padding = 0
        self._wanted = False
        self._extension: bytes = b""
        """The flag of the extended header whose data is being read."""
        self._extension_data = bytearray()
        self._extended = _Extensions(bounds)
        self._entries = 0

    def feed(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes. Raises ContentError, and whatever the visitor raises."""
        view = memoryview(chunk)
        start, end = 0, len(view)
        while start < end and self._zero_blocks < 2:
            block = b""
            if self._body:
                used = min(self._body, end - start)
                self._take_body(view[start : start + used])
            elif self._padding:
                used = min(self._padding, end - start)
                self._padding -= used
            else:
                used = min(BLOCK_BYTES - len(self._block), end - start)
                block = self._block + view[start : start + used]
                self._block = block
            start += used
            self._position += used
            if len(block) == BLOCK_BYTES:
                self._block = b""
                self._take_block(block)

    def finish(self) -> None:
        """Say that nothing follows. Raises ContentError when the archive is cut short."""
        if self._block or self._body or self._padding or self._extended.pending:
            raise ContentError(
                "a layer is cut short: its archive ends inside an entry",
                hint="fetch or build the image again",
            )

    def _take_block(self, block: bytes) -> None:
        if block == ZERO_BLOCK:
            self._zero_blocks += 1
            return
        if self._zero_blocks:
            raise ContentError("a layer is damaged: its archive goes on after a zero block")
        header = decode_header(block)
        if header.flag in _EXTENSIONS:
            self._begin_extension(header)
        else:
            self._begin_entry(header)

    def _begin_extension(self, header: Header) -> None:
        if not 0 <= header.size <= self._bounds.header_bytes:
            raise TooLarge(f"an extended header of {header.size} bytes in a layer")
        self._extension = header.flag
        self._body, self._padding = header.size, padding_of(header.size)
        if not header.size:
            self._end_body()

    def _begin_entry(self, header: Header) -> None:
        self._entries += 1
        if self._entries > self._bounds.entries:
            raise TooLarge(f"more than {self._bounds.entries} entries in a layer")
        entry = self._extended.apply(header, self._position)
        self._body, self._padding = entry.size, padding_of(entry.size)
        self._wanted = self._visitor.enter(entry)
        if not entry.size:
            self._end_body()

    def _take_body(self, content: memoryview) -> None:
        self._body -= len(content)
        if self._extension:
            self._extension_data += content
        elif self._wanted:
            self._visitor.take(content)
        if not self._body:
            self._end_body()

    def _end_body(self) -> None:
        if self._extension:
            flag, data = self._extension, bytes(self._extension_data)
            self._extension, self._extension_data = b"", bytearray()
            self._extended.add(flag, data)
        elif self._wanted:
            self._wanted = False
            self._visitor.leave()


class _Extensions:
    """What extended headers say about the entries that follow them."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._global: dict[str, bytes] = {}
        self._local: dict[str, bytes] = {}
        self._gnu: dict[str, bytes] = {}

    @property
    def pending(self) -> bool:
        """Whether an entry must follow."""
        return bool(self._local or self._gnu)

    def add(self, flag: bytes, data: bytes) -> None:
        """Remember the ``data`` of an extended header."""
        if flag in (_LONG_NAME, _LONG_LINK):
            self._gnu["path" if flag == _LONG_NAME else "linkpath"] = data.partition(b"\0")[0]
            return
        records = decode_records(data)
        if any(key.startswith(_SPARSE) for key in records):
            raise _unsupported("a sparse file")
        known = self._global if flag == _GLOBAL else self._local
        known |= {key: records[key] for key in records if _is_known(key)}
        size = sum(len(key) + len(value) for key, value in known.items())
        if size > self._bounds.header_bytes:
            raise TooLarge(f"extended headers of {size} bytes in a layer")

    def apply(self, header: Header, position: int) -> Entry:
        """The entry that ``header`` and all that was said before it describe."""
        records = self._records() if self._global or self._local or self._gnu else {}
        size = _whole(records, "size", header.size)
        name = self._name(records.get("path", header.name))
        kind = _kind_of(header, name)
        link = self._name(records.get("linkpath", header.link))
        if not (name and (link or kind not in _LINKS)):
            raise ContentError("a layer is damaged: an entry has no name or a link no target")
        return Entry(
            name=name,
            kind=kind,
            mode=header.mode & 0o7777,
            uid=_whole(records, "uid", header.uid),
            gid=_whole(records, "gid", header.gid),
            uname=_decode(records.get("uname", header.uname)),
            gname=_decode(records.get("gname", header.gname)),
            size=size if kind is EntryKind.FILE else 0,
            mtime_ns=_nanoseconds(records.get("mtime"), header.mtime),
            link=link,
            device=header.device,
            xattrs={
                key.removeprefix(XATTR): value
                for key, value in records.items()
                if key.startswith(XATTR)
            }
            if records
            else {},
            position=position,
        )

    def _records(self) -> dict[str, bytes]:
        """What holds for the next entry alone, and is thereby used up, and what holds for all."""
        merged = {**self._global, **self._local, **self._gnu}
        self._local, self._gnu = {}, {}
        return {key: value for key, value in merged.items() if value or key.startswith(XATTR)}

    def _name(self, name: bytes) -> str:
        if len(name) > self._bounds.name_bytes:
            raise TooLarge(f"a name of {len(name)} bytes in a layer")
        if b"\0" in name:
            raise ContentError("a layer is damaged: a name contains a NUL")
        return _decode(name)


def _kind_of(header: Header, name: str) -> EntryKind:
    kind = _KINDS.get(header.flag)
    if kind is None:
        raise _unsupported(_REFUSED.get(header.flag, f"an entry of the type {header.flag!r}"))
    if header.size < 0:
        raise ContentError("a layer is damaged: an entry has a negative size")
    is_folder = kind is EntryKind.FILE and name.endswith("/")
    return EntryKind.DIRECTORY if is_folder else kind


def _unsupported(what: str) -> UnsupportedContent:
    return UnsupportedContent(
        f"a layer contains {what}, which is not supported",
        hint="write the layer again with an ordinary container tool",
    )


def _is_known(key: str) -> bool:
    return key in _KNOWN_RECORDS or key.startswith(XATTR)


def _whole(records: dict[str, bytes], key: str, fallback: int) -> int:
    value = records.get(key)
    if value is not None and not _WHOLE.fullmatch(value):
        raise ContentError(f"a layer is damaged: the PAX record {key} is no number")
    number = fallback if value is None else int(value)
    if not -_LARGEST < number < _LARGEST:
        raise ContentError(f"a layer is damaged: {key} is {number}")
    return number


def _nanoseconds(value: bytes | None, fallback: int) -> int:
    if value is None:
        return fallback * NANOSECONDS
    matched = _SECONDS.fullmatch(value)
    if matched is None:
        raise ContentError("a layer is damaged: the PAX record mtime is no time")
    digits = matched["whole"] + (matched["fraction"] or b"")[:9].ljust(9, b"0")
    return -int(digits) if matched["sign"] else int(digits)


def _decode(name: bytes) -> str:
    return name.decode(errors="surrogateescape")
