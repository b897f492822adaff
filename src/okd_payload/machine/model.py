# SPDX-License-Identifier: Apache-2.0
"""What can be said about a machine: one finding for each thing that the product needs."""

from __future__ import annotations

import enum

import msgspec


class Part(enum.Enum):
    """What a program is needed for; ``build`` and ``rootless`` are the main job."""

    BUILD = "build"
    ROOTLESS = "rootless"
    NETWORKS = "networks"
    ROOTS = "roots"
    SIGNATURES = "signatures"
    TESTS = "tests"


class State(enum.Enum):
    """Whether something is as it must be."""

    PRESENT = "present"
    MISSING = "missing"
    UNFIT = "unfit"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: what it is for, how it is, what mends it."""

    name: str
    part: Part
    state: State
    purpose: str
    found: str = ""
    """Version, path or amount, as far as there is one."""
    needed: str = ""
    remedy: str = ""
    """The command or the advice that mends it; empty when nothing is to be mended."""

    @property
    def blocks(self) -> bool:
        """Whether the main job cannot be done because of it."""
        return self.state is not State.PRESENT and self.part in (Part.BUILD, Part.ROOTLESS)


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found on a machine."""

    distribution: str
    install: str
    """One command that installs all missing packages; empty when none is missing."""
    findings: tuple[Finding, ...]
