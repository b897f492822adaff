# SPDX-License-Identifier: Apache-2.0
"""The real program on the quickstart example: built once, and then taken from there by many."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from real_program import EXAMPLE, Built, Program, RegistryThread

NEEDED = ("buildah", "busybox", "git")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The example, built from nothing; tests read it and change nothing."""
    for name in NEEDED:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is needed: make setup")
    folder = tmp_path_factory.mktemp("quickstart")
    stream = shutil.copytree(EXAMPLE, folder / "quickstart")
    return Built(Program(folder / "home"), stream)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program where nothing was built yet."""
    return Program(tmp_path / "home")


@pytest.fixture
def quickstart(tmp_path: Path) -> Path:
    """A copy of the example that may be changed."""
    return shutil.copytree(EXAMPLE, tmp_path / "quickstart")


@pytest.fixture
def resumed(built: Built, program: Program) -> Program:
    """The program where the example is built, but what buildah keeps is gone."""
    shutil.copytree(built.program.state / "streams", program.state / "streams")
    return program


@pytest.fixture
def registry() -> Iterator[RegistryThread]:
    """A registry on which anything can go wrong."""
    with RegistryThread() as registry:
        yield registry


@pytest.fixture
def path_without(tmp_path: Path) -> Callable[[str], str]:
    """Gives a search path on which everything is found but one program."""

    def path_without(name: str) -> str:
        folder = tmp_path / f"without-{name}"
        folder.mkdir()
        for place in os.environ["PATH"].split(":"):
            for path in Path(place).glob("*"):
                if path.name != name and not (folder / path.name).is_symlink():
                    (folder / path.name).symlink_to(path)
        return str(folder)

    return path_without
