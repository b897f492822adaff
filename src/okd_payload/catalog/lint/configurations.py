# SPDX-License-Identifier: Apache-2.0
"""Configurations of OpenShift CI: OKD's must not end on OCP's images, nor mean two things.

Of a configuration without variant nothing is asked here: OCP is built on OCP.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from okd_payload.catalog.ci_operator.model import (
    BuiltImage,
    CentralImage,
    Configuration,
    ExternalImage,
    PipelineInput,
)
from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.subject import Subject
from okd_payload.catalog.lint.tekton import texts
from okd_payload.issues import Issue, IssueCode

_OKD = "okd"
_OCP_NAMESPACES = frozenset({"ocp", "ocp-priv"})
_SECTIONS = ("base_images", "base_rpm_images", "external_images")
_REGISTRY_STEPS = frozenset({"workflow", "chain", "ref"})


def check_final_images(subject: Subject) -> Iterator[Issue]:
    """Images of OKD whose final stage is one of OCP."""
    for read in subject.configurations:
        configuration = read.configuration
        if not configuration.name.variant.startswith(_OKD):
            continue
        for image in _built(configuration):
            base = _central(configuration, image.base)
            if base is not None and base.namespace in _OCP_NAMESPACES:
                yield _issue(
                    codes.OCP_BASE,
                    configuration,
                    image,
                    f"its final image is built on {base.pull_spec}",
                    hint="let `from` name an image of the OKD stream",
                )


def check_mappings(subject: Subject) -> Iterator[Issue]:
    """Names that two inputs of an image claim, and one image taken from two streams."""
    for read in subject.configurations:
        for image in _built(read.configuration):
            yield from _check_inputs(read.configuration, image)


def check_imports(subject: Subject) -> Iterator[Issue]:
    """Imported images that nothing in their configuration names.

    Steps of the registry may use imports that the configuration does not show; where there are
    any, nothing is said.
    """
    for read in subject.configurations:
        value = read.document.value
        if _uses_registry(value):
            continue
        used = set(_names({key: item for key, item in value.items() if key not in _SECTIONS}))
        for section in _SECTIONS:
            for name in value.get(section) or ():
                if name not in used:
                    yield codes.UNUSED_IMAGE_INPUT.issue(
                        f"{read.configuration.name} imports {name} and does not use it",
                        file=read.document.path,
                        line=read.document.line_of((section, name)),
                        hint="remove the import",
                    )


def _check_inputs(configuration: Configuration, image: BuiltImage) -> Iterator[Issue]:
    aliases: dict[str, str] = {}
    tags: dict[str, tuple[CentralImage, PipelineInput]] = {}
    for item in image.inputs:
        for alias in item.aliases:
            first = aliases.setdefault(alias, item.image)
            if first != item.image:
                yield _issue(
                    codes.CONFLICTING_ALIAS,
                    configuration,
                    image,
                    f"{alias} is {first} and {item.image}",
                    hint="keep the alias at one of them",
                )
        central = _central(configuration, item.image)
        if central is None or not item.aliases:
            continue
        other, its = tags.setdefault(central.tag, (central, item))
        if (other.namespace, other.name) != (central.namespace, central.name):
            yield _issue(
                codes.CONFLICTING_ALIAS,
                configuration,
                image,
                f"{', '.join(its.aliases)} is {other.pull_spec}, but {', '.join(item.aliases)} "
                f"is {central.pull_spec}",
                hint="give all names of the image to one input",
            )


def _central(configuration: Configuration, name: str) -> CentralImage | None:
    """The imported image that ``name`` is, through steps that only change it on the way."""
    built = {
        image.name: image.base for image in configuration.built if not isinstance(image, BuiltImage)
    }
    seen: set[str] = set()
    while name in built and name not in seen:
        seen.add(name)
        name = built[name]
    imported: CentralImage | ExternalImage | None = configuration.imported.get(name)
    return imported if isinstance(imported, CentralImage) else None


def _built(configuration: Configuration) -> Iterator[BuiltImage]:
    return (image for image in configuration.built if isinstance(image, BuiltImage))


def _issue(
    code: IssueCode, configuration: Configuration, image: BuiltImage, message: str, *, hint: str
) -> Issue:
    return code.issue(
        message,
        component=image.name,
        file=configuration.origin.file,
        line=image.line,
        hint=hint,
    )


def _uses_registry(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(_REGISTRY_STEPS & value.keys()) or any(map(_uses_registry, value.values()))
    return isinstance(value, list) and any(map(_uses_registry, value))


def _names(value: Any) -> Iterator[str]:
    """Every text and key of ``value``, and what of it stands behind ``pipeline:``."""
    for text in texts(value):
        yield from (text, text.partition(":")[2])
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)
