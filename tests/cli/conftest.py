# SPDX-License-Identifier: Apache-2.0
"""The command line as users meet it: arguments in, exit code and both outputs back."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from okd_payload.cli.main import COMMANDS, main

sys.path.insert(0, str(Path(__file__).parent))


class Ended(NamedTuple):
    """How a run of the command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _no_log_of_others() -> Iterator[None]:
    """A command that logs does so for its process: not into the output of the next test."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)


@pytest.fixture
def run_cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ended]:
    """Runs the command line in this process, cache and state below ``tmp_path``."""
    monkeypatch.setenv("OKD_PAYLOAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OKD_PAYLOAD_STATE", str(tmp_path / "state"))

    def run(*arguments: str | Path, commands: Mapping[str, str] = COMMANDS) -> Ended:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments], commands=commands)
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return run
