# SPDX-License-Identifier: Apache-2.0
"""Whole-process figures of the commands that people wait for, each beside a baseline.

Every pair runs in turn, five times after one warm-up; medians are printed, and their ratio.
Absolute figures say something about the machine, ratios about the program.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from okd_payload.build.report import ReleaseResult
from okd_payload.testing.docker_registry import serve_docker_registry

ROOT = Path(__file__).resolve().parent.parent
OKD_PAYLOAD = str(ROOT / ".venv" / "bin" / "okd-payload")
STREAM = str(ROOT / "examples" / "quickstart")
RUNS = 5


class Figures(msgspec.Struct, frozen=True):
    """One run: seconds of wall time and of processors, and the peak memory in MiB."""

    wall: float
    cpu: float
    memory: float


class Built(msgspec.Struct, frozen=True):
    """What ``build -o json`` prints, as far as it is needed here."""

    release: ReleaseResult


def measure(command: Sequence[str], environment: dict[str, str]) -> Figures:
    """Run ``command`` to its end and return what it took, its children included."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with code {process.returncode}")
    wall = time.monotonic() - started
    return Figures(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(
    title: str,
    ours: Callable[[int], Sequence[str]],
    baseline: Callable[[int], Sequence[str]],
    *,
    name: str,
    environment: dict[str, str],
) -> None:
    """Run both in turn and print the medians; the callables take the number of the run."""
    pairs = [
        (measure(ours(number), environment), measure(baseline(number), environment))
        for number in range(RUNS + 1)
    ][1:]
    print(f"\n{title}")
    for label, side in (("okd-payload", 0), (name, 1)):
        runs = [pair[side] for pair in pairs]
        wall, cpu, memory = (
            statistics.median(getattr(run, field) for run in runs)
            for field in ("wall", "cpu", "memory")
        )
        print(f"  {label:<24} wall {wall:7.3f} s   cpu {cpu:7.3f} s   peak {memory:6.0f} MiB")
    for field in ("wall", "cpu"):
        ratios = [getattr(a, field) / max(getattr(b, field), 1e-6) for a, b in pairs]
        print(f"  ratio of {field:<4} {statistics.median(ratios):.2f}")


def main() -> None:
    """Print all comparisons."""
    with tempfile.TemporaryDirectory(prefix="okd-payload-bench-") as folder:
        state = Path(folder)
        environment = {
            **os.environ,
            "OKD_PAYLOAD_STATE": str(state / "state"),
            "OKD_PAYLOAD_CACHE": str(state / "cache"),
        }
        first = time.monotonic()
        built = subprocess.run(
            [OKD_PAYLOAD, "build", STREAM, "-o", "json", "--quiet"],
            env=environment,
            capture_output=True,
            check=True,
        )
        print(f"quickstart from nothing: {time.monotonic() - first:.1f} s")
        release = msgspec.json.decode(built.stdout, type=Built).release
        compare(
            "plan, everything cached",
            lambda _: [OKD_PAYLOAD, "plan", STREAM],
            lambda _: [OKD_PAYLOAD, "--version"],
            name="--version",
            environment=environment,
        )
        compare(
            "build, nothing changed",
            lambda _: [OKD_PAYLOAD, "build", STREAM, "--quiet"],
            lambda _: [OKD_PAYLOAD, "--version"],
            name="--version",
            environment=environment,
        )
        with serve_docker_registry(state / "registry") as registry:
            publish(release, registry, state, environment)


def publish(
    release: ReleaseResult, registry: str, state: Path, environment: dict[str, str]
) -> None:
    """Compare publishing a whole payload with skopeo, image by image, to fresh repositories."""
    streams = state / "state" / "streams" / "quickstart"
    name = release.name

    def ours(number: int) -> list[str]:
        target = f"{registry}/ours{number}"
        return [
            OKD_PAYLOAD,
            "publish",
            STREAM,
            name,
            "--quiet",
            "--content",
            f"{target}/content",
            "--releases",
            f"{target}/release",
        ]

    def skopeo(number: int) -> list[str]:
        copy = "skopeo copy --quiet --dest-tls-verify=false"
        target = f"docker://{registry}/skopeo{number}"
        lines = [
            f"{copy} oci:{streams}/images:{image.name} {target}/content:{image.name}"
            for image in release.images
        ]
        lines.append(f"{copy} oci:{streams}/releases:{name} {target}/release:{name}")
        return ["sh", "-ec", "\n".join(lines)]

    compare(
        "publish the payload to a registry",
        ours,
        skopeo,
        name=f"skopeo copy, {len(release.images) + 1} times",
        environment=environment,
    )


if __name__ == "__main__":
    main()
