# SPDX-License-Identifier: Apache-2.0
"""A component as the text of a component file.

What equals the default of a field, or what the stream file says for all, is not written. A value
that the form has no room for makes the definition inexpressible, and nothing is written instead:
half a definition would build another image.
"""

from __future__ import annotations

import re

import msgspec

from okd_payload.catalog.component import (
    Argument,
    Copy,
    ImageInput,
    Layering,
    Resources,
)
from okd_payload.catalog.component_file import ComponentFile, SharingFields, SourceFields
from okd_payload.catalog.definition import Definition
from okd_payload.catalog.fields import (
    NAME_PATTERN,
    Amounts,
    CopyFields,
    InputFields,
    Quantity,
    ResourceFields,
)
from okd_payload.catalog.writing.defaults import StreamDefaults
from okd_payload.catalog.writing.model import CatalogFile
from okd_payload.catalog.writing.yaml_text import as_written, write_comment, write_yaml
from okd_payload.source.model import FolderSource

COMPONENTS = "components"
"""The folder of component files beside the stream file."""


class Inexpressible(Exception):
    """A definition cannot be written; says why."""


def write_component(
    definition: Definition, defaults: StreamDefaults, *, comment: tuple[str, ...] = ()
) -> CatalogFile:
    """The file of ``definition`` in a stream with ``defaults``. Raises Inexpressible."""
    component = definition.component
    if not re.search(NAME_PATTERN, component.name):
        raise Inexpressible(f"{component.name!r} cannot be the name of a file")
    value = as_written(_describe(definition, defaults))
    try:
        msgspec.convert(value, ComponentFile)
    except msgspec.ValidationError as error:
        raise Inexpressible(str(error)) from error
    text = write_yaml(value) if value else "{}\n"
    path = f"{COMPONENTS}/{component.name}.yaml"
    return CatalogFile(path=path, value=value, text=write_comment(comment) + text)


def write_resources(resources: Resources) -> ResourceFields:
    """``resources`` as files write them."""
    return ResourceFields(
        requests=Amounts(
            cpu=_quantity(resources.cpu_request), memory=_quantity(resources.memory_request)
        ),
        limits=Amounts(
            cpu=_quantity(resources.cpu_limit), memory=_quantity(resources.memory_limit)
        ),
    )


def _describe(definition: Definition, defaults: StreamDefaults) -> ComponentFile:
    component = definition.component
    return ComponentFile(
        tag=component.tag if component.tag != component.name else None,
        source=_describe_source(definition, defaults),
        context=component.context_directory,
        dockerfile=component.dockerfile_path,
        inline_dockerfile=component.dockerfile,
        base=component.base or None,
        inputs=tuple(_describe_input(item) for item in component.inputs),
        build_arguments=_by_name(component.build_arguments),
        environment=_by_name(component.environment),
        labels=_by_name(component.labels),
        selector_labels=_by_name(component.selector_labels),
        layering=_unless(component.layering, defaults.layering),
        resources=ResourceFields()
        if component.resources == defaults.resources
        else write_resources(component.resources),
        sharing=SharingFields(kind=component.sharing, reason=component.sharing_reason)
        if component.sharing
        else None,
    )


def _describe_source(definition: Definition, defaults: StreamDefaults) -> SourceFields | None:
    source = definition.component.source
    if source is None:
        return None
    if isinstance(source, FolderSource):
        return SourceFields(folder=source.path)
    if defaults.gives_ref(definition):
        return SourceFields(git=source.url)
    return SourceFields(git=source.url, ref=source.ref, pinned=definition.pinned)


def _describe_input(item: ImageInput) -> InputFields:
    return InputFields(
        image=item.image,
        aliases=item.aliases,
        copies=tuple(_describe_copy(copy) for copy in item.copies),
    )


def _describe_copy(copy: Copy) -> CopyFields:
    return CopyFields(source=copy.source, destination=copy.destination)


def _by_name(arguments: tuple[Argument, ...]) -> dict[str, str]:
    """Values by name; of equal names the later one wins, as everywhere."""
    return {argument.name: argument.value for argument in arguments}


def _unless(layering: Layering, default: Layering) -> Layering | None:
    return None if layering is default else layering


def _quantity(text: str) -> Quantity | None:
    return text or None
