# SPDX-License-Identifier: Apache-2.0
"""A small OpenShift in sixteen repositories behind real servers, built and published once.

Tests that change repositories make a world of their own, which takes a second; what takes long,
building everything, is done once, and others start from its state.

The images are of busybox, with a `go` that checks what Go would; ``pytest -m debian`` runs the same
tests with the base, the builder and the Go of the debian example.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from real_program import Program
from rig_stream import lead_to_servers, write_stream
from rig_world import World

from okd_payload.testing.git_server import GitServer, serve_git, serve_git_daemon

NEEDED = ("buildah", "busybox", "docker-registry", "git")


class Rig(NamedTuple):
    """Repositories, the servers that have them, and a stream of them."""

    world: World
    http: GitServer
    daemon: str
    folder: Path
    """For programs and streams."""
    real_go: bool

    def program(self, name: str = "home", *, like: Program | None = None) -> Program:
        """okd-payload that finds the repositories; what was built by ``like`` is there."""
        program = Program(self.folder / name)
        lead_to_servers(program, self.http.url, self.daemon)
        if like:
            shutil.copytree(like.state / "streams", program.state / "streams")
            shutil.copytree(like.cache, program.cache)
        return program

    def stream(self, name: str = "stream", **options: Any) -> Path:
        """The stream, written with ``options`` of ``write_stream``."""
        return write_stream(self.folder / name, real_go=self.real_go, **options)


class Published(NamedTuple):
    """The stream, built from nothing and published."""

    rig: Rig
    program: Program
    stream: Path
    printed: dict[str, Any]
    pull_spec: str
    """Of the release, by digest."""

    @property
    def host(self) -> str:
        """The registry where it is."""
        return self.pull_spec.partition("/")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let everything here be a test of the debian example's builder, when that was asked for."""
    if _wants_real_go(config):
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker("debian")


def _wants_real_go(config: pytest.Config) -> bool:
    return "debian" in config.getoption("markexpr")


def _rig(folder: Path, config: pytest.Config) -> Iterator[Rig]:
    world = World(folder / "repositories")
    with serve_git(world.root) as http, serve_git_daemon(world.root) as daemon:
        yield Rig(world, http, daemon, folder, _wants_real_go(config))


@pytest.fixture(scope="session")
def shared_rig(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Rig]:
    """The rig whose branches nobody changes."""
    for name in NEEDED:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is needed: make setup")
    yield from _rig(tmp_path_factory.mktemp("rig"), pytestconfig)


@pytest.fixture
def rig(tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Rig]:
    """A rig whose repositories and servers the test may change."""
    yield from _rig(tmp_path, pytestconfig)


@pytest.fixture(scope="session")
def published(shared_rig: Rig, docker_registry: str) -> Published:
    """The whole stream at release-4.16; tests read it and change nothing."""
    program = shared_rig.program("published")
    stream = shared_rig.stream(host=docker_registry)
    printed = program.build(stream)
    ended = program.run("publish", stream, printed["release"]["name"], "-o", "json")
    repository = f"{docker_registry}/rig/release"
    return Published(
        shared_rig, program, stream, printed, f"{repository}@{ended.document()['digest']}"
    )


@pytest.fixture
def resumed(published: Published, tmp_path: Path) -> Program:
    """A program of the test's own, where the stream is built already."""
    rig = published.rig._replace(folder=tmp_path)
    return rig.program("resumed", like=published.program)


@pytest.fixture
def stream(published: Published, tmp_path: Path) -> Path:
    """A copy of the stream that may be changed."""
    return shutil.copytree(published.stream, tmp_path / "stream")
