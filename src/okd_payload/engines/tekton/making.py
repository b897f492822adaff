# SPDX-License-Identifier: Apache-2.0
"""From a build step to the TaskRun that builds it, and what to do when there are some already."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.engines.pod import labels, outcome
from okd_payload.engines.pod.building import key_of_step
from okd_payload.engines.pod.causes import Reaction
from okd_payload.engines.pod.judging import judge
from okd_payload.engines.pod.step_document import encode_step, portable
from okd_payload.engines.pod.tool import build_pod, registry_words
from okd_payload.engines.tekton.naming import attempt_of, task_run_name
from okd_payload.engines.tekton.objects import (
    Metadata,
    Parameter,
    WrittenTaskRun,
    make_task_run,
    owned_by,
)
from okd_payload.engines.tekton.settings import Errand, TektonSettings
from okd_payload.engines.tekton.task_run import TaskRun, observe

STEP = "build"
ENLARGED = labels.PREFIX + "enlarged"
"""How often builds of this key ran out of memory before."""
_STEP_PARAMETER = "step"


class Follow(msgspec.Struct, frozen=True):
    """There is a TaskRun for it: see how it goes, or went."""

    name: str


class Make(msgspec.Struct, frozen=True):
    """There is none: make the next."""

    attempt: int
    enlarged: int = 0


def choose(present: Iterable[TaskRun], *, spent: Collection[str], afresh: bool) -> Follow | Make:
    """What to do for one build key, of which the TaskRuns ``present`` are known.

    Those in ``spent`` were judged already. With ``afresh``, only what still runs is followed.
    """
    runs = sorted(present, key=lambda run: attempt_of(run.name))
    for run in reversed(runs):
        if run.name in spent or run.metadata.deletion_timestamp:
            continue
        if run.is_over:
            taken = judge(observe(run)).rule.reaction is Reaction.TAKE
            if not taken or afresh:
                continue
        elif run.spec.status:  # it is about to end
            continue
        return Follow(run.name)
    if not runs:
        return Make(1)
    newest = runs[-1]
    before = newest.metadata.annotations.get(ENLARGED, "")
    enlarged = int(before) if before.isdecimal() else 0
    if newest.is_over and judge(observe(newest)).rule.reaction is Reaction.ENLARGE:
        enlarged += 1
    return Make(attempt_of(newest.name) + 1, enlarged)


def make_build(
    step: BuildStep,
    make: Make,
    *,
    repository: str,
    errand: Errand,
    settings: TektonSettings,
    afresh: bool = False,
) -> WrittenTaskRun:
    """The TaskRun that builds ``step`` into ``repository``. Raises BuildError and InputError."""
    key = key_of_step(step)
    component = step.component
    annotations = labels.build_annotations(component=component, key=key, commit=step.commit)
    if make.enlarged:
        annotations[ENLARGED] = str(make.enlarged)
    arguments = (
        *("step", "build", "--step", f"$(params.{_STEP_PARAMETER})"),
        *("--repository", repository, "--network", settings.network),
        *(("--snapshot", settings.snapshot) if settings.snapshot else ()),
        *(("--again",) if afresh else ()),
        *registry_words(settings.tool),
        *(
            word
            for name in outcome.RESULTS
            for word in (f"--result-{name}", f"$(results.{name}.path)")
        ),
    )
    return make_task_run(
        Metadata(
            name=task_run_name(component, key, make.attempt),
            labels=labels.build_labels(
                stream=errand.stream, run=errand.run, component=component, key=key
            ),
            annotations=annotations,
            owner_references=owned_by(errand.owner),
        ),
        build_pod(arguments, settings.tool, resources=step.resources, enlarged=make.enlarged),
        step=STEP,
        timeout=settings.timeout,
        service_account=settings.service_account,
        parameters=(Parameter(name=_STEP_PARAMETER, value=encode_step(portable(step))),),
        results=outcome.RESULTS,
    )
