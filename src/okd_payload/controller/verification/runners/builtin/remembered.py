# SPDX-License-Identifier: Apache-2.0
"""Which images have started before: by digest, which is all that it depends on.

Most images of a release are those of the release before it, and starting one takes reading it
whole. Only good ends are remembered: what failed is tried again each time.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from okd_payload.oci.digest import Digest
from okd_payload.release.output_file import write_output

_RULES = 1
"""Another number forgets everything: the rules of what is good have changed."""
_SECONDS = 30 * 24 * 3600.0


class GoodEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of an image that is good."""

    ran: bool
    """Whether it was started, and not only looked at."""
    word: str
    time: float
    rules: int = _RULES


class GoodEnds:
    """The files of one folder, each called by the digest of its image."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, digest: Digest, *, now: float) -> GoodEnd | None:
        """What is remembered of the image; nothing that is a month old."""
        try:
            found = msgspec.json.decode(self._path(digest).read_bytes(), type=GoodEnd)
        except (OSError, msgspec.MsgspecError):
            return None
        is_good = found.rules == _RULES and 0 <= now - found.time < _SECONDS
        return found if is_good else None

    def note(self, digest: Digest, end: GoodEnd) -> None:
        """Remember what was found. Raises StorageError."""
        write_output(self._path(digest), msgspec.json.encode(end))

    def forget(self, *, now: float) -> None:
        """Delete what is a month old."""
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if path.stat().st_mtime < now - _SECONDS:
                    path.unlink()

    def _path(self, digest: Digest) -> Path:
        return self._folder / digest.replace(":", "-")
