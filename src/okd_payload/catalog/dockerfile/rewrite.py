# SPDX-License-Identifier: Apache-2.0
"""A Dockerfile rewritten as a BuildConfig build does it, and what its operands then mean.

In this order: the image of the *last* FROM becomes the base; build information and labels are
appended; one ENV follows every FROM. All other text stays as it is, byte for byte. Aliases are
not written into the text: builders take them as named contexts. An operand that a builder could
confuse with a stage or an alias gets another name, which is part of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from okd_payload.catalog.component import Argument, Component
from okd_payload.catalog.dockerfile.evaluation import Operand
from okd_payload.catalog.dockerfile.model import Dockerfile, Span, Stage
from okd_payload.errors import InputError

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_DISTINCT_PREFIX = "localhost/"
"""No stage has a '/' in its name."""


class Rewritten(msgspec.Struct, frozen=True):
    """The text to build, and which images its operands mean."""

    text: str
    images: dict[str, str]
    """Names of images in the words of the stream, by operand, where the two differ."""

    def meaning(self, operand: Operand) -> str:
        """The name of the image that ``operand`` of the text stands for."""
        written = self.images.get(operand.written)
        return written or self.images.get(operand.name, operand.name)


class _Edit(msgspec.Struct, frozen=True):
    span: Span
    text: str


def rewrite(
    dockerfile: Dockerfile,
    component: Component,
    *,
    build_environment: Sequence[Argument] = (),
    labels: Sequence[Argument] = (),
) -> Rewritten:
    """``dockerfile`` as ``component`` wants it built.

    ``build_environment`` and ``labels`` are appended for the final image; the environment of
    the component holds in every stage. Raises InputError for a value that ENV cannot express.
    """
    aliases = {alias: item.image for item in component.inputs for alias in item.aliases}
    operands = _operands_of_from(dockerfile, component.base, aliases)
    edits = [
        _Edit(stage.image_span, operand)
        for stage, (operand, _) in zip(dockerfile.stages, operands, strict=True)
        if operand != stage.image
    ]
    if component.environment:
        line = dockerfile.newline + _instruction("ENV", component.environment)
        edits += [_Edit(Span(stage.end, stage.end), line) for stage in dockerfile.stages]
    appended = [
        _instruction(name, values)
        for name, values in (("ENV", build_environment), ("LABEL", labels))
        if values
    ]
    edits += _append(dockerfile, appended)
    if edits and dockerfile.dangling_escape is not None:
        at = dockerfile.dangling_escape
        edits.append(_Edit(Span(at, at + 1), ""))
    meanings = {operand: meaning for operand, meaning in operands if operand != meaning}
    return Rewritten(_apply(dockerfile.text, edits), {**aliases, **meanings})


def _operands_of_from(
    dockerfile: Dockerfile, base: str, aliases: Mapping[str, str]
) -> list[tuple[str, str]]:
    """For every FROM: the operand to write, and the image it means, if it is an image."""
    last = dockerfile.stages[-1]
    found = []
    for stage in dockerfile.stages:
        if base and stage is last:
            is_taken = base in aliases or _names_stage(dockerfile.stages, base)
            found.append((_DISTINCT_PREFIX + base if is_taken else base, base))
        elif _names_stage(dockerfile.stages[: stage.index], stage.image):
            found.append((stage.image, stage.image))
        elif _names_stage(dockerfile.stages, stage.image):
            meaning = aliases.get(stage.image, stage.image)
            found.append((_DISTINCT_PREFIX + stage.image, meaning))
        else:
            found.append((stage.image, aliases.get(stage.image, stage.image)))
    return found


def _names_stage(stages: Iterable[Stage], name: str) -> bool:
    return any(stage.is_called(name) for stage in stages)


def _append(dockerfile: Dockerfile, instructions: Sequence[str]) -> list[_Edit]:
    if not instructions:
        return []
    end = len(dockerfile.text)
    lines = "".join(instruction + dockerfile.newline for instruction in instructions)
    if not dockerfile.text.endswith("\n"):
        lines = dockerfile.newline + lines
    return [_Edit(Span(end, end), lines)]


def _instruction(name: str, values: Sequence[Argument]) -> str:
    return f"{name} {' '.join(f'{_quote_name(each.name)}={_quote(each)}' for each in values)}"


def _quote_name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else _quote(Argument(name, name))


def _quote(argument: Argument) -> str:
    """The value in single quotes: in double ones, buildah ignores the escape directive."""
    if "\n" in argument.value or "\r" in argument.value:
        raise InputError(
            f"the value of {argument.name} has a line break, which a Dockerfile cannot express",
            hint="put it on one line",
        )
    quoted = argument.value.replace("'", "'\"'\"'")
    return f"'{quoted}'"


def _apply(text: str, edits: Sequence[_Edit]) -> str:
    """``text`` with all ``edits``; those at one place in the order in which they are given."""
    parts = []
    position = 0
    for edit in sorted(edits, key=lambda each: each.span.start):
        parts += [text[position : edit.span.start], edit.text]
        position = edit.span.end
    return "".join(parts) + text[position:]
