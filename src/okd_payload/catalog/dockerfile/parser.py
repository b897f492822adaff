# SPDX-License-Identifier: Apache-2.0
"""From text to a ``Dockerfile``.

Only what decides what an image is made of is looked into: FROM, ARG and the flags. The
arguments of other instructions stay text. What no builder would accept is an error here, with
its line; what some builder accepts is not.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from okd_payload.catalog.dockerfile.lines import LogicalLine, read_escape, read_lines
from okd_payload.catalog.dockerfile.model import (
    Dockerfile,
    Instruction,
    Place,
    Span,
    Stage,
)
from okd_payload.catalog.dockerfile.words import split_flags, split_name
from okd_payload.errors import InvalidDocument, nearest_names

MAX_CHARACTERS = 1024 * 1024
INSTRUCTIONS = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME"),
        "WORKDIR",
    }
)
_NOT_IN_TRIGGERS = frozenset({"FROM", "MAINTAINER", "ONBUILD"})
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*", re.IGNORECASE)
_WORD = re.compile(r"\S+")


def decode_dockerfile(content: bytes, *, path: str) -> Dockerfile:
    """The Dockerfile with these bytes. Raises InvalidDocument, naming ``path``."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidDocument(
            "not UTF-8 text", path=path, line=line, hint="save it as UTF-8"
        ) from error
    return parse_dockerfile(text, path=path)


def parse_dockerfile(text: str, *, path: str) -> Dockerfile:
    """The Dockerfile with this text. Raises InvalidDocument, naming ``path``."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidDocument(
            f"longer than {MAX_CHARACTERS} characters", path=path, hint="is it a Dockerfile?"
        )
    escape = read_escape(text, path)
    arguments: list[Instruction] = []
    stages: list[Stage] = []
    bodies: list[list[Instruction]] = []
    dangling = None
    for line in read_lines(text, escape, path):
        place = Place(path, line.line)
        dangling = line.dangling_escape
        instruction = _read_instruction(line.text, line, escape, place)
        if instruction.name == "FROM":
            stages.append(_read_stage(instruction, line, len(stages), place))
            bodies.append([])
        elif stages:
            bodies[-1].append(instruction)
        elif instruction.name == "ARG":
            arguments.append(instruction)
        else:
            raise place.error(f"{instruction.name} stands before the first FROM")
    if not stages:
        raise InvalidDocument("no FROM", path=path, hint="an image made of nothing is FROM scratch")
    return Dockerfile(
        path=path,
        text=text,
        escape=escape,
        arguments=tuple(arguments),
        stages=tuple(
            replace(stage, instructions=tuple(body))
            for stage, body in zip(stages, bodies, strict=True)
        ),
        dangling_escape=dangling,
    )


def _read_instruction(text: str, line: LogicalLine, escape: str, place: Place) -> Instruction:
    word, rest = split_name(text)
    name = word.upper()
    if name not in INSTRUCTIONS:
        near = nearest_names(name, INSTRUCTIONS, most=1)
        raise place.error(
            f"{word[:40]!r} is no instruction",
            hint=f"did you mean {near[0]}?" if near else "is the line before meant to go on?",
        )
    flags, rest = split_flags(rest, escape)
    trigger = None
    if name == "ONBUILD":
        trigger = _read_instruction(rest, line, escape, place) if rest else None
        if trigger is None or trigger.name in _NOT_IN_TRIGGERS:
            raise place.error(f"ONBUILD cannot trigger {trigger.name if trigger else 'nothing'}")
    return Instruction(
        name=name,
        line=line.line,
        flags=flags,
        text=rest,
        heredocs=line.heredocs,
        trigger=trigger,
    )


def _read_stage(instruction: Instruction, line: LogicalLine, index: int, place: Place) -> Stage:
    words = instruction.text.split()
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
        raise place.error(
            f"FROM {instruction.text} is not FROM IMAGE [AS NAME]",
            hint="comments need a line of their own",
        )
    name = words[2] if len(words) == 3 else ""
    if name and not _STAGE_NAME.fullmatch(name):
        raise place.error(
            f"{name!r} cannot be the name of a stage",
            hint="a letter, then letters, digits, '.', '_' and '-'",
        )
    start, end = list(_WORD.finditer(line.text))[-len(words)].span()
    return Stage(
        index=index,
        image=words[0],
        name=name,
        platform=instruction.flag("platform"),
        line=line.line,
        image_span=Span(line.locate(start), line.locate(end - 1) + 1),
        end=line.end,
    )
