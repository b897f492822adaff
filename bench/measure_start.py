# SPDX-License-Identifier: Apache-2.0
"""What starting costs: CPU time of commands that users and shells run often.

Baseline: an empty Python program.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 7
QUICKSTART = Path(__file__).resolve().parents[1] / "examples" / "quickstart" / "stream.yaml"
OURS = (sys.executable, "-m", "okd_payload")
COMMANDS = {
    "an empty program": (sys.executable, "-c", "pass"),
    "okd-payload --version": (*OURS, "--version"),
    "okd-payload --help": (*OURS, "--help"),
    "okd-payload plan quickstart": (*OURS, "plan", str(QUICKSTART)),
}


def main() -> None:
    """Measure in turns, so that what else runs here disturbs all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            seconds[name].append(cpu_seconds(command))
    baseline = statistics.median(seconds["an empty program"])
    print(f"starting, CPU time, median of {ROUNDS}")
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"  {name:30} {median * 1000:6.0f} ms  {median / baseline:5.1f} times")


def cpu_seconds(command: tuple[str, ...]) -> float:
    """The CPU time that ``command`` and what it starts takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
