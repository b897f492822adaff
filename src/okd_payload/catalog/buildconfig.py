# SPDX-License-Identifier: Apache-2.0
"""BuildConfigs with the docker strategy, as components of the same meaning.

Fields follow ``build.openshift.io/v1``. What a BuildConfig says is either honoured, or named in
an issue: a field that would change the image is an error, one that only a cluster needs a
warning. Kubernetes drops nulls and unknown fields, so neither may stop the reading.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from okd_payload.catalog import codes
from okd_payload.catalog.buildconfig_fields import (
    CHANGES_THE_IMAGE,
    FOR_CLUSTERS_ONLY,
    LAYERING_BY_POLICY,
    BuildConfig,
    ResourceList,
    Specification,
    Variable,
)
from okd_payload.catalog.component import (
    Argument,
    Component,
    Copy,
    ImageInput,
    Layering,
    Origin,
    Resources,
)
from okd_payload.catalog.definition import Definition, Definitions
from okd_payload.catalog.openshift_names import IMAGE_STREAM_IMAGE, ImageObject, ImageScope
from okd_payload.catalog.plain_values import without_nulls
from okd_payload.documents import Document, FieldPath, convert, unknown_fields
from okd_payload.issues import Issue, IssueCode
from okd_payload.source.model import GitSource


class _Issues:
    """Collects what is wrong with one BuildConfig."""

    def __init__(self, document: Document, component: str) -> None:
        self._document = document
        self._component = component
        self.found: list[Issue] = []

    def add(self, code: IssueCode, message: str, *field: str | int, hint: str = "") -> None:
        self.found.append(
            code.issue(
                message,
                component=self._component,
                file=self._document.path,
                line=self._document.line_of(field),
                hint=hint,
            )
        )


def read_build_config(document: Document, *, image_stream: str) -> Definitions:
    """The component that ``document`` defines, unless it makes no tag of ``image_stream``.

    Raises InvalidDocument when a field has the wrong type or a needed one is absent.
    """
    clean = Document(document.path, without_nulls(document.value), document.lines)
    config = convert(clean, BuildConfig)
    scope = ImageScope(image_stream, config.metadata.namespace)
    issues = _Issues(clean, config.metadata.name)
    tag = scope.own_tag(config.spec.output.to) if config.spec.output.to else ""
    if not tag:
        issues.add(
            codes.FOREIGN_OUTPUT,
            f"{config.metadata.name} makes no tag of the image stream {image_stream!r}",
            *("spec", "output", "to"),
            hint="`imageStream` beside `buildConfigs` in the stream file says whose tags count",
        )
        return Definitions(issues=tuple(issues.found))
    _check_fields(clean, issues)
    _check_values(config.spec, issues)
    _check_paths(config.spec, issues)
    component = _define(config, tag, scope, Origin(document.path, document.line_of(())))
    return Definitions((Definition(component),), issues=tuple(issues.found))


def _define(config: BuildConfig, tag: str, scope: ImageScope, origin: Origin) -> Component:
    source, strategy = config.spec.source, config.spec.strategy.docker_strategy
    return Component(
        name=config.metadata.name,
        tag=tag,
        origin=origin,
        source=GitSource(url=source.git.uri, ref=source.git.ref) if source.git else None,
        context_directory=source.context_dir.lstrip("/") or ".",
        dockerfile_path=strategy.dockerfile_path,
        dockerfile=source.dockerfile,
        base=scope.name_of(strategy.base) if strategy.base else "",
        inputs=tuple(
            ImageInput(
                image=scope.name_of(item.image),
                aliases=item.aliases,
                copies=tuple(Copy(path.source_path, path.destination_dir) for path in item.paths),
            )
            for item in source.images
        ),
        build_arguments=_arguments_of(strategy.build_args),
        environment=_arguments_of(strategy.env),
        labels=_arguments_of(config.spec.output.image_labels),
        selector_labels=tuple(Argument(*label) for label in config.metadata.labels.items()),
        layering=LAYERING_BY_POLICY.get(strategy.image_optimization_policy, Layering.EACH),
        resources=_resources_of(config.spec.resources),
    )


def _arguments_of(variables: tuple[Variable, ...]) -> tuple[Argument, ...]:
    return tuple(Argument(variable.name, variable.value) for variable in variables)


def _resources_of(resources: ResourceList) -> Resources:
    return Resources(
        cpu_request=str(resources.requests.cpu),
        cpu_limit=str(resources.limits.cpu),
        memory_request=str(resources.requests.memory),
        memory_limit=str(resources.limits.memory),
    )


def _check_fields(document: Document, issues: _Issues) -> None:
    for field in unknown_fields(document, BuildConfig):
        value = document.value
        for step in field:
            value = value[step]
        name = ".".join(step for step in field if isinstance(step, str))
        if value in ("", [], {}):
            continue
        if name in CHANGES_THE_IMAGE:
            issues.add(codes.UNSUPPORTED_FIELD, f"{name} is not supported", *field)
        elif name in FOR_CLUSTERS_ONLY:
            issues.add(codes.IGNORED_FIELD, f"{name} is ignored: it is for clusters", *field)
        else:
            issues.add(codes.UNKNOWN_FIELD, f"{name} is no field of a BuildConfig", *field)


def _check_values(spec: Specification, issues: _Issues) -> None:
    strategy = spec.strategy.docker_strategy
    docker: FieldPath = ("spec", "strategy", "dockerStrategy")
    if strategy.image_optimization_policy not in LAYERING_BY_POLICY:
        policy = strategy.image_optimization_policy
        issues.add(
            codes.UNKNOWN_FIELD,
            f"image optimization policy {policy!r} is not known; layers are kept",
            *(*docker, "imageOptimizationPolicy"),
        )
    if spec.strategy.type != "Docker":
        issues.add(
            codes.UNSUPPORTED_FIELD,
            f"strategy {spec.strategy.type} is not supported, only Docker is",
            *("spec", "strategy", "type"),
        )
    for number, variable in enumerate(strategy.env):
        if "\n" in variable.value:
            issues.add(
                codes.UNSUPPORTED_FIELD,
                f"environment variable {variable.name} has a line break, which ENV cannot express",
                *(*docker, "env", number),
            )
    for number, name in _repeated(strategy.build_args):
        issues.add(
            codes.DUPLICATE_ARGUMENT,
            f"build argument {name} is given again; this value counts",
            *(*docker, "buildArgs", number),
            hint="remove the value that does not count",
        )
    for field, image in _images(spec):
        if image.kind == IMAGE_STREAM_IMAGE:
            issues.add(
                codes.UNSUPPORTED_FIELD,
                f"{image.name} is an image inside a cluster's image stream",
                *field,
                hint="name it by its pull spec: REPOSITORY@DIGEST, kind DockerImage",
            )


def _check_paths(spec: Specification, issues: _Issues) -> None:
    context = spec.source.context_dir.lstrip("/") or "."
    dockerfile = spec.strategy.docker_strategy.dockerfile_path
    paths: list[tuple[FieldPath, str]] = [(("spec", "source", "contextDir"), context)]
    if not _leaves_root(context):
        path = posixpath.join(context, dockerfile)
        paths.append((("spec", "strategy", "dockerStrategy", "dockerfilePath"), path))
    for number, item in enumerate(spec.source.images):
        place = ("spec", "source", "images", number, "paths")
        paths += [((*place, i), path.destination_dir) for i, path in enumerate(item.paths)]
    for field, path in paths:
        if _leaves_root(path):
            issues.add(codes.ESCAPING_PATH, f"{path} leads out of the repository", *field)


def _leaves_root(path: str) -> bool:
    return f"{posixpath.normpath(path)}/".startswith(("/", "../"))


def _repeated(variables: tuple[Variable, ...]) -> Iterator[tuple[int, str]]:
    seen = set()
    for number, variable in enumerate(variables):
        if variable.name in seen:
            yield number, variable.name
        seen.add(variable.name)


def _images(spec: Specification) -> Iterator[tuple[FieldPath, ImageObject]]:
    if spec.strategy.docker_strategy.base:
        yield ("spec", "strategy", "dockerStrategy", "from"), spec.strategy.docker_strategy.base
    for number, item in enumerate(spec.source.images):
        yield ("spec", "source", "images", number, "from"), item.image
