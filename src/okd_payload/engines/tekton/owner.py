# SPDX-License-Identifier: Apache-2.0
"""Who plans, when the plan is made in the cluster: the TaskRun that this program runs in.

It tells us by two variables, one of which Tekton fills in. Its children carry its name as their
owner, so that they go with it, and the name of its run, so that they are found with it.
"""

from __future__ import annotations

import os

from okd_payload.engines.tekton.settings import Owner

OWNER_VARIABLE = "OKD_PAYLOAD_COORDINATOR"
OWNER_VALUE = "$(context.taskRun.name)/$(context.taskRun.uid)"
"""What the variable is set to in the coordinator's step."""
RUN_VARIABLE = "OKD_PAYLOAD_RUN"


def find_owner() -> Owner | None:
    """The TaskRun that we run in; None when nobody says so."""
    name, _, uid = os.environ.get(OWNER_VARIABLE, "").partition("/")
    return Owner(name=name, uid=uid) if name and uid else None


def find_run(fallback: str) -> str:
    """The name of the run that we are a part of; ``fallback`` when nobody says one."""
    return os.environ.get(RUN_VARIABLE, "") or fallback
