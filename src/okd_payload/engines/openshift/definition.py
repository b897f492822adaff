# SPDX-License-Identifier: Apache-2.0
"""A component as a BuildConfig of the same meaning: what the catalog would read it from.

This is the inverse of ``catalog.buildconfig``: reading what is written here gives the component
again. What a BuildConfig cannot say is refused and never left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from okd_payload.catalog.component import Argument, Component, Layering, Resources
from okd_payload.catalog.openshift_names import (
    DOCKER_IMAGE,
    IMAGE_STREAM_TAG,
    ImageScope,
)
from okd_payload.engines.openshift.objects import (
    BuildConfig,
    BuildSpecification,
    CopiedPath,
    DockerStrategy,
    Git,
    ImageSource,
    Metadata,
    ObjectReference,
    Output,
    ResourceRequirements,
    Source,
    Strategy,
    Variable,
    new_build_config,
)
from okd_payload.errors import InputError
from okd_payload.source.model import FolderSource, GitSource

POLICIES = {Layering.ONE: "SkipLayers", Layering.EACH: "None"}
DOCKER = "Docker"
_FOREIGN_TAG = re.compile(r"(?:(?P<namespace>[a-z0-9-]+)/)?(?P<tag>[a-z0-9.-]+:[\w][\w.-]*)")
"""``[NAMESPACE/]STREAM:TAG``: no host, because hosts have a dot or a port before the slash."""


def define(component: Component, scope: ImageScope) -> BuildConfig:
    """The BuildConfig of ``component``, whose tags are those of ``scope``.

    Arguments that a stream offers to all are given here too: a Dockerfile that does not declare
    them ignores them. Raises InputError for a component that needs more than git.
    """
    named = [item for item in component.offered_arguments if item.name not in _names(component)]
    spec = BuildSpecification(
        source=_source_of(component, scope),
        strategy=Strategy(
            type=DOCKER,
            docker_strategy=DockerStrategy(
                base=reference_to(component.base, scope) if component.base else None,
                dockerfile_path="" if component.dockerfile else component.dockerfile_path,
                image_optimization_policy=POLICIES[component.layering],
                build_args=variables((*named, *component.build_arguments)),
                env=variables(component.environment),
            ),
        ),
        output=Output(
            to=reference_to(component.tag, scope), image_labels=variables(component.labels)
        ),
        resources=requirements(component.resources),
    )
    labels = {item.name: item.value for item in component.selector_labels}
    return new_build_config(Metadata(name=component.name, labels=labels), spec)


def reference_to(name: str, scope: ImageScope) -> ObjectReference:
    """The object that the catalog calls ``name``: a tag of ours, another one, or a pull spec."""
    if not re.search(r"[/:@]", name):
        return ObjectReference(kind=IMAGE_STREAM_TAG, name=f"{scope.stream}:{name}")
    foreign = _FOREIGN_TAG.fullmatch(name)
    if foreign is None:
        return ObjectReference(kind=DOCKER_IMAGE, name=name)
    return ObjectReference(
        kind=IMAGE_STREAM_TAG, name=foreign["tag"], namespace=foreign["namespace"] or ""
    )


def variables(arguments: Iterable[Argument]) -> tuple[Variable, ...]:
    """``arguments`` as the API has them."""
    return tuple(Variable(name=item.name, value=item.value) for item in arguments)


def requirements(resources: Resources) -> ResourceRequirements:
    """``resources`` as the API has them."""
    return ResourceRequirements(
        requests=_given({"cpu": resources.cpu_request, "memory": resources.memory_request}),
        limits=_given({"cpu": resources.cpu_limit, "memory": resources.memory_limit}),
    )


def _given(amounts: Mapping[str, str]) -> dict[str, str]:
    return {name: amount for name, amount in amounts.items() if amount}


def _source_of(component: Component, scope: ImageScope) -> Source:
    if isinstance(component.source, FolderSource) or component.patches:
        raise InputError(
            f"{component.name} is built from {component.patches or component.source}, and a "
            "BuildConfig takes its source from git as it is",
            hint="push the change to a git repository and name that as the source",
        )
    return Source(
        type=_type_of(component),
        git=_git_of(component.source),
        context_dir=component.context_directory,
        dockerfile=component.dockerfile,
        images=tuple(
            ImageSource(
                image=reference_to(item.image, scope),
                aliases=item.aliases,
                paths=tuple(
                    CopiedPath(source_path=copy.source, destination_dir=copy.destination)
                    for copy in item.copies
                ),
            )
            for item in component.inputs
        ),
    )


def _git_of(source: GitSource | None) -> Git | None:
    return Git(uri=source.url, ref=source.ref) if source else None


def _type_of(component: Component) -> str:
    """What the API calls the kind of the source: the first of what there is."""
    if component.source is not None:
        return "Git"
    return "Dockerfile" if component.dockerfile else "Images" if component.inputs else "None"


def _names(component: Component) -> frozenset[str]:
    return frozenset(item.name for item in component.build_arguments)
