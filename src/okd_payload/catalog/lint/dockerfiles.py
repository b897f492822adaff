# SPDX-License-Identifier: Apache-2.0
"""What Dockerfiles use, against what their definitions replace.

Only Dockerfiles that somebody has read count: those given beside the catalog, and those that a
definition holds itself. Where there is none, nothing is said about it.
"""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Iterator

import msgspec

from okd_payload.catalog.component import Argument, Component
from okd_payload.catalog.dockerfile import (
    Dockerfile,
    Operand,
    OperandKind,
    decode_dockerfile,
    evaluate,
    parse_dockerfile,
    rewrite,
    select_arguments,
)
from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.references import BASE_HINT, base_problem
from okd_payload.catalog.lint.subject import Definition, Subject, View, each_view
from okd_payload.catalog.names import ExternalImage, Unresolved, resolve_operand
from okd_payload.catalog.substitution import is_private
from okd_payload.errors import InputError, InvalidDocument
from okd_payload.issues import Issue
from okd_payload.source.model import FolderSource


class UsedImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image that a Dockerfile names, as its definition wants it built."""

    operand: str
    meaning: str
    """What an alias or the base stands for, or the operand itself."""
    line: int
    is_final: bool
    """Whether the final image is built on it."""


class UsedImages(msgspec.Struct, frozen=True):
    """The images of one Dockerfile."""

    dockerfile: Dockerfile
    images: tuple[UsedImage, ...]


@each_view
def check_operands(subject: Subject, view: View) -> Iterator[Issue]:
    """Images of Dockerfiles that nothing replaces and not everybody can pull."""
    for definition in view.definitions:
        used = _read(definition, subject)
        if used is None:
            continue
        for image in used.images:
            if image.is_final and definition.component.base:
                continue  # what the definition says itself is checked without its Dockerfile
            yield from _check_operand(image, definition, view, used.dockerfile.path)


@each_view
def check_inputs(subject: Subject, view: View) -> Iterator[Issue]:
    """Inputs that a definition itself names, and its Dockerfile does not use."""
    for definition in view.definitions:
        used = _read(definition, subject)
        if used is None:
            continue
        meanings = {image.meaning for image in used.images if image.meaning != image.operand}
        for item in definition.written.inputs:
            if not item.copies and item.image not in meanings:
                aliases = f" ({', '.join(item.aliases)})" if item.aliases else ""
                yield definition.issue(
                    codes.UNUSED_IMAGE_INPUT,
                    f"its Dockerfile uses no alias of the input {item.image}{aliases}",
                    definition.place_of(item),
                    hint="remove the input, or write the alias as the Dockerfile names the image",
                )


@each_view
def check_stages(subject: Subject, view: View) -> Iterator[Issue]:
    """Stages whose name means one image, and whose FROM another."""
    for definition in view.definitions:
        used = _read(definition, subject)
        if used is None:
            continue
        inputs = definition.component.inputs
        aliases = {alias: item.image for item in inputs for alias in item.aliases}
        for stage in used.dockerfile.stages:
            by_name, by_image = aliases.get(stage.name), aliases.get(stage.image)
            if by_name and by_image and by_name != by_image:
                yield codes.CONFLICTING_ALIAS.issue(
                    f"the stage {stage.name} is {by_name} by its name, and {by_image} by its "
                    f"image {stage.image}",
                    component=definition.name,
                    file=used.dockerfile.path,
                    line=stage.line,
                    hint="give both names of the image to one input",
                )


def parse(definition: Definition, subject: Subject) -> Dockerfile | None:
    """The Dockerfile of ``definition``; None when nobody has read it, or it cannot be read."""
    used = _read(definition, subject)
    return used.dockerfile if used else None


def declared_values(dockerfile: Dockerfile, component: Component) -> Iterator[tuple[Argument, int]]:
    """The defaults of ARG that count for ``component``, and their lines."""
    given = {argument.name for argument in component.build_arguments}
    stages = (item for stage in dockerfile.stages for item in stage.instructions)
    for instruction in (*dockerfile.arguments, *stages):
        if instruction.name == "ARG":
            name, _, value = instruction.text.strip().partition("=")
            if name not in given and value:
                yield Argument(name, value.strip("\"'")), instruction.line


def run_lines(dockerfile: Dockerfile) -> Iterator[tuple[str, int]]:
    """What RUN instructions run, and their lines."""
    for stage in dockerfile.stages:
        for instruction in stage.instructions:
            if instruction.name == "RUN":
                heredocs = (heredoc.content for heredoc in instruction.heredocs)
                yield "\n".join((instruction.text, *heredocs)), instruction.line


def _check_operand(
    image: UsedImage, definition: Definition, view: View, path: str
) -> Iterator[Issue]:
    found = _find(image, definition, view)
    name, file, line = definition.name, path, image.line
    if isinstance(found, Unresolved):
        if view.catalog is not None:  # elsewhere, builders complete names by docker.io
            yield found.problem.issue(component=name, file=file, line=line)
    elif found is None or not is_private(found):
        return
    elif image.is_final:
        code = base_problem(found) or codes.PRIVATE_BASE
        message = f"its final image is built on {found}"
        yield code.issue(message, component=name, file=file, line=line, hint=BASE_HINT)
    else:
        yield codes.MISSING_ALIAS.issue(
            f"{found} is private, and no alias replaces it",
            component=name,
            file=file,
            line=line,
            hint="add it to the aliases of an input, or let a substitution or the builders of a "
            "stream file give it a meaning",
        )


def _find(image: UsedImage, definition: Definition, view: View) -> str | Unresolved | None:
    if view.catalog is None:
        return view.find_image(definition, image.meaning)
    found = resolve_operand(image.operand, image.meaning, view.catalog)
    if isinstance(found, Unresolved):
        return found
    return found.pull_spec if isinstance(found, ExternalImage) else None


def _read(definition: Definition, subject: Subject) -> UsedImages | None:
    component = definition.component
    content = subject.dockerfiles.get(component.name)
    if component.dockerfile is not None:
        content = component.dockerfile.encode()
    return _evaluate(component, content) if content is not None else None


@functools.lru_cache(maxsize=4096)
def _evaluate(component: Component, content: bytes) -> UsedImages | None:
    path = _path_of(component)
    try:
        written = decode_dockerfile(content, path=path)
        rewritten = rewrite(written, component)
        evaluation = evaluate(
            parse_dockerfile(rewritten.text, path=path),
            arguments=select_arguments(written, component),
        )
    except (InvalidDocument, InputError):
        return None  # planning says what is wrong with it
    last = len(written.stages) - 1
    images = tuple(
        UsedImage(
            operand=operand.name,
            meaning=rewritten.meaning(operand),
            line=operand.line,
            is_final=_is_final(operand, last),
        )
        for operand in evaluation.images
    )
    return UsedImages(written, images)


def _is_final(operand: Operand, last: int) -> bool:
    return operand.kind is OperandKind.FROM and operand.stage == last


def _path_of(component: Component) -> str:
    """Where the Dockerfile is, for people."""
    if component.dockerfile is not None:
        return f"inline Dockerfile of {component.origin.file}"
    joined = posixpath.join(component.context_directory, component.dockerfile_path)
    location = posixpath.normpath(joined)
    if isinstance(component.source, FolderSource):
        return f"{component.source.path}/{location}"
    return f"{location} of {component.source or component.name}"
