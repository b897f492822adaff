# SPDX-License-Identifier: Apache-2.0
"""A state folder without room, or that nobody may write to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest
from real_program import Built, Program, digests_of

from okd_payload.engines.buildah.program import is_privileged

pytestmark = pytest.mark.integration

ENOUGH = "size=200m"
FIRST_SIZES = (200, 2000)
"""Kilobytes; too few for the root file system."""
SPARES = (50, 300)
"""Kilobytes; too few for what is built on it."""


@pytest.fixture
def remount(program) -> Iterator[Callable[[str], None]]:
    """Makes the state folder a file system of its own; calling it changes its options."""
    if not is_privileged():
        pytest.skip("only root can mount a small disk")
    program.state.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", ENOUGH, "tmpfs", program.state]
    subprocess.run(command, check=True)

    def remount(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", program.state], check=True)

    yield remount
    subprocess.run(["umount", "--lazy", program.state], check=True)


@pytest.mark.slow
def test_a_full_disk_is_said_and_survived(program, remount, built, path_without) -> None:
    """Whenever space runs out it is said so; with more space the same command ends well."""
    for kilobytes in FIRST_SIZES:
        remount(f"size={kilobytes}k")
        check_that_it_is_full(program, built)
    remount(ENOUGH)
    only_the_root = program.run("build", built.stream, PATH=path_without("buildah"))
    assert "imported root" in only_the_root.err
    used = shutil.disk_usage(program.state).used // 1024
    for kilobytes in SPARES:
        remount(f"size={used + kilobytes}k")
        check_that_it_is_full(program, built)

    remount(ENOUGH)

    assert digests_of(program.build(built.stream)) == built.digests
    assert [line for line in program.leftovers() if " tmpfs " not in line] == []


def check_that_it_is_full(program: Program, built: Built) -> None:
    """A build says that space ran out, and leaves neither a release nor a mess."""
    ended = program.run("build", built.stream)
    assert (ended.code, ended.out) == (1, ""), ended.err
    assert re.search("No space left on device|the disk is full", ended.err), ended.err
    assert re.search("^hint: (free some space|make room)", ended.err, re.MULTILINE), ended.err
    assert not (program.releases() / "index.json").exists()
    assert [line for line in program.leftovers() if " tmpfs " not in line] == []


def test_a_read_only_state_folder_is_said(program, remount, built) -> None:
    """Where nothing can be written, one sentence says so."""
    remount("ro")

    ended = program.run("build", built.stream)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"error: cannot use {program.state}")
    assert "Read-only file system" in ended.err
    assert "--state" in ended.err.splitlines()[1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_said(program, built) -> None:
    """Where we may not write, one sentence says so."""
    program.state.mkdir(mode=0o500)

    ended = program.run("build", built.stream)

    assert ended.code == 1
    assert "Permission denied" in ended.err
    assert "--state" in ended.err
