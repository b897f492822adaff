# SPDX-License-Identifier: Apache-2.0
"""The results as text: a table for each job, and how each grows with the number of images."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import msgspec

from release import peer
from release.figures import Figures
from release.jobs import Job


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One job at one size: medians."""

    components: int
    ours: Figures
    rival: Figures | None = None


def describe_job(job: Job, found: Sequence[Measured]) -> str:
    """The table of ``job``: ours, the peer's, the rival's, ratios, and what is required."""
    lines = [
        f"\n{job.title}  [{job.name}]",
        "  images   wall s    cpu s   MiB |  peer wall      cpu    ratio    ratio",
    ]
    for item in found:
        ours = item.ours
        other = peer.FIGURES.get(job.name, {}).get(item.components)
        line = f"  {item.components:>6} {ours.wall:>8.2f} {ours.cpu:>8.2f} {ours.memory:>5.0f} |"
        if other:
            line += f" {other.wall:>10.2f} {other.cpu or 0:>8.2f} {ours.wall / other.wall:>8.2f}"
            line += f" {ours.cpu / other.cpu:>8.2f}" if other.cpu else ""
        if item.components == peer.REQUIRED_SIZE:
            verdict = peer.judge(job.name, ours, other, item.rival)
            line += f"   {verdict}" if verdict else ""
        lines.append(line)
        if item.rival:
            rival = item.rival
            lines.append(
                f"         {rival.wall:>6.2f} {rival.cpu:>8.2f} {rival.memory:>5.0f} |"
                f" {job.rival_name}, same run: ratio of wall {ours.wall / rival.wall:.2f},"
                f" of cpu {ours.cpu / rival.cpu:.2f}"
            )
    return "\n".join(lines)


def describe_growth(found: Mapping[Job, Sequence[Measured]]) -> str:
    """Milliseconds that each further image takes between two sizes, and memory at each."""
    sizes = sorted({item.components for items in found.values() for item in items})
    if len(sizes) < 2:
        return ""
    steps = list(itertools.pairwise(sizes))
    head = "".join(f"{f'{low}..{high}':>10}" for low, high in steps)
    memory = "".join(f"{size:>6}" for size in sizes)
    lines = ["\ngrowth", f"  {'ms of wall an image':<24}{head} | MiB at{memory}"]
    for job, items in found.items():
        by_size = {item.components: item.ours for item in items}
        cells = "".join(
            f"{1000 * (by_size[high].wall - by_size[low].wall) / (high - low):>10.1f}"
            if {low, high} <= set(by_size)
            else f"{'':>10}"
            for low, high in steps
        )
        peaks = "".join(
            f"{by_size[size].memory:>6.0f}" if size in by_size else f"{'':>6}" for size in sizes
        )
        lines.append(f"  {job.name:<24}{cells} |       {peaks}")
    return "\n".join(lines)
