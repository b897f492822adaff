# SPDX-License-Identifier: Apache-2.0
"""What a run of many pods came to, told from the repository that they wrote to.

No process saw all of the run, so its record is made afterwards: an image that is there by its
key is there, whoever made it, and of the others the engine says how their tasks ended. Times
and logs are with the engine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from okd_payload.build.freeze import FrozenPlan, lock_imports
from okd_payload.build.job import BuildOutcome
from okd_payload.build.one_image import FoundImages
from okd_payload.build.plan import ComponentNode, Node, component_name
from okd_payload.build.preview import Decision, Intent
from okd_payload.build.records import Action, ComponentRecord, RunRecord, describe

_SUCCEEDED, _FAILED = "Succeeded", "Failed"
"""How Tekton says that a task ended; a task that did not run has ``None``."""
_NOWHERE = Path("/nowhere")
"""No logs were kept on this machine."""


def collect_outcome(
    frozen: FrozenPlan,
    found: FoundImages,
    *,
    run: str,
    moment: float,
    statuses: Mapping[str, str] | None = None,
) -> BuildOutcome:
    """The outcome of ``run`` at ``moment``; ``statuses`` are those of tasks, by node."""
    missing = {each.node: each for each in found.missing}
    records = [
        _record(node, found, missing.get(name), (statuses or {}).get(name, ""))
        for name, node in frozen.plan.nodes.items()
    ]
    record = RunRecord(
        id=run,
        stream=frozen.plan.stream,
        started=moment,
        finished=moment,
        components=tuple(sorted(records, key=lambda item: (item.name, item.tag))),
    )
    lock = lock_imports(frozen.lock, frozen.plan, found.images)
    return BuildOutcome(folder=_NOWHERE, record=record, images=found.images, lock=lock)


def unmet(found: FoundImages, frozen: FrozenPlan, selected: Collection[str]) -> list[Decision]:
    """What is missing of what was asked for: of everything when nothing was ``selected``."""
    wanted = set(selected)
    return [
        each
        for each in found.missing
        if not wanted
        or each.node in wanted
        or component_name(frozen.plan.nodes[each.node]) in wanted
    ]


def _record(
    node: Node, found: FoundImages, missing: Decision | None, status: str
) -> ComponentRecord:
    if missing is None:
        built = status == _SUCCEEDED and isinstance(node, ComponentNode)
        reason = "its task succeeded" if status == _SUCCEEDED else "was there by its key"
        action = Action.BUILT if built else Action.REUSED
        record = describe(node, action, reason=reason)
        return msgspec.structs.replace(record, digest=found.images[node.name].digest)
    if status == _FAILED:
        return msgspec.structs.replace(
            describe(node, Action.FAILED, reason="its task failed"),
            hint="the log of the task says why",
        )
    if missing.intent is Intent.FAIL:
        record = describe(node, Action.FAILED, reason=missing.reason)
        return msgspec.structs.replace(record, hint=missing.hint)
    return describe(node, Action.SKIPPED, reason=missing.reason)
