# SPDX-License-Identifier: Apache-2.0
"""What a pass over a stream would do, as rows: nothing is written, and no lease is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from okd_payload.controller.inputs.mirroring import plan_mirror
from okd_payload.controller.reconciling.actions import Action, OnRelease, Settle
from okd_payload.controller.retention.deciding import Step
from okd_payload.errors import OkdPayloadError

if TYPE_CHECKING:
    from okd_payload.cli.serving.assembly import Controller
    from okd_payload.controller.surroundings import Surroundings


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a pass does."""

    action: str
    subject: str = ""
    """The release, image or publication that it is about."""
    reason: str = ""


class PlannedPass(msgspec.Struct, frozen=True, kw_only=True):
    """A pass over one stream."""

    stream: str
    steps: tuple[PlannedStep, ...] = ()
    waiting: str = ""
    """Why no release is begun; empty when one is, or nothing changed."""
    waits: tuple[PlannedStep, ...] = ()
    """What is not published yet, and what it waits for."""


async def preview_pass(
    surroundings: Surroundings, controller: Controller, stream: str
) -> PlannedPass:
    """Everything that a pass over ``stream`` would do now. Raises RecordsError."""
    configuration = surroundings.configurations()[stream]
    steps = []
    try:
        mirrored = await plan_mirror(surroundings, configuration)
    except OkdPayloadError as error:
        steps.append(PlannedStep(action="mirror", reason=f"cannot be looked at: {error.message}"))
    else:
        steps += [PlannedStep(action="mirror", subject=image.tag) for image in mirrored]
    decision = await controller.service.passes.preview(stream)
    steps += [describe_action(action) for action in decision.actions]
    waits = []
    for proposal in await controller.followers.publishing.preview(configuration):
        name = proposal.publication
        steps += [
            PlannedStep(
                action="roll back" if step.restores else "publish",
                subject=f"{step.release} as {name}",
                reason=step.reason,
            )
            for step in proposal.steps
        ]
        waits += [
            PlannedStep(action=f"publish as {name}", subject=wait.release, reason=wait.message)
            for wait in proposal.waits
        ]
    fates = await controller.followers.retention.preview(configuration)
    for word, step in (("withdraw", Step.WITHDRAW), ("delete", Step.DELETE)):
        steps += [
            PlannedStep(action=word, subject=release.name, reason=fate.reason)
            for release, fate in fates.due(step)
        ]
    return PlannedPass(
        stream=stream, steps=tuple(steps), waiting=decision.waiting, waits=tuple(waits)
    )


def describe_action(action: Action) -> PlannedStep:
    """``action`` as a row."""
    return PlannedStep(
        action=str(type(action).__struct_config__.tag),
        subject=action.release if isinstance(action, OnRelease) else "",
        reason=" ".join(_words(action)),
    )


def _words(action: Action) -> Iterator[str]:
    if isinstance(action, Settle):
        yield f"{action.phase.value}:"
    if action.reason:
        yield action.reason
