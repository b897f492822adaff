# SPDX-License-Identifier: Apache-2.0
"""``serve --demo`` on the quickstart example: what anybody sees who types what it prints."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from real_program import Built, Program
from serving import Server, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SECONDS = 60.0
"""From a pushed change to its verdict on the page: six times what it may take on a machine of
its own, for others work on this one."""


class Demo:
    """A demonstration that runs, and the two changes that it proposes."""

    def __init__(self, program: Program) -> None:
        self.server = Server(program, "--demo").wait_until_it_answers()
        assert self.server.process.stdout
        printed = [self.server.process.stdout.readline() for _ in range(7)]
        lines = [line.strip() for line in printed if line.startswith("  ")]
        self.folder = Path(lines[1].split()[-1])
        self.good, self.bad = lines[:2], lines[2:]

    def change(self, commands: list[str]) -> float:
        """Type one of the two changes as it was printed; when the images were pushed."""
        for command in commands:
            ended = subprocess.run(
                ["/bin/sh", "-c", command],
                env=self.server.program.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert ended.returncode == 0, ended.stderr
        return time.monotonic()

    def newest(self, phase: str, *, than: str = "") -> dict[str, str]:
        """The newest release once it is in ``phase``, another one ``than`` that."""

        def look() -> dict[str, str] | None:
            answer = self.server.get("/api/v2/releases")
            items: list[dict[str, str]] = msgspec.json.decode(answer.text)["items"]
            found = items[0] if items else None
            return found if found and found["phase"] == phase and found["name"] != than else None

        return wait_for(look, what=f"a release that is {phase}")

    def page(self, release: dict[str, str]) -> str:
        """The page of a release."""
        path = f"/releasestream/{release['stream']}/release/{release['name']}"
        return self.server.get(path).text


@pytest.fixture
def demo(program: Program, built: Built) -> Iterator[Demo]:
    """The demonstration, on images that this machine has built before."""
    shutil.copytree(built.program.state / "streams", program.state / "streams")
    started = Demo(program)
    yield started
    started.server.kill()


def test_changes_become_releases_with_verdicts(demo: Demo) -> None:
    """A good change is Accepted soon, a bad one Rejected with its reason on the page."""
    first = demo.newest("Accepted")
    pushed = demo.change(demo.good)
    second = demo.newest("Accepted", than=first["name"])
    assert time.monotonic() - pushed < SECONDS
    assert second["name"] in demo.server.get(f"/releasestream/{second['stream']}").text
    pushed = demo.change(demo.bad)
    third = demo.newest("Rejected")
    assert time.monotonic() - pushed < SECONDS
    page = demo.page(third)
    assert "Rejected" in page
    assert "/usr/bin/nothing is not in the image" in page
    assert demo.server.stop() == 0
    assert not demo.folder.parent.exists()
    assert demo.server.program.leftovers() == []
    assert demo.server.program.processes() == []
