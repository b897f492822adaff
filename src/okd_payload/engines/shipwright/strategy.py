# SPDX-License-Identifier: Apache-2.0
"""How Shipwright runs the tool: the strategies of ours.

Shipwright has no pods of its own design: what a pod runs, mounts and may do stands in a strategy,
and a Build only fills in parameters. There are three. That of the engine belongs to a namespace and
takes a step document; it is called by its content, so runs with other settings have another one,
and none changes that of another. Those for Builds of people belong to the cluster: one takes what
a BuildConfig says, the other a component of a snapshot, for sources that are not in git.
"""

from __future__ import annotations

import hashlib

import msgspec

from okd_payload.build.source_build import LISTS
from okd_payload.cluster import kinds
from okd_payload.engines.manifests import Metadata
from okd_payload.engines.pod.labels import MANAGED_BY, MANAGER
from okd_payload.engines.pod.objects import EmptyDirectory
from okd_payload.engines.pod.outcome import DIGEST_RESULT
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
    Parameter,
    Strategy,
    StrategySpecification,
    StrategyStep,
    StrategyVolume,
    type_of,
)
from okd_payload.engines.shipwright.results import PATHS, result_words
from okd_payload.engines.shipwright.run_state import STEP
from okd_payload.errors import InputError

STEP_PARAMETER = "step"
REPOSITORY_PARAMETER = "repository"
OPTIONS_PARAMETER = "options"
SOURCE_STRATEGY = "okd-payload"
COMPONENT_STRATEGY = "okd-payload-component"
_NAME = "okd-payload-step"
_HASH_DIGITS = 8
_TEXTS = {
    "dockerfile": ("The Dockerfile, relative to the context.", "Dockerfile"),
    "inline": ("The Dockerfile itself, in base64; wins over `dockerfile`.", ""),
    "base": ("The image that takes the place of that of the last FROM; empty for none.", ""),
    "layering": ("one: the image gets one layer; each: one for each instruction.", "one"),
    "network": ("What the build can reach: host or none.", "host"),
}
"""Parameters of one value: what they mean, and what they are when nobody says."""


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


def make_source_strategy(settings: ToolSettings) -> Strategy:
    """The strategy for Builds that people write: of a source that Shipwright has cloned.

    Its parameters are the fields of a BuildConfig. Raises InputError.
    """
    lists = [word for name in LISTS for word in (name, f"$(params.{name}[*])")]
    arguments = (
        *("step", "source", "--root", "$(params.shp-source-root)"),
        *("--context", "$(params.shp-source-context)"),
        *("--output", "$(params.shp-output-image)"),
        *(word for name in _TEXTS for word in (f"--{name}", f"$(params.{name})")),
        *registry_words(settings),
        *result_words(),
        "$(params.options[*])",
        "--",
        *lists,
    )
    parameters = [
        Parameter(name=name, description=text, type="string", default=default)
        for name, (text, default) in _TEXTS.items()
    ]
    parameters += [
        Parameter(name=name, description=f"{form}.", type="array", defaults=())
        for name, form in LISTS.items()
    ]
    return _cluster_strategy(
        SOURCE_STRATEGY, (*parameters, *_common("source", settings)), arguments, settings
    )


def make_component_strategy(settings: ToolSettings) -> Strategy:
    """The strategy for Builds of what no git repository has: of a snapshot. Raises InputError."""
    arguments = (
        *("step", "component", "$(params.component)", "--snapshot", "$(params.snapshot)"),
        *("--repository", "$(params.repository)"),
        *registry_words(settings),
        *("--result-digest", PATHS[DIGEST_RESULT], "$(params.options[*])"),
    )
    texts = {
        "component": "The component that is built.",
        "snapshot": "REPOSITORY@DIGEST, as `okd-payload step snapshot` gives it; in the BuildRun.",
        "repository": "Where the images of the stream are, and go.",
    }
    parameters = [
        Parameter(name=name, description=text, type="string", default="")
        for name, text in texts.items()
    ]
    return _cluster_strategy(
        COMPONENT_STRATEGY, (*parameters, *_common("component", settings)), arguments, settings
    )


def _common(command: str, settings: ToolSettings) -> tuple[Parameter, ...]:
    """The parameters of every strategy of the cluster."""
    return (
        Parameter(
            name="options",
            description=f"Further options of `okd-payload step {command}`.",
            type="array",
            defaults=(),
        ),
        Parameter(
            name="image",
            description="The image of okd-payload that pods run.",
            type="string",
            default=settings.image,
        ),
    )


def _cluster_strategy(
    name: str,
    parameters: tuple[Parameter, ...],
    arguments: tuple[str, ...],
    settings: ToolSettings,
) -> Strategy:
    """A strategy whose image is a parameter, and whose Secret a Build may replace."""
    return Strategy(
        **type_of(kinds.CLUSTER_BUILD_STRATEGY),
        metadata=Metadata(name=name, labels={MANAGED_BY: MANAGER}),
        spec=StrategySpecification(
            parameters=parameters,
            steps=(strategy_step(arguments, settings, image="$(params.image)"),),
            volumes=tuple(
                msgspec.structs.replace(volume, overridable=True if volume.secret else None)
                for volume in strategy_volumes(settings)
            ),
        ),
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
