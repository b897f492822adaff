# SPDX-License-Identifier: Apache-2.0
"""A Dockerfile as written: stages, instructions and where they stand. Nothing is evaluated."""

from __future__ import annotations

import msgspec

from okd_payload.errors import InvalidDocument


class Place(msgspec.Struct, frozen=True):
    """A line of a Dockerfile, for errors about it."""

    path: str
    line: int

    def error(self, message: str, *, hint: str = "") -> InvalidDocument:
        """The error that something is wrong here."""
        return InvalidDocument(message, path=self.path, line=self.line, hint=hint)


class Span(msgspec.Struct, frozen=True):
    """A piece of the text, from the first character to the one after the last."""

    start: int
    end: int


class Flag(msgspec.Struct, frozen=True):
    """``--name=value``, quotes removed; without '=' the value is empty."""

    name: str
    value: str


class Heredoc(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that belong to an instruction, up to the terminator ``name``."""

    name: str
    content: str
    """As written: neither tabs are stripped nor variables replaced."""


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    """One instruction, its continuation lines joined."""

    name: str
    """In upper case."""
    line: int
    flags: tuple[Flag, ...] = ()
    text: str = ""
    """What follows the flags."""
    heredocs: tuple[Heredoc, ...] = ()
    trigger: Instruction | None = None
    """The instruction behind ONBUILD."""

    def flag(self, name: str) -> str:
        """The value of the flag called ``name``, empty when it is not given."""
        return next((flag.value for flag in self.flags if flag.name == name), "")


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One FROM and the instructions below it."""

    index: int
    image: str
    """The operand of FROM as written: an image, or the name of an earlier stage."""
    name: str = ""
    platform: str = ""
    """The value of ``--platform`` as written."""
    line: int
    image_span: Span
    """Where ``image`` stands in the text."""
    end: int
    """Where the last line of FROM ends in the text."""
    instructions: tuple[Instruction, ...] = ()

    def is_called(self, name: str) -> bool:
        """Whether ``name`` is the name of this stage; case does not matter."""
        return bool(self.name) and self.name.lower() == name.lower()


class Dockerfile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole Dockerfile; there is at least one stage."""

    path: str
    """For errors only."""
    text: str
    escape: str
    """The escape character: a backslash, or a backtick where a directive says so."""
    arguments: tuple[Instruction, ...]
    """The ARG instructions before the first FROM."""
    stages: tuple[Stage, ...]
    dangling_escape: int | None = None
    """Where the text ends in the middle of an instruction: the escape before nothing."""

    @property
    def newline(self) -> str:
        """How lines end here."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def place(self, line: int) -> Place:
        """The line with number ``line``, for errors."""
        return Place(self.path, line)
