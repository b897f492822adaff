# SPDX-License-Identifier: Apache-2.0
"""What whoever runs builds on Tekton may choose, and for whom a run is."""

from __future__ import annotations

import msgspec

from okd_payload.engines.pod.tool import ToolSettings

_HOUR = 3600.0


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """The TaskRun that plans for others, and whose end ends them too."""

    name: str
    uid: str


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """For which stream and run something is built, and by whom."""

    stream: str
    run: str
    owner: Owner | None = None
    """None where the plan is made outside of the cluster."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long things may take that nobody announces, in seconds."""

    silence: float = 300.0
    """Until the controller says anything about a new TaskRun, or about one whose log ended."""
    log: float = 60.0
    """For the last lines of a log after its TaskRun ended: pods have half a minute to stop."""
    cancelled_log: float = 10.0
    """The same when the user waits for the program to stop."""
    waiting: float = 120.0
    """Until it is looked for what keeps a pod from starting."""
    quota: float = 2 * _HOUR
    """For room in the namespace's quota before a TaskRun can be made at all."""
    pause: float = 2.0
    """Before another attempt; twice as long each time, up to a minute."""


class TektonSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How TaskRuns are made and followed."""

    tool: ToolSettings = ToolSettings()
    namespace: str = ""
    """Empty is that of the context, or of the pod we run in."""
    service_account: str = ""
    """Empty is the namespace's default one."""
    timeout: float = 4 * _HOUR
    """Seconds that one TaskRun may take, waiting for a node included."""
    jobs: int = 2
    """TaskRuns at a time, those of an interrupted run included."""
    network: str = "host"
    """What builds can reach: ``host`` or ``none``."""
    snapshot: str = ""
    """``REPOSITORY@DIGEST`` of what pods build from and find nowhere else; empty for nothing."""
    keeps: bool = False
    """Whether finished TaskRuns stay when their logs and results are here."""
    patience: Patience = Patience()
