# SPDX-License-Identifier: Apache-2.0
"""How Shipwright runs the tool: the strategies of ours.

Shipwright has no pods of its own design: what a pod runs, mounts and may do stands in a strategy,
and a Build only fills in parameters. The strategy of the engine belongs to a namespace and takes
a step document. It is called by its content, so runs with other settings have another one, and
none changes that of another.
"""

from __future__ import annotations

import hashlib

import msgspec

from okd_payload.cluster import kinds
from okd_payload.engines.pod.labels import MANAGED_BY, MANAGER
from okd_payload.engines.pod.objects import EmptyDirectory
from okd_payload.engines.pod.resources import requirements_of
from okd_payload.engines.pod.security import SecurityProfile, build_rights
from okd_payload.engines.pod.tool import (
    PROGRAM,
    WORK_FOLDER,
    ToolSettings,
    registry_words,
    tool_environment,
    tool_mounts,
    tool_volumes,
)
from okd_payload.engines.shipwright.objects import (
    Metadata,
    Parameter,
    Strategy,
    StrategySpecification,
    StrategyStep,
    StrategyVolume,
    type_of,
)
from okd_payload.engines.shipwright.results import result_words
from okd_payload.engines.shipwright.run_state import STEP
from okd_payload.errors import InputError

STEP_PARAMETER = "step"
REPOSITORY_PARAMETER = "repository"
OPTIONS_PARAMETER = "options"
_NAME = "okd-payload-step"
_HASH_DIGITS = 8


def make_step_strategy(settings: ToolSettings) -> Strategy:
    """The strategy that builds a step document. Raises InputError."""
    arguments = (
        *("step", "build", "--step", f"$(params.{STEP_PARAMETER})"),
        *("--repository", f"$(params.{REPOSITORY_PARAMETER})"),
        *registry_words(settings),
        *result_words(),
        f"$(params.{OPTIONS_PARAMETER}[*])",
    )
    spec = StrategySpecification(
        parameters=(
            Parameter(
                name=STEP_PARAMETER,
                description="What is built, as okd-payload describes it.",
                type="string",
            ),
            Parameter(
                name=REPOSITORY_PARAMETER,
                description="Where the images of the stream are, and this one goes.",
                type="string",
            ),
            Parameter(
                name=OPTIONS_PARAMETER,
                description="Further options of `okd-payload step build`.",
                type="array",
                defaults=(),
            ),
        ),
        steps=(strategy_step(arguments, settings),),
        volumes=strategy_volumes(settings),
    )
    mark = hashlib.sha256(msgspec.json.encode(spec)).hexdigest()[:_HASH_DIGITS]
    return Strategy(
        **type_of(kinds.BUILD_STRATEGY),
        metadata=Metadata(name=f"{_NAME}-{mark}", labels={MANAGED_BY: MANAGER}),
        spec=spec,
    )


def strategy_step(
    arguments: tuple[str, ...], settings: ToolSettings, *, image: str = ""
) -> StrategyStep:
    """The one container of a strategy: the tool with ``arguments``. Raises InputError."""
    if settings.profile is SecurityProfile.USER_NAMESPACE:
        raise InputError(
            "Shipwright cannot give a pod a user namespace",
            hint="build with --pod-security capabilities, or privileged; or with --engine tekton",
        )
    return StrategyStep(
        name=STEP,
        image=image or settings.image,
        command=(PROGRAM,),
        args=arguments,
        env=tool_environment(settings),
        volume_mounts=tool_mounts(settings),
        resources=requirements_of(settings.defaults, defaults=settings.defaults),
        security_context=build_rights(settings.profile).container,
        working_dir=WORK_FOLDER,
    )


def strategy_volumes(settings: ToolSettings) -> tuple[StrategyVolume, ...]:
    """The volumes of the pod."""
    return tuple(
        StrategyVolume(
            name=volume.name,
            empty_dir=EmptyDirectory() if volume.empty_dir is not None else None,
            secret=volume.secret,
            config_map=volume.config_map,
        )
        for volume in tool_volumes(settings)
    )
