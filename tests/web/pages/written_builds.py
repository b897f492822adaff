# SPDX-License-Identifier: Apache-2.0
"""Runs of builds as their processes leave them: of 5 and of 190 images, in every condition."""

from __future__ import annotations

from pathlib import Path

from okd_payload.build.records import Action, ComponentRecord, RunFolder, start_run

SMALL: dict[str, tuple[str, ...]] = {
    "base": (),
    "builder": ("base",),
    "etcd": ("base", "builder"),
    "etcd-operator": ("etcd", "builder"),
    "cluster-version-operator": ("base", "builder"),
}


def large_plan(count: int = 190) -> dict[str, tuple[str, ...]]:
    """A plan shaped like OKD's: a few bases, many operators on them, a few on those."""
    plan: dict[str, tuple[str, ...]] = {
        "base": (),
        "builder": ("base",),
        "builder-node": ("base",),
        "cli": ("base", "builder"),
        "tools": ("cli", "builder"),
        "console-base": ("base", "builder-node"),
    }
    for number in range(count - len(plan)):
        name = f"cluster-component-{number:03}-operator"
        if number % 9 == 8:
            plan[name] = ("tools", f"cluster-component-{number - 1:03}-operator")
        else:
            plan[name] = ("base", "builder" if number % 4 else "builder-node")
    return plan


def write_run(
    streams: Path,
    plan: dict[str, tuple[str, ...]],
    *,
    moment: float,
    ended: int,
    building: int = 0,
    failed: str = "",
    stream: str = "okd-scos",
) -> RunFolder:
    """A run that made the first ``ended`` images of ``plan`` and is at the next ``building``.

    It goes on as long as somebody has its folder.
    """
    folder = start_run(streams / stream / "runs", stream=stream, moment=moment)
    folder.remember_plan(plan)
    names = list(plan)
    skipped: set[str] = set()
    for number, name in enumerate(names[:ended]):
        log = folder.log_of(name)
        action = (Action.BUILT, Action.REUSED, Action.BUILT, Action.IMPORTED)[number % 4]
        reason = "its commit changed"
        if skipped.intersection(plan[name]) or failed in plan[name]:
            skipped.add(name)
            action, reason = Action.SKIPPED, f"{failed} failed"
        elif name == failed:
            action, reason = Action.FAILED, "buildah ended with exit code 2"
        if action in (Action.BUILT, Action.FAILED):
            log.write_text("STEP 1/9: FROM base\n" + "compiling\n" * 20 + f"end of {name}\n")
        record = ComponentRecord(
            name=name,
            tag=name,
            action=action,
            reason=reason,
            hint="read its log" if action is Action.FAILED else "",
            started=moment + number,
            seconds=float(7 * (number % 40)) if action is Action.BUILT else 0.2,
            commit="0123456789abcdef" * 2 + "01234567",
            source="https://github.com/openshift/etcd",
            log=f"logs/{log.name}" if log.exists() else "",
        )
        folder.add(record)
    for number, name in enumerate(names[ended : ended + building]):
        log = folder.log_of(name)
        folder.begin(name, moment + number, log=log)
        log.write_text("STEP 1/9: FROM base\n")
    return folder
