# SPDX-License-Identifier: Apache-2.0
"""Addresses for people: where a forge shows a commit, a request, or what lies between commits.

GitHub's form is that of GitHub, Gitea and Forgejo; hosts that are called after GitLab get
GitLab's. A location that no browser can open gives no address.
"""

from __future__ import annotations

import re

import msgspec

_OVER_SSH = re.compile(r"(?:ssh://)?git@(?P<host>[^:/]+)(?::[0-9]+/|[:/])(?P<path>.+)")
_WEB = re.compile(r"https?://(?:[^@/]*@)?(?P<host>[^/]+)/(?P<path>.+)")


class Forge(msgspec.Struct, frozen=True):
    """A repository as a web site shows it."""

    host: str
    path: str

    @property
    def is_gitlab(self) -> bool:
        """Whether its addresses have GitLab's form."""
        return "gitlab" in self.host

    @property
    def address(self) -> str:
        """The repository."""
        return f"https://{self.host}/{self.path}"

    def commit(self, commit: str) -> str:
        """One commit."""
        return f"{self._below}/commit/{commit}"

    def tree(self, commit: str) -> str:
        """The files at a commit."""
        return f"{self._below}/tree/{commit}"

    def request(self, number: int) -> str:
        """A pull or merge request."""
        kind = "merge_requests" if self.is_gitlab else "pull"
        return f"{self._below}/{kind}/{number}"

    def comparison(self, before: str, after: str) -> str:
        """What lies between two commits."""
        return f"{self._below}/compare/{before}...{after}"

    @property
    def _below(self) -> str:
        return f"{self.address}/-" if self.is_gitlab else self.address


def find_forge(location: str) -> Forge | None:
    """The web site of the repository at ``location``, None when it has none."""
    found = _WEB.fullmatch(location) or _OVER_SSH.fullmatch(location)
    if not found:
        return None
    path = found["path"].strip("/").removesuffix(".git")
    return Forge(found["host"], path) if path else None
