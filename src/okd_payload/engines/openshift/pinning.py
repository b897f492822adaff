# SPDX-License-Identifier: Apache-2.0
"""A Dockerfile whose images are written out by digest, for a builder that knows no contexts.

A build step has names and, beside them, the image that each name means. OpenShift's builder
replaces names too, but only those of FROM and COPY, as they are written, and pulls the rest; so
every image is put into the text itself. Nothing else of the text changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.catalog.dockerfile import (
    Dockerfile,
    Operand,
    OperandKind,
    evaluate,
    parse_dockerfile,
)
from okd_payload.catalog.dockerfile.model import Span
from okd_payload.errors import BuildError, InvalidDocument

_OPTION = re.compile(r"(?<!\S)--[a-z]+=\S+")
_KEYWORD = re.compile(r"\A\s*(?:#[^\n]*\n\s*)*[A-Za-z]+(?=\s)")
_WORD = re.compile(r"[^\s\\`]")


class _Edit(msgspec.Struct, frozen=True):
    start: int
    end: int
    text: str


def pin_images(step: BuildStep, pull_name: str) -> str:
    """The Dockerfile of ``step`` with every image as ``pull_name`` and its digest.

    Raises BuildError where an image cannot be written out.
    """
    specs = {name: f"{pull_name}@{digest}" for name, digest in step.images.items()}
    try:
        dockerfile = parse_dockerfile(step.dockerfile, path=f"Dockerfile of {step.component}")
        evaluation = evaluate(dockerfile, arguments=step.build_arguments, platform=step.platform)
    except InvalidDocument as error:
        raise BuildError(f"{step.component}: {error.message}", hint=error.hint) from error
    edits = []
    for operand in evaluation.images:
        if operand.kind is OperandKind.FROM:
            span = dockerfile.stages[operand.stage].image_span
            edits.append(_Edit(span.start, span.end, specs[operand.name]))
    edits += _pin_options(dockerfile, evaluation.images, specs, step.component)
    return _apply(step.dockerfile, edits)


def _pin_options(
    dockerfile: Dockerfile, operands: Iterable[Operand], specs: Mapping[str, str], component: str
) -> Iterator[_Edit]:
    """The edits of ``--from=NAME`` and of ``from=NAME`` in mounts, each once."""
    seen = set()
    for operand in operands:
        key = (operand.line, operand.written)
        if operand.kind is OperandKind.FROM or key in seen:
            continue
        seen.add(key)
        start, end = _extent(dockerfile, operand)
        found = list(_options_in(dockerfile.text, start, end, operand.written))
        if not found:
            raise BuildError(
                f"{component}: line {operand.line} of its Dockerfile names {operand.written} in "
                "a way that OpenShift Builds cannot be told the image of",
                hint="name the image in a FROM of its own, and that stage here",
            )
        for span in found:
            yield _Edit(span.start, span.end, specs[operand.name])


def _options_in(text: str, start: int, end: int, name: str) -> Iterator[Span]:
    """Where the options of the instruction at ``start`` name ``name``: before its first word."""
    option = re.compile(rf"(?:^|=|,)from=[\"']?({re.escape(name)})(?=[,\"']|$)")
    for word in _OPTION.finditer(text, start, end):
        between = text[start : word.start()]
        if _WORD.search(_KEYWORD.sub("", _OPTION.sub("", between), count=1)):
            return
        for match in option.finditer(word[0].lstrip("-")):
            shift = word.start() + len(word[0]) - len(word[0].lstrip("-"))
            yield Span(shift + match.start(1), shift + match.end(1))


def _extent(dockerfile: Dockerfile, operand: Operand) -> tuple[int, int]:
    """Where the instruction of ``operand`` stands in the text: up to the next instruction."""
    starts = [0]
    starts += [match.end() for match in re.finditer("\n", dockerfile.text)]
    lines = [item.line for stage in dockerfile.stages for item in stage.instructions]
    lines += [stage.line for stage in dockerfile.stages]
    after = min((line for line in lines if line > operand.line), default=len(starts) + 1)
    start = starts[operand.line - 1]
    return start, starts[after - 1] if after <= len(starts) else len(dockerfile.text)


def _apply(text: str, edits: Iterable[_Edit]) -> str:
    parts = []
    position = 0
    for edit in sorted(edits, key=lambda each: each.start):
        parts += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join(parts) + text[position:]
