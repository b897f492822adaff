# SPDX-License-Identifier: Apache-2.0
"""The first moments of the process, before there is a command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_IMPORTED = """\
import os, signal, sys
os.kill(os.getpid(), signal.SIGINT)
sys.exit(7)  # somebody ignores the signal
"""


@pytest.fixture
def interrupted_import(tmp_path: Path) -> dict[str, str]:
    """An environment in which the signal comes while the command line is imported."""
    (tmp_path / "click.py").write_text(_IMPORTED)
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def test_an_interrupt_at_once_ends_it_without_a_word(interrupted_import: dict[str, str]):
    """Shells see what they see of other programs, and nobody a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "okd_payload", "--version"],
        env=interrupted_import,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def test_an_interrupt_that_the_parent_ignores_is_ignored(interrupted_import: dict[str, str]):
    """As in scripts, whose background commands are not for the terminal to end."""
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$0" -m okd_payload --version', sys.executable],
        env=interrupted_import,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 7


@pytest.mark.parametrize("command", ["build", "plan"])
def test_what_only_some_streams_need_is_not_loaded_for_all(command: str) -> None:
    """Clusters, catalogs of OpenShift's CI, changes, reports: reading their code takes time."""
    listed = f"import sys, okd_payload.cli.{command}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, check=True)
    rare = (
        "okd_payload.engines.tekton",
        "okd_payload.engines.shipwright",
        "okd_payload.engines.openshift",
        "okd_payload.catalog.kustomize",
        "okd_payload.catalog.ci_operator",
        "okd_payload.build.drawing",
        "okd_payload.build.impact.prepare",
        "okd_payload.build.impact.vendoring",
        "aiohttp",
        "lightkube",
    )
    assert [name for name in done.stdout.decode().split() if name.startswith(rare)] == []
