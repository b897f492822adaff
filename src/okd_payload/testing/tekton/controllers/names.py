# SPDX-License-Identifier: Apache-2.0
"""How Tekton names what it makes: parents and suffixes, and a hash where that is too long."""

from __future__ import annotations

import hashlib

_LONGEST = 63
_HASH_CHARACTERS = 32


def child_name(parent: str, suffix: str) -> str:
    """The name of what ``parent`` makes: ``run`` and ``-pod`` become ``run-pod``."""
    if len(parent) + len(suffix) <= _LONGEST:
        return parent + suffix
    room = _LONGEST - _HASH_CHARACTERS
    if len(suffix) >= room:
        return f"{parent[:room]}{_hash(parent + suffix)}{suffix}"[:_LONGEST]
    return f"{parent[: room - len(suffix)]}{_hash(parent)}{suffix}"


def task_run_name(pipeline_run: str, task: str) -> str:
    """The name of the TaskRun of a task of a PipelineRun."""
    return child_name(pipeline_run, f"-{task}")


def pod_name(task_run: str, retry: int) -> str:
    """The name of the pod of a try of a TaskRun."""
    return child_name(task_run, f"-pod-retry{retry}" if retry else "-pod")


def _hash(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
