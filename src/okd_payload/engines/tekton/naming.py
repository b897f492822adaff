# SPDX-License-Identifier: Apache-2.0
"""Names of TaskRuns: those of attempts, so short that their pods have room."""

from __future__ import annotations

from okd_payload.engines.pod.attempt_names import attempt_name

_LONGEST = 59
"""A pod is called as its TaskRun and ``-pod``, in at most 63 characters."""


def task_run_name(component: str, key: str, attempt: int) -> str:
    """The name of an attempt at building ``component`` with ``key``."""
    return attempt_name(component, key, attempt, longest=_LONGEST)
