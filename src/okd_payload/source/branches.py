# SPDX-License-Identifier: Apache-2.0
"""Which branches a repository has, by one question, whatever its answer is needed for.

Nothing is fetched: the list of names is all that is wanted of 160 repositories before a stream
follows another branch. A tag of the same name counts where there is no such branch, as it does
when sources are resolved.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from okd_payload.errors import InputError, SourceError
from okd_payload.source.git import ANSWER_SECONDS, Git
from okd_payload.source.git_failures import complaint, hint_for
from okd_payload.source.remote import parse_remote

_LISTED = re.compile(r"^([0-9a-f]{40})\trefs/(heads|tags)/(\S+)$", re.MULTILINE)
_PEELED = "^{}"


class KnownBranches(msgspec.Struct, frozen=True):
    """Commit ids by the names of branches, and of the tags that were asked for by name."""

    commits: Mapping[str, str] = {}

    def __contains__(self, name: str) -> bool:
        """Whether the repository has a branch or tag called ``name``."""
        return name in self.commits


class Branches(Protocol):
    """Tells which branches repositories have."""

    async def find(
        self, location: str, names: Collection[str], *, patterns: Collection[str] = ()
    ) -> KnownBranches:
        """Those of ``names`` that the repository at ``location`` has, and all that fit a pattern.

        Patterns are globs of branch names. Raises SourceError.
        """
        ...


class GitBranches:
    """Asks the servers, each host as many at a time as ``Git`` allows."""

    def __init__(self, git: Git) -> None:
        self._git = git

    async def find(
        self, location: str, names: Collection[str], *, patterns: Collection[str] = ()
    ) -> KnownBranches:
        """What the server of ``location`` lists, by one question. Raises SourceError."""
        try:
            remote = parse_remote(location)
        except InputError as error:
            raise SourceError(error.message, hint=error.hint) from error
        wanted = [f"refs/{kind}/{name}" for name in names for kind in ("heads", "tags")]
        wanted += [f"refs/tags/{name}{_PEELED}" for name in names]
        wanted += [f"refs/heads/{pattern}" for pattern in patterns]
        purpose = "list the branches"
        outcome = await self._git.ask(
            remote, "ls-remote", "--", remote.url, *wanted, purpose=purpose, patience=ANSWER_SECONDS
        )
        if outcome.code != 0:
            raise SourceError(
                f"cannot {purpose} of {remote.url}: {complaint(outcome)}", hint=hint_for(outcome)
            )
        return KnownBranches(_read(outcome.output.decode(errors="surrogateescape")))


def _read(listed: str) -> dict[str, str]:
    """Commits by name; branches win over tags, and a tag means the commit that it points at."""
    found = [(kind, name, commit) for commit, kind, name in _LISTED.findall(listed)]
    tags = {name: commit for kind, name, commit in found if kind == "tags"}
    peeled = {
        name.removesuffix(_PEELED): commit
        for name, commit in tags.items()
        if name.endswith(_PEELED)
    }
    plain = {name: commit for name, commit in tags.items() if not name.endswith(_PEELED)}
    return plain | peeled | {name: commit for kind, name, commit in found if kind == "heads"}
