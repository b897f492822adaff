# SPDX-License-Identifier: Apache-2.0
"""What people do to streams and releases, by whichever way they ask for it.

Each action is one unit of work: it checks that it may be done, does it, and tells of it with the
name of who asked and why. The pass that follows goes on from there.
"""

from okd_payload.controller.actions.publications import publish, roll_back
from okd_payload.controller.actions.releases import (
    accept,
    keep,
    reject,
    restore,
    retry,
    stop_keeping,
    withdraw,
)
from okd_payload.controller.actions.runs import approve, finish_run
from okd_payload.controller.actions.streams import pause, rebuild, resume
from okd_payload.controller.actions.uses import end_use, report_use

__all__ = [
    "accept",
    "approve",
    "end_use",
    "finish_run",
    "keep",
    "pause",
    "publish",
    "rebuild",
    "reject",
    "report_use",
    "restore",
    "resume",
    "retry",
    "roll_back",
    "stop_keeping",
    "withdraw",
]
