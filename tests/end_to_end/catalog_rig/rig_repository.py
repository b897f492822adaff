# SPDX-License-Identifier: Apache-2.0
"""Bare repositories with any history, written at once and the same everywhere.

A commit here is the whole content of a tree; ``git fast-import`` makes it, so that a repository
with all its branches costs one process. Author, committer and times are fixed, and so are the ids.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

FIRST_TIME = 1_700_000_000
_PERSON = "A. Person <person@example.com>"
_SETTINGS = {
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "http.receivepack": "false",
}

Files = Mapping[str, str]


class GitRepository:
    """A repository that servers have: branches, tags, and the refs of pull requests."""

    def __init__(self, path: Path, *, first_time: int = FIRST_TIME) -> None:
        self.path = path
        self._time = first_time
        subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", path], check=True)
        for name, value in _SETTINGS.items():
            self.git("config", name, value)

    def git(self, *arguments: str) -> str:
        """What git prints."""
        done = subprocess.run(
            ["git", "-C", self.path, *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(
        self, ref: str, files: Files, message: str = "Change", *, on: str | None = None
    ) -> str:
        """Let ``ref`` be a new commit of exactly ``files``; its id.

        Its parent is ``on``, or what ``ref`` was before; "" gives it none, as after a rewritten
        history. Short names are branches.
        """
        ref = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
        parent = self.find(ref) if on is None else on and self.find(on)
        self._time += 60
        lines = [
            f"commit {ref}",
            f"author {_PERSON} {self._time} +0000",
            f"committer {_PERSON} {self._time} +0000",
            _data(f"{message}\n"),
        ]
        if parent:
            lines.append(f"from {parent}")
        lines.append("deleteall")
        for path, content in sorted(files.items()):
            mode = "100755" if content.startswith("#!") else "100644"
            lines.append(f"M {mode} inline {path}\n{_data(content)}")
        if not parent:
            lines.insert(0, f"reset {ref}")
        subprocess.run(
            ["git", "-C", self.path, "fast-import", "--quiet", "--force", "--done"],
            input="\n".join([*lines, "done", ""]).encode(),
            check=True,
        )
        return self.find(ref)

    def branch(self, name: str, at: str) -> None:
        """A branch at what ``at`` is now."""
        self.git("branch", "--force", name, at)

    def find(self, ref: str) -> str:
        """The commit id of ``ref``; "" when there is none."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        except subprocess.CalledProcessError:
            return ""

    def files(self, ref: str) -> dict[str, str]:
        """Everything that ``ref`` has."""
        names = self.git("ls-tree", "-r", "--name-only", ref).splitlines()
        return {name: self._content(ref, name) for name in names}

    def pseudo_version(self, ref: str) -> str:
        """How Go modules write the commit of ``ref`` as a version."""
        time = self.git("log", "-1", "--date=format:%Y%m%d%H%M%S", "--format=%cd", ref)
        return f"v0.0.0-{time}-{self.find(ref)[:12]}"

    def _content(self, ref: str, name: str) -> str:
        done = subprocess.run(
            ["git", "-C", self.path, "show", f"{ref}:{name}"], check=True, capture_output=True
        )
        return done.stdout.decode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"
