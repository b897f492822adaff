# SPDX-License-Identifier: Apache-2.0
"""Logs and artifacts of runs, read in bounded pieces from below the state folder.

A log is what a stranger's program printed: of any size, with lines of any length and terminal
sequences. Nothing outside the folder is read, whatever a record says.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload.web.pages.words import clean

PIECE = 128 * 1024
"""Bytes that a page reads of a log."""
LONGEST_LINE = 2000
_LONGEST_FILE = 16 << 20
"""Bytes of a result file that are looked at."""


class LogPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a log, ready to be shown."""

    text: str
    start: int
    """Where it begins in the file; more than 0 when there is something before it."""
    end: int
    """Where the next piece begins."""
    size: int


def find_file(state: Path, name: str) -> Path | None:
    """The file ``name`` below ``state``; None when there is none, or it lies elsewhere."""
    if not name or "\x00" in name:
        return None
    try:
        root, path = state.resolve(), (state / name).resolve()
        found = path.is_relative_to(root) and path.is_file()
    except (OSError, RuntimeError):
        return None
    return path if found else None


def read_tail(path: Path, *, size: int = PIECE) -> LogPiece:
    """The last ``size`` bytes of a log, from the beginning of a line on where one is near."""
    return read_before(path, _length(path), size=size)


def read_from(path: Path, offset: int, *, size: int = PIECE, whole: bool = False) -> LogPiece:
    """What was logged after ``offset``, whole lines of at most ``size`` bytes.

    At the end of the log, a line that is not whole yet is left for later if ``whole``.
    """
    length = _length(path)
    offset = max(0, min(offset, length))
    content = _read(path, offset, size)
    end = content.rfind(b"\n") + 1
    if (end and offset + len(content) < length) or (whole and len(content) < size):
        content = content[:end]
    return _piece(content, offset, length)


def read_before(path: Path, end: int, *, size: int = PIECE) -> LogPiece:
    """The piece of a log that ends at ``end``, from the beginning of a line where one is near."""
    length = _length(path)
    end = max(0, min(end, length))
    start = max(0, end - size)
    content = _read(path, start, end - start)
    if start:
        cut = content.find(b"\n", 0, size // 2) + 1
        start, content = start + cut, content[cut:]
    return _piece(content, start, length)


def read_bounded(path: Path) -> bytes:
    """The content of a file of results, as far as it is looked at."""
    return _read(path, 0, _LONGEST_FILE)


def last_lines(piece: LogPiece, count: int) -> str:
    """The last lines of ``piece``."""
    return "\n".join(piece.text.rstrip("\n").splitlines()[-count:])


def _piece(content: bytes, start: int, length: int) -> LogPiece:
    text = content.decode(errors="replace")
    lines = (clean(line, LONGEST_LINE) for line in text.split("\n"))
    return LogPiece(text="\n".join(lines), start=start, end=start + len(content), size=length)


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read(path: Path, offset: int, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size)
    except OSError:
        return b""
