# SPDX-License-Identifier: Apache-2.0
"""What whoever runs builds on Shipwright may choose."""

from __future__ import annotations

import msgspec

from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings

_HOUR = 3600.0


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long things may take that nobody announces, in seconds."""

    silence: float = 300.0
    """Until the controller says anything about a new BuildRun."""
    log: float = 60.0
    """For the last lines of a log after its BuildRun ended."""
    cancelled: float = 20.0
    """For cancelling a BuildRun, and for its log, when the user waits for the program to stop."""
    quota: float = 2 * _HOUR
    """For room in the namespace's quota before a BuildRun can be made at all."""
    pause: float = 2.0
    """Before another attempt; twice as long each time, up to a minute."""


class ShipwrightSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How BuildRuns are made and followed."""

    stream: str
    run: str
    tool: ToolSettings = ToolSettings(profile=SecurityProfile.CAPABILITIES)
    """Shipwright cannot ask for a user namespace: the pod's profile is one of the two others."""
    service_account: str = ""
    """Empty is the namespace's default one."""
    timeout: float = 4 * _HOUR
    """Seconds that one BuildRun may take, waiting for a node included."""
    jobs: int = 2
    """BuildRuns at a time, those of an interrupted run included."""
    network: str = "host"
    """What builds can reach: ``host`` or ``none``."""
    snapshot: str = ""
    """``REPOSITORY@DIGEST`` of what is built and no git repository has; empty for nothing."""
    keeps: bool = False
    """Whether finished BuildRuns stay when their logs and images are here."""
    patience: Patience = Patience()
