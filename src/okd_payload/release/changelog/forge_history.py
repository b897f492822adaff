# SPDX-License-Identifier: Apache-2.0
"""Histories by GitHub's compare API: a request or two where git needs a copy.

For those who may not or cannot fetch a hundred repositories, and have a token: without one,
GitHub answers sixty requests an hour. What the API does not tell, and any other forge, is read
with git. API: "Compare two commits" of GitHub's REST API, version 2022-11-28.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec

from okd_payload.errors import NotFound
from okd_payload.oci.foreign_json import decode_json
from okd_payload.release.changelog.forges import Forge, find_forge
from okd_payload.release.changelog.trackers import FetchDocument
from okd_payload.release.times import EPOCH
from okd_payload.source.history import CommitRange, History, LoggedCommit, require_commits

Kind = TypeVar("Kind")

API = "https://api.github.com"
_HOST = "github.com"
_PAGE = 100
_MOST_PAGES = 50


class _Parent(msgspec.Struct, frozen=True):
    sha: str


class _Committer(msgspec.Struct, frozen=True):
    date: datetime = EPOCH


class _Details(msgspec.Struct, frozen=True):
    message: str = ""
    committer: _Committer = _Committer()


class _Commit(msgspec.Struct, frozen=True):
    sha: str
    parents: tuple[_Parent, ...] = ()
    commit: _Details = _Details()


class _Comparison(msgspec.Struct, frozen=True):
    total_commits: int = 0
    behind_by: int = 0
    commits: tuple[_Commit, ...] = ()


class ForgeHistory:
    """Asks GitHub, and ``otherwise`` what GitHub does not tell."""

    def __init__(self, fetch: FetchDocument, *, otherwise: History) -> None:
        self._fetch = fetch
        self._otherwise = otherwise

    async def between(self, location: str, before: str, after: str) -> CommitRange:
        """What ``after`` has that ``before`` has not. Raises RegistryError and SourceError."""
        forge = find_forge(location)
        if forge is None or forge.host != _HOST:
            return await self._otherwise.between(location, before, after)
        require_commits(before, after)
        try:
            comparison = await self._compare(forge, before, after)
        except NotFound:
            return CommitRange(gone=await self._find_gone(forge, before, after))
        if len(comparison.commits) < comparison.total_commits:
            return await self._otherwise.between(location, before, after)
        return CommitRange(commits=_main_line(comparison, after), left_behind=comparison.behind_by)

    async def _compare(self, forge: Forge, before: str, after: str) -> _Comparison:
        commits: list[_Commit] = []
        for page in range(1, _MOST_PAGES + 1):
            query = f"per_page={_PAGE}&page={page}"
            address = f"{API}/repos/{forge.path}/compare/{before}...{after}?{query}"
            found = await self._read(address, _Comparison)
            commits += found.commits
            if not found.commits or len(commits) >= found.total_commits:
                break
        return msgspec.structs.replace(found, commits=tuple(commits))

    async def _find_gone(self, forge: Forge, before: str, after: str) -> str:
        """The one of the two that is not there. Raises NotFound when both are."""
        for commit in (before, after):
            try:
                await self._read(f"{API}/repos/{forge.path}/commits/{commit}", _Commit)
            except NotFound:
                return commit
        raise NotFound(f"{forge.address} cannot compare {before} and {after}")

    async def _read(self, address: str, kind: type[Kind]) -> Kind:
        content = await self._fetch(address)
        return decode_json(content, kind, what="the answer of GitHub")


def _main_line(comparison: _Comparison, after: str) -> tuple[LoggedCommit, ...]:
    """The commits from ``after`` back by first parents, as far as they were listed."""
    listed = {commit.sha: commit for commit in comparison.commits}
    line = []
    place: str | None = after
    while place is not None and (commit := listed.pop(place, None)):
        subject, _, body = commit.commit.message.partition("\n")
        line.append(
            LoggedCommit(
                id=commit.sha,
                parents=tuple(parent.sha for parent in commit.parents),
                time=int(commit.commit.committer.date.timestamp()),
                subject=subject,
                body=body,
            )
        )
        place = commit.parents[0].sha if commit.parents else None
    return tuple(line)
