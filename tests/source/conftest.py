# SPDX-License-Identifier: Apache-2.0
"""Real repositories to read from, and a git that no configuration of this machine reaches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from okd_payload.locations import Locations
from okd_payload.source.tree import Sources
from okd_payload.testing.git_server import serve_git

sys.path.insert(0, str(Path(__file__).parent))

DATE = "2024-05-06T07:08:09+0200"
TIME = 1_714_972_089


class StandingClock:
    """Time that passes only by waiting, at once."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return 0.0 + sum(self.waits)

    def monotonic(self) -> float:
        return sum(self.waits)

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


class Repository:
    """A git work tree, changed with the real git."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    @property
    def url(self) -> str:
        """Its URL, by which it is read through the whole protocol."""
        return f"file://{self.path}"

    def git(self, *arguments: str) -> str:
        """What git prints."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, **files: str) -> None:
        """Write files; ``__`` in a name stands for a slash, ``_DOT_`` for a dot."""
        for name, content in files.items():
            path = self.path / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def commit(self, message: str = "Change", **files: str) -> str:
        """Commit everything there is, with ``files`` written before; the commit's id."""
        self.write(**files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def known_git(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same identity, date and configuration everywhere."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    configuration = tmp_path_factory.mktemp("git") / "config"
    configuration.write_text("[uploadpack]\n\tallowFilter = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A. Person")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "person@example.com")
        monkeypatch.setenv(f"GIT_{role}_DATE", DATE)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository."""
    return Repository(tmp_path / "repository")


@pytest.fixture
def locations(tmp_path: Path) -> Locations:
    """A cache and a state folder of the test's own."""
    return Locations(cache=tmp_path / "cache", state=tmp_path / "state")


@pytest.fixture
def clock() -> StandingClock:
    """A clock on which back-off takes no time."""
    return StandingClock()


@pytest.fixture
def sources(locations: Locations, clock: StandingClock) -> Sources:
    """Sources with an empty cache."""
    return Sources(locations, clock=clock)


@pytest.fixture
def server(repository, tmp_path: Path):
    """The repository of the test over HTTP."""
    with serve_git(tmp_path) as running:
        yield running
