# SPDX-License-Identifier: Apache-2.0
"""The commands about releases at several sizes, beside the peer and skopeo.

    measure_release.py [--sizes 20,60,190] [--runs 5] [JOB...]

Everything happens in a temporary folder and in registries on loopback, which end with it. Each
figure is the median of the runs after one warm-up; rivals run in turn with us.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from release.figures import Figures, measure, median
from release.inputs import GENERATOR, OKD_PAYLOAD, Input, run_environment
from release.jobs import JOBS, Job, Prepare

from okd_payload.testing.docker_registry import serve_docker_registry
from release import tables

SIZES = "20,60,190"


def main() -> None:
    """Measure what was asked for."""
    given = _arguments()
    missing = [
        what
        for what, found in (
            (str(GENERATOR), GENERATOR.is_file()),
            ("docker-registry", shutil.which("docker-registry") is not None),
        )
        if not found
    ]
    if missing:
        print(f"the commands about releases are not measured: {' and '.join(missing)} is not here")
        return
    with tempfile.TemporaryDirectory(prefix="okd-payload-bench-") as name:
        folder = Path(name)
        jobs = _existing(given.jobs, folder)
        with serve_docker_registry(folder / "registry") as registry:
            _measure_all(jobs, given.sizes, given.runs, registry=registry, folder=folder)


def _arguments() -> argparse.Namespace:
    names = [job.name for job in JOBS]
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=", ".join(names))
    parser.add_argument("--sizes", default=SIZES, help="numbers of images, by default %(default)s")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    unknown = [name for name in given.jobs if name not in names]
    if unknown:
        parser.error(f"no job {', '.join(unknown)}; there are {', '.join(names)}")
    given.sizes = [int(size) for size in given.sizes.replace(",", " ").split()]
    return given


def _existing(names: Sequence[str], folder: Path) -> list[Job]:
    """The jobs that were asked for and whose commands exist."""
    shown = subprocess.run(
        [OKD_PAYLOAD, "release", "--help"],
        env=run_environment(folder, folder / "cache"),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    there = {line.split()[0] for line in shown.partition("Commands:")[2].splitlines() if line}
    return [job for job in JOBS if job.command in there and (not names or job.name in names)]


def _measure_all(
    jobs: Sequence[Job], sizes: Sequence[int], runs: int, *, registry: str, folder: Path
) -> None:
    found: dict[Job, list[tables.Measured]] = {job: [] for job in jobs}
    for size in sizes:
        began = time.monotonic()
        given = Input(size, registry, folder)
        given.make_release()
        _tell(f"{size} images and their release: {time.monotonic() - began:.0f} s")
        for job in jobs:
            began = time.monotonic()
            found[job].append(_measure_job(job, given, runs))
            _tell(f"{job.name} at {size}: {time.monotonic() - began:.0f} s")
    print(f"the commands about releases: medians of {runs}, docker-registry on loopback")
    for job in jobs:
        print(tables.describe_job(job, found[job]))
    print(tables.describe_growth(found))


def _measure_job(job: Job, given: Input, runs: int) -> tables.Measured:
    sides: list[Prepare] = [job.ours]
    if job.rival and shutil.which("skopeo"):
        sides.append(job.rival)
    taken: list[list[Figures]] = [[] for _ in sides]
    for number in range(runs + 1):
        for side, prepare in enumerate(sides):
            if number == 0 and side > 0:
                continue
            with prepare(given, number) as run:
                figures = measure(run.command, run.environment, given.folder / "log")
            if number > 0:
                taken[side].append(figures)
    return tables.Measured(
        components=given.components,
        ours=median(taken[0]),
        rival=median(taken[1]) if len(taken) > 1 else None,
    )


def _tell(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
