# SPDX-License-Identifier: Apache-2.0
"""From a build step to the BuildRun that builds it, and back to an attempt at its image.

The Build is embedded in its run: it is of one key and of no use afterwards, and what is not
there need not be cleared away.
"""

from __future__ import annotations

from collections.abc import Iterable

from okd_payload.build.engine import BuildStep
from okd_payload.build.key import key_tag
from okd_payload.cluster import kinds
from okd_payload.engines.manifests import Metadata
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.building import key_of_step
from okd_payload.engines.pod.choosing import ENLARGED, Attempt, Make
from okd_payload.engines.pod.nodes import ARCHITECTURE_LABEL
from okd_payload.engines.pod.resources import requirements_of
from okd_payload.engines.pod.step_document import encode_step, portable
from okd_payload.engines.shipwright import objects
from okd_payload.engines.shipwright.judging import judge_run
from okd_payload.engines.shipwright.naming import build_run_name
from okd_payload.engines.shipwright.run_state import STEP, BuildRun
from okd_payload.engines.shipwright.settings import ShipwrightSettings
from okd_payload.engines.shipwright.strategy import (
    OPTIONS_PARAMETER,
    REPOSITORY_PARAMETER,
    STEP_PARAMETER,
)

_DAY = "24h"


def attempt_from(run: BuildRun) -> Attempt:
    """``run`` as an attempt at its image."""
    return Attempt(
        name=run.name,
        is_over=run.is_over,
        is_ending=bool(run.spec.state),
        is_deleted=bool(run.metadata.deletion_timestamp),
        reaction=judge_run(run).rule.reaction,
        annotations=run.metadata.annotations,
    )


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
            objects.ParameterValue(name=STEP_PARAMETER, value=encode_step(portable(step))),
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
        node_selector={ARCHITECTURE_LABEL: step.platform.architecture},
        timeout=f"{round(settings.timeout)}s",
    )
    return objects.BuildRun(
        **objects.type_of(kinds.SHIPWRIGHT_BUILD_RUN),
        metadata=Metadata(
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
