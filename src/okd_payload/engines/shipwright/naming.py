# SPDX-License-Identifier: Apache-2.0
"""Names of BuildRuns, those of attempts, and of Builds: so short that their TaskRuns have room."""

from __future__ import annotations

from okd_payload.engines.pod import attempt_names

_LONGEST = 57
"""Shipwright makes the name of a TaskRun of it and six characters, in at most 63."""


def build_run_name(component: str, key: str, attempt: int) -> str:
    """The name of an attempt at building ``component`` with ``key``."""
    return attempt_names.attempt_name(component, key, attempt, longest=_LONGEST)


def object_name(component: str) -> str:
    """``component`` as the name of an object: small letters, digits and dashes."""
    return attempt_names.object_name(component, longest=_LONGEST)
