# SPDX-License-Identifier: Apache-2.0
"""What the Dockerfile of a component asks for, in the words of the stream.

The catalog knows how to read and rewrite a Dockerfile; here its operands become names that the
plan can follow, and the reasons for edges.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.build.inputs import dockerfile_location
from okd_payload.build.plan import Relation
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Argument, Component
from okd_payload.catalog.dockerfile import (
    Dockerfile,
    Operand,
    OperandKind,
    Rewritten,
    decode_dockerfile,
    evaluate,
    parse_dockerfile,
    rewrite,
    select_arguments,
    unconsumed_arguments,
)
from okd_payload.catalog.names import (
    ExternalImage,
    TagImage,
    Unresolved,
    resolve_image,
    resolve_operand,
)
from okd_payload.errors import InputError
from okd_payload.oci.manifest import Platform
from okd_payload.source.model import FolderSource

_RELATIONS = {
    OperandKind.FROM: Relation.FROM,
    OperandKind.COPY: Relation.COPY,
    OperandKind.MOUNT: Relation.MOUNT,
}


class ImageOperand(msgspec.Struct, frozen=True, kw_only=True):
    """One image that a Dockerfile names."""

    operand: str
    """What a builder looks up: after variables were replaced."""
    meaning: str
    """The image in the words of the stream: what an alias or the base stands for, or itself."""
    relation: Relation
    line: int
    reference: str
    """As the Dockerfile of the source says it, variables replaced."""


class ReadDockerfile(msgspec.Struct, frozen=True, kw_only=True):
    """A Dockerfile as its component wants it built."""

    text: str
    arguments: tuple[Argument, ...]
    operands: tuple[ImageOperand, ...]
    unconsumed: tuple[str, ...]
    """Names of build arguments of the definition that no ARG declares."""


class DockerfileReader:
    """Reads each Dockerfile once, however often a plan is made while its inputs are found."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._read: dict[tuple[str, bytes], ReadDockerfile | InputError] = {}

    def read(self, component: Component, content: bytes) -> ReadDockerfile:
        """What ``read_dockerfile`` says; components of one name are the same one."""
        key = (component.name, content)
        if key not in self._read:
            try:
                self._read[key] = read_dockerfile(component, content, platform=self._platform)
            except InputError as error:
                self._read[key] = error
        found = self._read[key]
        if isinstance(found, InputError):
            raise found
        return found


def read_dockerfile(
    component: Component,
    content: bytes,
    *,
    platform: Platform,
    build_environment: Sequence[Argument] = (),
    labels: Sequence[Argument] = (),
) -> ReadDockerfile:
    """``content`` rewritten for ``component``, and what it refers to.

    Raises InvalidDocument for a Dockerfile that is none, InputError for values it cannot hold.
    """
    path = dockerfile_path(component)
    written = decode_dockerfile(content, path=path)
    rewritten = rewrite(written, component, build_environment=build_environment, labels=labels)
    arguments = select_arguments(written, component)
    evaluation = evaluate(
        parse_dockerfile(rewritten.text, path=path), arguments=arguments, platform=platform
    )
    operands = [_describe(operand, rewritten, written, component) for operand in evaluation.images]
    return ReadDockerfile(
        text=rewritten.text,
        arguments=arguments,
        operands=tuple(operands),
        unconsumed=tuple(unconsumed_arguments(written, component.build_arguments)),
    )


def resolve(operand: ImageOperand, catalog: Catalog) -> TagImage | ExternalImage | Unresolved:
    """The image that ``operand`` means in ``catalog``: for the plan and for the build alike."""
    if operand.relation is Relation.BASE:
        return resolve_image(operand.meaning, catalog)
    return resolve_operand(operand.operand, operand.meaning, catalog)


def dockerfile_path(component: Component) -> str:
    """Where the Dockerfile of ``component`` is, for messages."""
    if component.dockerfile is not None:
        return f"inline Dockerfile of {component.origin.file}"
    location = dockerfile_location(component)
    if isinstance(component.source, FolderSource):
        return f"{component.source.path}/{location}"
    return f"{location} of {component.source or component.name}"


def _describe(
    operand: Operand, rewritten: Rewritten, written: Dockerfile, component: Component
) -> ImageOperand:
    last = written.stages[-1]
    is_from = operand.kind is OperandKind.FROM
    is_base = bool(component.base) and is_from and operand.stage == last.index
    return ImageOperand(
        operand=operand.name,
        meaning=rewritten.meaning(operand),
        relation=Relation.BASE if is_base else _RELATIONS[operand.kind],
        line=operand.line,
        reference=last.image if is_base else operand.name,
    )
