# SPDX-License-Identifier: Apache-2.0
"""Sources as values, and the seam through which everything reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from okd_payload.source.alteration import Alteration
from okd_payload.source.remote import redacted


class GitSource(msgspec.Struct, frozen=True, kw_only=True, tag="git"):
    """A git repository at a branch, tag or commit; an empty ``ref`` is the default branch."""

    url: str
    ref: str = ""

    def __str__(self) -> str:
        shown = redacted(self.url)
        return f"{shown}@{self.ref}" if self.ref else shown


class FolderSource(msgspec.Struct, frozen=True, kw_only=True, tag="folder"):
    """A folder of this machine, uncommitted changes included; ``path`` is absolute."""

    path: str

    def __str__(self) -> str:
        return self.path


Source = GitSource | FolderSource


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A source frozen to its content. Everything here goes into build keys and labels.

    A folder has a commit too: the one git would make of its content with fixed author and
    date, so that equal content has equal identity on every machine. Its parent is HEAD where
    the folder is the top of a git work tree, and then a clean tree is HEAD itself.
    """

    id: str
    """40 hexadecimal digits."""
    tree: str
    """git's id of the top tree: equal content, equal tree."""
    time: int
    """Committer time, seconds since the epoch: what reproducible builds stamp."""
    location: str
    """For people and labels: the URL without credentials, or "" for a plain folder."""
    ref: str = ""
    author: str = ""
    date: str = ""
    """Author date as git prints it."""
    message: str = ""
    """First line."""
    dirty: bool = False
    """Whether the content has changes that no repository knows."""


class SourceTree(Protocol):
    """Resolving, reading and altering sources."""

    async def resolve(self, source: Source) -> Commit:
        """The commit that ``source`` means now. Raises SourceError."""
        ...

    async def read_file(self, source: Source, commit: Commit, path: str) -> bytes | None:
        """One file's content at ``commit``, links followed; None when there is no such file.

        Raises SourceError, also for a path that leads out of the source.
        """
        ...

    async def check_out(self, source: Source, commit: Commit, directory: Path) -> None:
        """Fill the empty ``directory`` with exactly the content of ``commit``, clean.

        Files have the permissions 644 or 755, everything has the commit's time, and there is no
        ``.git``. Raises SourceError.
        """
        ...

    async def alter(self, source: Source, commit: Commit, alteration: Alteration) -> Commit:
        """The commit on top of ``commit`` that has ``alteration`` in it; the source stays.

        What it means can be read and checked out with ``source`` as long as this object lives.
        Raises PatchConflict when a patch does not apply, and SourceError.
        """
        ...
