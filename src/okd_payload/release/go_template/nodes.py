# SPDX-License-Identifier: Apache-2.0
"""What a parsed template is made of; ``str()`` gives what Go shows of a node in messages."""

from __future__ import annotations

import msgspec

from okd_payload.documents.go_quote import quote


class Constant(msgspec.Struct, frozen=True):
    """Text, a number or a boolean, and how it is written."""

    position: int
    value: str | int | float | bool
    text: str

    def __str__(self) -> str:
        return quote(self.value) if isinstance(self.value, str) else self.text


class Dot(msgspec.Struct, frozen=True):
    """What the template is about at this place."""

    position: int

    def __str__(self) -> str:
        return "."


class Nil(msgspec.Struct, frozen=True):
    """Go's nil, which no command can be."""

    position: int

    def __str__(self) -> str:
        return "nil"


class Field(msgspec.Struct, frozen=True):
    """Fields of the dot."""

    position: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


class Variable(msgspec.Struct, frozen=True):
    """A variable, its dollar included, and fields of it."""

    position: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.names)


class Identifier(msgspec.Struct, frozen=True):
    """A function."""

    position: int
    name: str

    def __str__(self) -> str:
        return self.name


class Chain(msgspec.Struct, frozen=True):
    """Fields of what a pipeline gives."""

    position: int
    of: Pipeline | Identifier
    names: tuple[str, ...]

    def __str__(self) -> str:
        of = f"({self.of})" if isinstance(self.of, Pipeline) else str(self.of)
        return of + "".join(f".{name}" for name in self.names)


class Command(msgspec.Struct, frozen=True):
    """An operand, or a function and its arguments."""

    position: int
    arguments: tuple[Operand, ...]

    def __str__(self) -> str:
        return " ".join(
            f"({item})" if isinstance(item, Pipeline) else str(item) for item in self.arguments
        )


class Pipeline(msgspec.Struct, frozen=True):
    """Commands that hand on their results, and the variables that get the last one."""

    position: int
    variables: tuple[str, ...]
    assigns: bool
    commands: tuple[Command, ...]

    def __str__(self) -> str:
        commands = " | ".join(map(str, self.commands))
        if not self.variables:
            return commands
        return f"{', '.join(self.variables)} {'=' if self.assigns else ':='} {commands}"


class Text(msgspec.Struct, frozen=True):
    """What is written as it is."""

    position: int
    text: str

    def __str__(self) -> str:
        return self.text


class Action(msgspec.Struct, frozen=True):
    """A pipeline whose result is written."""

    position: int
    pipeline: Pipeline

    def __str__(self) -> str:
        return f"{{{{{self.pipeline}}}}}"


class Branch(msgspec.Struct, frozen=True):
    """``if``, ``with`` or ``range``."""

    position: int
    keyword: str
    pipeline: Pipeline
    body: Body
    otherwise: Body = ()

    def __str__(self) -> str:
        return f"{{{{{self.keyword} {self.pipeline}}}}}"


class Leap(msgspec.Struct, frozen=True):
    """``break`` or ``continue``."""

    position: int
    keyword: str

    def __str__(self) -> str:
        return f"{{{{{self.keyword}}}}}"


class Invocation(msgspec.Struct, frozen=True):
    """``template``: another template, for what the pipeline gives."""

    position: int
    name: str
    pipeline: Pipeline | None

    def __str__(self) -> str:
        pipeline = f" {self.pipeline}" if self.pipeline else ""
        return f"{{{{template {quote(self.name)}{pipeline}}}}}"


Operand = Constant | Dot | Nil | Field | Variable | Identifier | Chain | Pipeline
Statement = Text | Action | Branch | Leap | Invocation
Body = tuple[Statement, ...]


class Template(msgspec.Struct, frozen=True):
    """A parsed template: what to write, and the templates that it defines."""

    name: str
    text: str
    body: Body
    defined: dict[str, Body]
