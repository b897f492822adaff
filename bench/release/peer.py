# SPDX-License-Identifier: Apache-2.0
"""The peer, ``oc adm release`` (commit 6b8e30c), measured on the same content, and what we owe.

Whole processes on 2 cores (AMD EPYC, SHA-NI) with docker-registry 2.8.2 on loopback on the same
cores, medians of 5, of 1 to 3 where it takes minutes. It was measured on another day: only beside
it, on a machine of this kind, do our seconds mean something.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from release.figures import Figures

REQUIRED_SIZE = 190
"""The number of images that the requirements are about."""

_MOST_MEMORY = 150.0

FIGURES: dict[str, dict[int, Figures]] = {
    "new": {
        20: Figures(wall=0.87, cpu=1.13, memory=98),
        60: Figures(wall=2.81, cpu=3.56, memory=99),
        190: Figures(wall=8.84, cpu=11.46, memory=101),
    },
    "info": {
        20: Figures(wall=0.14, cpu=0.15),
        60: Figures(wall=0.16, cpu=0.13),
        190: Figures(wall=0.18, cpu=0.19, memory=104),
    },
    "size": {
        20: Figures(wall=0.21, cpu=0.15),
        60: Figures(wall=0.40, cpu=0.21),
        190: Figures(wall=1.16, cpu=0.34, memory=107),
    },
    "extract": {
        20: Figures(wall=1.12, cpu=1.16),
        60: Figures(wall=2.31, cpu=2.07),
        190: Figures(wall=3.02, cpu=3.44, memory=201),
    },
    "mirror-same": {
        20: Figures(wall=11.9, cpu=1.2),
        60: Figures(wall=36.7, cpu=1.9),
        190: Figures(wall=118.0, cpu=3.4, memory=181),
    },
    "mirror-second": {
        20: Figures(wall=11.6, cpu=1.6),
        60: Figures(wall=36.3, cpu=2.8),
        190: Figures(wall=115.0, cpu=7.0, memory=179),
    },
    "mirror-dir": {
        20: Figures(wall=8.6, cpu=1.5),
        60: Figures(wall=25.5, cpu=2.8),
        190: Figures(wall=78.0, cpu=6.4, memory=179),
    },
    "mirror-complete": {190: Figures(wall=40.7)},
}
"""By job and number of images. Made again, a release takes the peer what it took the first time."""

FIGURES["again"] = FIGURES["new"]


class Required(msgspec.Struct, frozen=True):
    """What a job must reach at 190 images, and whether our figures do, beside the others'."""

    text: str
    holds: Callable[[Figures, Figures | None, Figures | None], bool]


def _within(seconds: float) -> Required:
    return Required(f"wall {seconds:g} s", lambda ours, _peer, _rival: ours.wall <= seconds)


def _half_of_rival(ours: Figures, _peer: Figures | None, rival: Figures | None) -> bool:
    return rival is not None and ours.wall <= rival.wall / 2


def _shares(wall: float, cpu: float) -> Required:
    return Required(
        f"wall {wall:g}x, cpu {cpu:g}x of the peer",
        lambda ours, peer, _rival: (
            peer is not None and ours.wall <= wall * peer.wall and ours.cpu <= cpu * peer.cpu
        ),
    )


REQUIRED: dict[str, Required] = {
    "new": _shares(0.65, 0.5),
    "again": _within(1.0),
    "info": _within(0.30),
    "size": _within(0.8),
    "extract": _within(0.8),
    "mirror-same": _within(4.0),
    "mirror-second": Required("half of skopeo's wall", _half_of_rival),
    "mirror-dir": _within(6.0),
    "mirror-complete": _within(1.5),
}


def judge(job: str, ours: Figures, peer: Figures | None, rival: Figures | None) -> str:
    """The requirement on ``job``, and whether ``ours`` meet it."""
    required = REQUIRED.get(job)
    if required is None:
        return ""
    holds = required.holds(ours, peer, rival) and ours.memory <= _MOST_MEMORY
    return f"{required.text}, {_MOST_MEMORY:g} MiB: {'met' if holds else 'MISSED'}"
