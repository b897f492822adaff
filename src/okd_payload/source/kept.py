# SPDX-License-Identifier: Apache-2.0
"""What was read at commits, kept: a commit never says anything else.

A plan reads one file of each of 160 repositories. Asking git for them again takes a process
for each; here it takes opening a file. Kept are descriptions of commits and single files, also
that there is none. It is a cache: whatever is damaged or gone is read anew.
"""

from __future__ import annotations

import hashlib

import msgspec

from okd_payload.clock import Clock
from okd_payload.locations import Locations
from okd_payload.oci.cache.shelf import Shelf
from okd_payload.source.model import Commit, GitSource
from okd_payload.source.remote import redacted

MAX_FILE_BYTES = 1024 * 1024
"""Dockerfiles and module lists are smaller; what is not is left to the mirror."""
_SHELF = "sources"
_FILE = b"+"
_NO_FILE = b"-"


class KeptFile(msgspec.Struct, frozen=True):
    """What is at a path of a commit; ``content`` is None when nothing is."""

    content: bytes | None


class KeptReadings:
    """Descriptions and files of commits, below the cache that ``prune`` keeps small."""

    def __init__(self, locations: Locations, *, clock: Clock) -> None:
        self._shelf = Shelf(locations.content / _SHELF, clock=clock)

    def file(self, commit: str, path: str) -> KeptFile | None:
        """The file at ``path`` of ``commit``, None when that was not read yet."""
        kept = self._shelf.get(_key("file", commit, path))
        if not kept:
            return None
        return KeptFile(None if kept[:1] == _NO_FILE else kept[1:])

    def keep_file(self, commit: str, path: str, content: bytes | None) -> None:
        """Keep that ``content`` is at ``path`` of ``commit``."""
        if content is None:
            self._shelf.put(_key("file", commit, path), _NO_FILE)
        elif len(content) <= MAX_FILE_BYTES:
            self._shelf.put(_key("file", commit, path), _FILE + content)

    def commit(self, source: GitSource, commit: str) -> Commit | None:
        """The description of ``commit`` as ``source`` means it, None when it was not read yet."""
        kept = self._shelf.get(_key_of_commit(source, commit))
        if kept is None:
            return None
        try:
            return msgspec.json.decode(kept, type=Commit)
        except msgspec.MsgspecError:  # kept by a version that knew other fields
            return None

    def keep_commit(self, source: GitSource, commit: Commit) -> None:
        """Keep the description of ``commit``, which ``source`` means."""
        self._shelf.put(_key_of_commit(source, commit.id), msgspec.json.encode(commit))


def _key_of_commit(source: GitSource, commit: str) -> str:
    return _key("commit", commit, redacted(source.url), source.ref)


def _key(*parts: str) -> str:
    joined = "\0".join(parts).encode(errors="surrogateescape")
    return hashlib.sha256(joined).hexdigest()
