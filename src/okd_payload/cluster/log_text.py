# SPDX-License-Identifier: Apache-2.0
"""The log of a container, of which pieces may come twice and connections may be cut.

The log is read with the time of every line. What came last is kept as it came, a bounded part;
when the log is read again from a second before, the lines that were told already are known by
their times, line by line and not by order: the two streams of a container are not always in
order, and a kubelet that began a new file does not show the old one again. The last line may be
told in part. Times are taken off before anything is told.
"""

from __future__ import annotations

import collections
import datetime as dt
import re
from collections.abc import Iterator

_STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) "
_AT_LINES = re.compile(rb"^" + _STAMP, re.MULTILINE)
_AT_START = re.compile(_STAMP)
_LONGEST_STAMP = 40
_WINDOW = 1 << 20
"""Bytes that are kept to recognise what comes again."""


class LogText:
    """The text of a log, each part once."""

    def __init__(self) -> None:
        self._window: collections.deque[bytes] = collections.deque()
        self._size = 0
        self._trimmed = False
        self._held = b""
        """The beginning of a line whose time has not come whole."""
        self._inside = False
        """Whether the last line was told in part."""
        self._told: _Told | None = None
        """After a cut: what was told and may come again."""

    @property
    def since(self) -> str:
        """The moment from which to read again; empty when from the beginning."""
        stamps = _AT_LINES.findall(self._lines())
        if not stamps:
            return ""
        latest = dt.datetime.fromisoformat(max(stamps).decode().strip())
        before = latest.astimezone(dt.UTC) - dt.timedelta(seconds=1)
        return before.strftime("%Y-%m-%dT%H:%M:%SZ")

    def take(self, piece: bytes) -> bytes:
        """What is new in the next ``piece``, without times."""
        if self._told is None:
            return self._without_times(piece)
        new = [self._sort_out(self._told, line) for line in self._told.lines(piece)]
        if self._told.over:
            rest, self._told = self._told.rest, None
            new.append(self._without_times(rest))
        return b"".join(new)

    def finish(self) -> bytes:
        """What is left to tell when the server has ended the stream."""
        rest = b""
        if self._told is not None and self._told.rest:
            rest = self._sort_out(self._told, self._told.rest)
            self._told.rest = b""
        held, self._held = self._held, b""
        self._inside = self._inside or bool(held)
        return rest + held

    def begin_again(self) -> None:
        """The connection was lost, or ended; what comes next begins at ``since``."""
        if self._held:  # nothing of it was told
            kept = b"".join(self._window)[: -len(self._held)]
            self._window = collections.deque([kept])
            self._size = len(kept)
            self._held = b""
        self._told = _Told(self._lines(), trimmed=self._trimmed)

    def _sort_out(self, told: _Told, line: bytes) -> bytes:
        """What is new in a line, or the beginning of the last one, of what comes after a cut."""
        skipped = told.recognise(line)
        if skipped is None:
            separator = b"\n" if self._inside else b""  # the rest of that line is lost
            self._keep(separator)
            self._inside = False
            return separator + self._without_times(line)
        return self._without_times(line[skipped:]) if line[skipped:] else b""

    def _lines(self) -> bytes:
        """What is kept, from the beginning of a line on."""
        kept = b"".join(self._window)
        return kept[kept.find(b"\n") + 1 :] if self._trimmed else kept

    def _keep(self, piece: bytes) -> None:
        if not piece:
            return
        self._window.append(piece)
        self._size += len(piece)
        while self._size > _WINDOW and len(self._window) > 1:
            self._size -= len(self._window.popleft())
            self._trimmed = True

    def _without_times(self, piece: bytes) -> bytes:
        self._keep(piece)
        piece = self._held + piece
        self._held = b""
        head = b""
        if self._inside:
            end = piece.find(b"\n") + 1
            if not end:
                return piece
            head, piece = piece[:end], piece[end:]
            self._inside = False
        end = piece.rfind(b"\n") + 1
        whole, rest = piece[:end], piece[end:]
        return head + _AT_LINES.sub(b"", whole) + self._beginning(rest)

    def _beginning(self, rest: bytes) -> bytes:
        """What can be told of a line that has not ended."""
        if not rest:
            return b""
        stamp = _AT_START.match(rest)
        if stamp is None and len(rest) < _LONGEST_STAMP:
            self._held = rest
            return b""
        self._inside = True
        return rest[stamp.end() :] if stamp else rest


class _Told:
    """Lines that were told before a cut, by which those that come again are recognised."""

    def __init__(self, kept: bytes, *, trimmed: bool) -> None:
        *lines, last = kept.split(b"\n")
        stamps = [found.group() for line in lines if (found := _AT_START.match(line))]
        opened = _AT_START.match(last)
        self._open = opened.group() if opened else b""
        self._open_size = len(last)
        self._lines = collections.Counter(stamps)
        self._left = len(stamps)
        self._oldest = min(stamps, default=b"") if trimmed else b""
        self._newest = max([*stamps, self._open], default=b"")
        self.rest = b""
        """The beginning of a line that has not ended; once ``over``, all that is left."""
        self.over = not self._newest
        """Whether nothing that comes from here on can have been told."""

    def lines(self, piece: bytes) -> Iterator[bytes]:
        """The lines that ``piece`` completes, until nothing of them can be old."""
        self.rest += piece
        begin = 0
        while not self.over and (end := self.rest.find(b"\n", begin) + 1):
            yield self.rest[begin:end]
            begin = end
        self.rest = self.rest[begin:]

    def recognise(self, line: bytes) -> int | None:
        """How many bytes of the line were told; None when it is new."""
        found = _AT_START.match(line)
        stamp = found.group() if found else b""
        if stamp and self._lines[stamp]:
            self._lines[stamp] -= 1
            self._left -= 1
            self.over = not self._left and not self._open
            return len(line)
        if stamp and stamp == self._open:
            self._open = b""
            self.over = not self._left
            return self._open_size
        if stamp and stamp < self._oldest:
            return len(line)
        self.over = self.over or stamp[:19] > self._newest[:19]
        return None
