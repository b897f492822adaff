# SPDX-License-Identifier: Apache-2.0
"""What one run of a program takes, as the operating system accounts for it."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of wall time and of processors, and the peak memory in MiB; children included."""

    wall: float
    cpu: float = 0.0
    memory: float = 0.0


def measure(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Figures:
    """Run ``command`` to its end; what it prints goes to ``log``. Ends the bench when it fails."""
    with log.open("wb") as output:
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        shown = log.read_text(errors="replace")[-1500:]
        raise SystemExit(f"{' '.join(command)} ended with code {process.returncode}:\n{shown}")
    cpu = usage.ru_utime + usage.ru_stime
    return Figures(wall=wall, cpu=cpu, memory=usage.ru_maxrss / 1024)


def median(runs: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(
        wall=statistics.median(run.wall for run in runs),
        cpu=statistics.median(run.cpu for run in runs),
        memory=statistics.median(run.memory for run in runs),
    )
