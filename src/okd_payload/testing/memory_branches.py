# SPDX-License-Identifier: Apache-2.0
"""Repositories that are nothing but names of branches: the twin of ``GitBranches``.

Tests break one with ``fail``, and read from ``asked`` who was asked, in order.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Collection

from okd_payload.errors import OkdPayloadError, SourceError
from okd_payload.source.branches import KnownBranches


class MemoryBranches:
    """Branches in memory, by location."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """The location of every question, in order."""
        self._branches: dict[str, tuple[str, ...] | OkdPayloadError] = {}

    def put(self, location: str, *names: str) -> None:
        """Let the repository at ``location`` have the branches ``names``."""
        self._branches[location] = names

    def fail(self, location: str, error: OkdPayloadError) -> None:
        """Let every question about ``location`` raise ``error`` from now on."""
        self._branches[location] = error

    async def find(
        self, location: str, names: Collection[str], *, patterns: Collection[str] = ()
    ) -> KnownBranches:
        """Those of ``names`` that were put, and all that fit a pattern."""
        self.asked.append(location)
        known = self._branches.get(location)
        if known is None:
            raise SourceError(f"there is no repository {location}", hint="put it first")
        if isinstance(known, OkdPayloadError):
            raise known
        fitting = (
            name
            for name in known
            if name in names or any(fnmatch.fnmatchcase(name, each) for each in patterns)
        )
        return KnownBranches(
            {name: hashlib.sha1(f"{location} {name}".encode()).hexdigest() for name in fitting}  # noqa: S324 - the form of a commit id
        )
