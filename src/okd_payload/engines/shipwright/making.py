# SPDX-License-Identifier: Apache-2.0
"""From a build step to the BuildRun that builds it, and what to do when there are some already.

The Build is embedded in its run: it is of one key and of no use afterwards, and what is not
there need not be cleared away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.build.key import key_tag
from okd_payload.cluster import kinds
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.building import key_of_step
from okd_payload.engines.pod.causes import Reaction
from okd_payload.engines.pod.resources import requirements_of
from okd_payload.engines.pod.step_document import encode_step
from okd_payload.engines.shipwright import objects
from okd_payload.engines.shipwright.judging import judge_run
from okd_payload.engines.shipwright.naming import attempt_of, build_run_name
from okd_payload.engines.shipwright.run_state import STEP, BuildRun
from okd_payload.engines.shipwright.settings import ShipwrightSettings
from okd_payload.engines.shipwright.strategy import (
    OPTIONS_PARAMETER,
    REPOSITORY_PARAMETER,
    STEP_PARAMETER,
)

ENLARGED = labels.PREFIX + "enlarged"
"""How often builds of this key ran out of memory before."""
_DAY = "24h"


class Follow(msgspec.Struct, frozen=True):
    """There is a BuildRun for it: see how it goes, or went."""

    name: str


class Make(msgspec.Struct, frozen=True):
    """There is none: make the next."""

    attempt: int
    enlarged: int = 0


def choose(present: Iterable[BuildRun], *, spent: Collection[str], afresh: bool) -> Follow | Make:
    """What to do for one build key, of which the BuildRuns ``present`` are known.

    Those in ``spent`` were judged already. With ``afresh``, only what still runs is followed.
    """
    runs = sorted(present, key=lambda run: attempt_of(run.name))
    for run in reversed(runs):
        if run.name in spent or run.metadata.deletion_timestamp:
            continue
        if run.is_over:
            taken = judge_run(run).rule.reaction is Reaction.TAKE
            if not taken or afresh:
                continue
        elif run.spec.state:  # it is about to end
            continue
        return Follow(run.name)
    if not runs:
        return Make(1)
    newest = runs[-1]
    before = newest.metadata.annotations.get(ENLARGED, "")
    enlarged = int(before) if before.isdecimal() else 0
    if newest.is_over and judge_run(newest).rule.reaction is Reaction.ENLARGE:
        enlarged += 1
    return Make(attempt_of(newest.name) + 1, enlarged)


def make_build_run(
    step: BuildStep,
    make: Make,
    *,
    repository: str,
    strategy: str,
    settings: ShipwrightSettings,
    afresh: bool = False,
) -> objects.BuildRun:
    """The BuildRun that builds ``step`` into ``repository``. Raises BuildError and InputError."""
    key = key_of_step(step)
    annotations = labels.build_annotations(component=step.component, key=key, commit=step.commit)
    if make.enlarged:
        annotations[ENLARGED] = str(make.enlarged)
    requirements = requirements_of(
        step.resources, defaults=settings.tool.defaults, enlarged=make.enlarged
    )
    host = repository.partition("/")[0]
    spec = objects.BuildSpecification(
        strategy=objects.StrategyReference(
            name=strategy,
            kind=kinds.BUILD_STRATEGY.kind,
            step_resources=(objects.StepResources(name=STEP, resources=requirements),),
        ),
        param_values=(
            objects.ParameterValue(name=STEP_PARAMETER, value=encode_step(step)),
            objects.ParameterValue(name=REPOSITORY_PARAMETER, value=repository),
            objects.ParameterValue(
                name=OPTIONS_PARAMETER,
                values=tuple(objects.Value(value=word) for word in _options(settings, afresh)),
            ),
        ),
        output=objects.Output(
            image=f"{repository}:{key_tag(key)}",
            insecure=True if host in settings.tool.plain_http else None,
        ),
        node_selector={"kubernetes.io/arch": step.platform.architecture},
        timeout=f"{round(settings.timeout)}s",
    )
    return objects.BuildRun(
        **objects.type_of(kinds.SHIPWRIGHT_BUILD_RUN),
        metadata=objects.Metadata(
            name=build_run_name(step.component, key, make.attempt),
            labels=labels.build_labels(
                stream=settings.stream, run=settings.run, component=step.component, key=key
            ),
            annotations=annotations,
        ),
        spec=objects.BuildRunSpecification(
            build=objects.BuildReference(spec=spec),
            service_account=settings.service_account,
            retention=objects.RunRetention(ttl_after_failed=_DAY, ttl_after_succeeded=_DAY),
        ),
    )


def _options(settings: ShipwrightSettings, afresh: bool) -> Iterable[str]:  # noqa: FBT001 - one use
    yield from ("--network", settings.network)
    if settings.snapshot:
        yield from ("--snapshot", settings.snapshot)
    if afresh:
        yield "--again"
