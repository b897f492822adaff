# SPDX-License-Identifier: Apache-2.0
"""What it means for building that rights are missing: an issue for each kind of objects."""

from __future__ import annotations

from collections.abc import Sequence

from okd_payload.engines.pod.missing_rights import MissingRight
from okd_payload.engines.pod.readiness import codes
from okd_payload.engines.pod.rights import Right
from okd_payload.issues import Issue


def judge_rights(missing: Sequence[MissingRight], *, namespace: str, engine: str) -> list[Issue]:
    """An issue for each kind of objects with all verbs that are missing."""
    remedy = (
        "ask an administrator for the role that `okd-payload deploy tekton` makes"
        if engine == "tekton"
        else "ask an administrator for a role that has it, as `edit` does in most clusters"
    )
    return [
        codes.RIGHT_MISSING.issue(
            f"to {lack.right.reason}, the right to {', '.join(lack.verbs)} {_resource(lack.right)} "
            f"in namespace {namespace} is missing",
            hint=remedy,
        )
        for lack in missing
    ]


def _resource(right: Right) -> str:
    return f"{right.resource}.{right.kind.group}" if right.kind.group else right.resource
