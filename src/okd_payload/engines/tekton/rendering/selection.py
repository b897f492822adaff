# SPDX-License-Identifier: Apache-2.0
"""How many components a run of a Pipeline can name.

A selection is written into the condition of every task, in the Pipeline and in what decided
about the task, and a cluster stores all of it as the status of one object. A run that cannot be
stored fails without a word of what is wrong, so its first task says it.
"""

from __future__ import annotations

from collections.abc import Collection

from okd_payload.engines.manifests import ManifestLimit
from okd_payload.errors import InputError

_TASK_BYTES = 1600
"""What a task takes in a finished run without any selection; measured, and rounded up."""
_TIMES_WRITTEN = 2
_AROUND_NAME = 3
"""Quotation marks and a comma."""


def check_selection(names: Collection[str], *, tasks: int) -> None:
    """Raise InputError when a run of ``tasks`` components that names ``names`` is too large."""
    written = sum(len(name.encode()) + _AROUND_NAME for name in names)
    if tasks * (_TASK_BYTES + _TIMES_WRITTEN * written) > ManifestLimit.STORED:
        raise InputError(
            f"{len(names)} components are selected, and their names in the condition of each of "
            f"{tasks} tasks are more than a cluster stores of a run",
            hint="select none, which means all, and builds only what is not there yet; or make "
            "several runs of some components each",
        )
