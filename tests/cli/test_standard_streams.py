# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_DESCRIPTORS = """
import os, sys
from okd_payload.cli.standard_streams import open_closed_streams
open_closed_streams()
assert all(map(os.get_inheritable, range(3)))
sys.exit(os.open(os.devnull, os.O_RDONLY))
"""


def run_shell(script: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """How ``script`` ended; ``"$@"`` in it is this Python with ``arguments``."""
    command = ["sh", "-c", script, "sh", sys.executable, *arguments]
    environment = {"PATH": "/usr/bin:/bin", "OKD_PAYLOAD_STATE": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("argument", "code"), [("--version", 0), ("nonsense", 2)])
def test_closed_streams_change_nothing(closed, argument, code, tmp_path):
    """Who closed standard input, output or error gets the same exit code, and no crash."""
    ended = run_shell(f'"$@" {closed}', "-m", "okd_payload", argument, folder=tmp_path)
    assert ended.returncode == code
    assert "unexpected" not in ended.stderr
    assert not (tmp_path / "crashes").exists()


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path):
    """What is opened later is none of the first three, which programs that we run get as well."""
    ended = run_shell('"$@" <&- >&- 2>&-', "-c", _DESCRIPTORS, folder=tmp_path)
    assert ended.returncode == 3


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_output_that_nobody_can_store_is_an_error(argument, tmp_path):
    """With a full disk behind standard output the result is said to be lost, and why."""
    ended = run_shell('"$@" >/dev/full', "-m", "okd_payload", argument, folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == (
        "error: cannot write to standard output: No space left on device\n"
        "hint: make room where the output goes, and run the same command again\n"
    )
