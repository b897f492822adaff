# SPDX-License-Identifier: Apache-2.0
"""What passes over a stream did, or would do, as rows in the order in which it is done.

Rows are made of what passes tell while they go: a dry run and a sync differ in who carries
actions out, and in nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from okd_payload.controller.reconciling.actions import (
    Action,
    EndRun,
    Held,
    Mirror,
    OnRelease,
    Promote,
    Publish,
    Schedule,
    Settle,
    StartRun,
    Taken,
)
from okd_payload.progress import Event, Progress

if TYPE_CHECKING:
    from okd_payload.controller.service import Service


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a pass does."""

    action: str
    subject: str = ""
    """The release, image, run or publication that it is about."""
    reason: str = ""


class PlannedPass(msgspec.Struct, frozen=True, kw_only=True):
    """One or more passes over one stream."""

    stream: str
    steps: tuple[PlannedStep, ...] = ()
    waiting: str = ""
    """Why no release is begun; empty when one is, or nothing changed."""
    waits: tuple[PlannedStep, ...] = ()
    """What is not published yet, and what it waits for."""


class StepCollector:
    """Listens for what passes tell; everything goes on to ``listener`` too."""

    def __init__(self, listener: Progress) -> None:
        self._listener = listener
        self._told: list[Taken | Held] = []

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, Taken | Held):
            self._told.append(event)
        self._listener(event)

    def take(self, stream: str) -> list[Taken | Held]:
        """What was told of ``stream`` since it was taken last."""
        taken = [event for event in self._told if event.subject == stream]
        self._told = [event for event in self._told if event.subject != stream]
        return taken


async def pass_once(service: Service, collector: StepCollector, stream: str) -> PlannedPass:
    """What one pass over ``stream`` did, or would do. Raises RecordsError."""
    collector.take(stream)
    decision = await service.sync(stream)
    told = collector.take(stream)
    return PlannedPass(
        stream=stream,
        steps=tuple(describe_action(each.action) for each in told if isinstance(each, Taken)),
        waiting=decision.waiting,
        waits=tuple(_describe_wait(each) for each in told if isinstance(each, Held)),
    )


def join_passes(before: PlannedPass, after: PlannedPass) -> PlannedPass:
    """What both did, each action once, and what is left to wait for after the later one."""
    news = tuple(step for step in after.steps if step not in before.steps)
    return msgspec.structs.replace(after, steps=before.steps + news)


def describe_action(action: Action) -> PlannedStep:
    """``action`` as a row."""
    return PlannedStep(
        action=_verb(action), subject=_subject(action), reason="; ".join(_words(action))
    )


def _describe_wait(held: Held) -> PlannedStep:
    return PlannedStep(
        action=f"publish as {held.publication}", subject=held.release, reason=held.reason
    )


def _verb(action: Action) -> str:
    if isinstance(action, Publish) and action.restores:
        return "roll back"
    if isinstance(action, Schedule):
        return f"begin {action.kind}"
    return str(type(action).__struct_config__.tag)


def _subject(action: Action) -> str:
    subject = action.release if isinstance(action, OnRelease) else ""
    match action:
        case StartRun() | EndRun():
            subject = action.run
        case Mirror():
            subject = action.image
        case Schedule():
            subject = action.schedule
        case Publish():
            subject += f" as {action.publication}"
        case Promote():
            subject += f" as {action.version}"
    return subject


def _words(action: Action) -> Iterator[str]:
    match action:
        case Settle():
            yield action.phase.value
        case StartRun():
            yield f"by {action.runner}"
        case Schedule() if action.subject not in action.reason:
            yield action.subject
        case Promote():
            yield f"into {action.into}"
        case Publish():
            yield f"{action.kind} {', '.join(action.targets)}".strip()
            if action.replaces:
                yield f"instead of {action.replaces}"
    if action.reason:
        yield action.reason
