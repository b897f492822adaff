# SPDX-License-Identifier: Apache-2.0
"""A hundred repositories of a real git server: each file is read once, whatever some of them do."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from okd_payload.build.inputs import Inputs, read_inputs
from okd_payload.catalog.component import Component, Origin
from okd_payload.clock import SystemClock
from okd_payload.locations import Locations
from okd_payload.source.lock import Lock, LockedSource
from okd_payload.source.model import Commit, GitSource
from okd_payload.source.tree import Sources
from okd_payload.testing.git_server import serve_git_daemon

pytestmark = [pytest.mark.integration, pytest.mark.slow]

REPOSITORIES = 100
VENDORED = 200
"""Files that nobody wants to read."""


class Daemon:
    """The repositories of a git daemon, and what it was asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "log"
        self.address = ""

    def requests(self) -> int:
        """How often anything was asked for."""
        return self.log.read_text().count("Request upload-pack")

    def url(self, name: str) -> str:
        """The URL of a repository."""
        return f"{self.address}/{name}"

    def write(self, name: str, branch: str = "main", *, base: str = "") -> None:
        """Make the repository ``name``, or give ``branch`` a new history."""
        path = self.root / name
        if not path.exists():
            subprocess.run(["git", "init", "--quiet", "--bare", path], check=True)
            with (path / "config").open("a") as config:
                config.write("[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = false\n")
        files = {"images/Dockerfile": f"FROM {base or name}\n"}
        files |= {f"vendor/{number % 20}/{number}.go": "package x\n" for number in range(VENDORED)}
        stream = f"commit refs/heads/{branch}\ncommitter A <a@example.com> 1700000000 +0000\n"
        stream += "data 1\nx\ndeleteall\n"
        for file, text in files.items():
            stream += f"M 644 inline {file}\ndata {len(text)}\n{text}\n"
        subprocess.run(
            ["git", "--git-dir", path, "fast-import", "--quiet", "--force"],
            input=stream.encode(),
            check=True,
        )

    def forget(self, name: str) -> None:
        """Throw away what no branch of ``name`` has any more."""
        for command in (["reflog", "expire", "--expire=now", "--all"], ["gc", "--prune=now", "-q"]):
            subprocess.run(["git", "--git-dir", self.root / name, *command], check=True)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server with a hundred repositories."""
    made = Daemon(tmp_path_factory.mktemp("repositories"))
    for number in range(REPOSITORIES):
        made.write(f"r{number}")
    with serve_git_daemon(made.root, log=made.log) as made.address:
        yield made


def component(name: str, url: str, *, ref: str = "main") -> Component:
    """A component whose Dockerfile is in a folder of this repository."""
    return Component(
        name=name,
        tag=name,
        origin=Origin(f"{name}.yaml", 1),
        source=GitSource(url=url, ref=ref),
        dockerfile_path="images/Dockerfile",
    )


def sources(folder: Path, *, patience: float = 60.0) -> Sources:
    """Sources of a run with its cache in ``folder``."""
    locations = Locations(cache=folder / "cache", state=folder / "state")
    return Sources(locations, clock=SystemClock(), patience=patience)


def fetched_files(folder: Path) -> int:
    """How many files the copy of the first repository holds."""
    mirror = next((folder / "cache" / "git").glob("*-r0-*[!k]"))
    listing = ["git", "--git-dir", str(mirror), "cat-file", "--batch-all-objects"]
    objects = subprocess.run(
        [*listing, "--batch-check=%(objecttype)"], capture_output=True, text=True, check=True
    )
    return objects.stdout.split().count("blob")


def lock_of(components: list[Component], inputs: Inputs) -> Lock:
    """A lock with all commits that were found."""
    return Lock(
        sources={
            each.name: LockedSource(each.source, inputs.commits[each.name])
            for each in components
            if each.source is not None
        }
    )


async def test_one_file_of_each_repository_is_fetched_once(daemon: Daemon, tmp_path: Path) -> None:
    """Three requests for each: the branch, the commit, the file. Then one, and with a lock none."""
    components = [component(f"c{n}", daemon.url(f"r{n}")) for n in range(REPOSITORIES)]
    before = daemon.requests()
    found = await read_inputs(components, sources(tmp_path), lock=Lock())
    assert not found.issues
    assert found.dockerfiles == {f"c{n}": f"FROM r{n}\n".encode() for n in range(REPOSITORIES)}
    assert daemon.requests() - before == 3 * REPOSITORIES
    assert fetched_files(tmp_path) == 1
    before = daemon.requests()
    assert await read_inputs(components, sources(tmp_path), lock=Lock()) == found
    assert daemon.requests() - before == REPOSITORIES
    before = daemon.requests()
    lock = lock_of(components, found)
    assert await read_inputs(components, sources(tmp_path), lock=lock) == found
    assert daemon.requests() == before


async def test_what_fails_is_an_issue_of_its_component_and_the_rest_goes_on(
    daemon: Daemon, tmp_path: Path
) -> None:
    """Slow, refusing, rewritten, without the branch: four issues; a rerun asks for these alone."""
    daemon.write("rewritten", base="old")
    daemon.write("unbranched", "other")
    (locked,) = (
        await read_inputs(
            [component("rewritten", daemon.url("rewritten"))], sources(tmp_path / "x"), lock=Lock()
        )
    ).commits.values()
    daemon.write("rewritten", base="new")
    daemon.forget("rewritten")
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        bad = [
            component("slow", f"git://127.0.0.1:{silent.getsockname()[1]}/slow"),
            component("refusing", f"git://127.0.0.1:{closed.getsockname()[1]}/refusing"),
            component("rewritten", daemon.url("rewritten")),
            component("unbranched", daemon.url("unbranched")),
        ]
        good = [component(f"c{n}", daemon.url(f"r{n}")) for n in range(20)]
        lock = _lock(bad[2], locked)
        found = await read_inputs([*bad, *good], sources(tmp_path, patience=10.0), lock=lock)
    assert {issue.component for issue in found.issues} == {each.name for each in bad}
    messages = {issue.component: f"{issue.message} {issue.hint}" for issue in found.issues}
    assert "not done after 10 seconds" in messages["slow"]
    assert "has no commit" in messages["rewritten"]
    assert "history may have been rewritten" in messages["rewritten"]
    assert "has no branch or tag 'main' the repository has other" in messages["unbranched"]
    assert set(found.dockerfiles) == {each.name for each in good}
    daemon.write("unbranched")
    before = daemon.requests()
    again = await read_inputs([*bad[2:], *good], sources(tmp_path), lock=Lock())
    assert not again.issues
    assert again.dockerfiles["rewritten"] == b"FROM new\n"
    assert daemon.requests() - before == 2 * 3 + len(good)


def _lock(component: Component, commit: Commit) -> Lock:
    assert component.source is not None
    return Lock(sources={component.name: LockedSource(component.source, commit)})
