# SPDX-License-Identifier: Apache-2.0
"""The tutorial "your own OKD stream", carried out as it is written, on the real catalog."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from console import Command, Edit, missing_lines, put, read_page
from forge import make_forge
from real_program import Program

from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.images import push_image

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "tutorial-own-okd-stream.md"
EXAMPLE = ROOT / "examples" / "okd-scos"
CLONE = "git clone https://github.com/okd-project/okd-payload-pipeline"
IMAGES = (
    "quay.io/centos/centos:stream9",
    "quay.io/fedora/fedora:36",
    "quay.io/okd/centos-stream-coreos-9:4.15-x86_64",
    "registry.access.redhat.com/ubi9-minimal:9.0.0",
    "registry.access.redhat.com/ubi9/go-toolset:1.20",
    "registry.access.redhat.com/ubi9/go-toolset:1.26",
    "registry.access.redhat.com/ubi9/ubi:9.4",
)
"""What the stream takes from registries of others; here a mirror has them."""

_OF_THE_COPY = {"missing-resource"}
"""What is only wrong with the copy of the repository that tests have: it lacks some folders."""


class Carried:
    """The page, carried out: what each command printed, and the folder that it left."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.ran: list[tuple[Command, int, str]] = []

    def carry_out(self, page: str, clone: Path) -> None:
        """Do what the page says, from the first block to the last."""
        for step in read_page(page):
            if isinstance(step, Edit):
                path = self.folder / step.file
                path.write_text(put(path.read_text(), step.text))
            elif step.line == CLONE:
                shutil.copytree(clone, self.folder / clone.name)
            else:
                self._run(step)

    def _run(self, command: Command) -> None:
        words = shlex.split(command.line)
        if words[0] == "okd-payload":
            words = [*self.program.command(), *words[1:]]
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.program.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.ran.append((command, done.returncode, done.stdout))


@pytest.fixture
def carried(shared_data: Path, docker_registry: str, tmp_path: Path) -> Carried:
    """The page, carried out where the forge and the registries of others are on this machine."""
    program = Program(tmp_path / "home")
    (tmp_path / "forge").mkdir()
    (program.home / ".gitconfig").write_text(make_forge(shared_data, tmp_path / "forge"))
    program.environment["GIT_CONFIG_NOSYSTEM"] = "1"
    asyncio.run(_fill_mirror(docker_registry))
    configuration = program.home / ".config" / "containers" / "registries.conf"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(
        "".join(
            f'[[registry]]\nprefix = "{host}"\nlocation = "{host}"\n'
            f'[[registry.mirror]]\nlocation = "{docker_registry}/tutorial/{host}"\n'
            for host in sorted({image.partition("/")[0] for image in IMAGES})
        )
    )
    (tmp_path / "work").mkdir()
    carried = Carried(program, tmp_path / "work")
    carried.carry_out(PAGE.read_text(), shared_data / "okd-payload-pipeline")
    return carried


async def _fill_mirror(host: str) -> None:
    async with RegistryClient(RegistrySettings()) as client:
        for image in IMAGES:
            name, _, tag = image.rpartition(":")
            repository = client.repository(parse_reference(f"{host}/tutorial/{name}"))
            await push_image(repository, layers=[image.encode()], tag=tag)


def test_the_tutorial_can_be_followed(carried: Carried) -> None:
    """Its commands print what it says, all their issues are spoken about, and it ends well.

    One test, for several would be shared out to processes of which each carries out the page.
    """
    check_what_is_printed(carried)
    check_issues_on_the_way(carried)
    check_the_last_plan(carried)
    check_the_example(carried)


def check_what_is_printed(carried: Carried) -> None:
    """Each line of output on the page is printed, in this order."""
    missing = {
        command.line: lines
        for command, _, printed in carried.ran
        if (lines := missing_lines(command.prints, printed))
    }

    assert missing == {}
    assert len(carried.ran) > 6


def check_issues_on_the_way(carried: Carried) -> None:
    """Whatever lint or plan reports of the stream, at whatever step, is spoken about."""
    page = PAGE.read_text()
    reported = {
        line.rpartition("[")[2].rstrip("]")
        for command, _, printed in carried.ran
        for line in printed.splitlines()
        if line.startswith(("error: ", "warning: ", "notice: ")) and line.endswith("]")
    }

    assert reported
    assert {code for code in reported if f"`{code}`" not in page} <= _OF_THE_COPY


def check_the_last_plan(carried: Carried) -> None:
    """The plan of the whole catalog has no issue but those that the stream permits with reasons."""
    command, code, _ = carried.ran[-1]
    planned = carried.program.run("plan", carried.folder / "my-okd", "-o", "json").document()

    assert (command.line.split()[1], code) == ("plan", 0)
    assert [issue for issue in planned["issues"] if not issue.get("permitted")] == []
    assert len(planned["images"]) > 180


def check_the_example(carried: Carried) -> None:
    """`examples/okd-scos` is the stream that one has after following the page."""
    ended, example = (
        {
            str(path.relative_to(folder)): msgspec.yaml.decode(path.read_bytes())
            for path in folder.rglob("*.yaml")
        }
        for folder in (carried.folder / "my-okd", EXAMPLE)
    )

    assert ended.keys() == example.keys()
    assert ended == example
