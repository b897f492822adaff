# SPDX-License-Identifier: Apache-2.0
"""Layouts outlive the processes that write them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from okd_payload import process

PROGRAM = Path(__file__).parent / "killed_writers.py"


@pytest.mark.parametrize("seed", [1, 1000])
async def test_a_layout_survives_writers_killed_at_any_moment(tmp_path, seed):
    """After every kill all tags lead to whole images, and the next writer cleans up."""
    outcome = await process.run([sys.executable, PROGRAM, tmp_path / "layout", "15", str(seed)])
    assert outcome.code == 0, outcome.errors
