# SPDX-License-Identifier: Apache-2.0
"""What errors, hints and issues tell people to type exists: our commands, and our options."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import click

import okd_payload
from okd_payload.cli.main import make_program

_SOURCE = Path(okd_payload.__file__).parent
_ROOMS = ("build", "cluster", "engines", "catalog", "oci", "release", "cli")
_OTHER_PROGRAMS = frozenset(
    {
        *("--add-subgids", "--add-subuids", "--user", "--wrap"),
        *("--from-file", "--from-literal", "--type"),  # kubectl
        *("--armor", "--export", "--quick-set-expire"),  # gpg
        *("--authfile", "--format"),  # podman, skopeo
        *("--chown", "--mount"),  # instructions of Dockerfiles
    }
)
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
_COMMAND = re.compile(r"`okd-payload((?: [a-z][a-z-]*)+)")


@functools.cache
def _texts() -> tuple[str, ...]:
    """All texts of more than one word, but what documents the code."""
    texts: list[str] = []
    for path in (path for room in _ROOMS for path in (_SOURCE / room).rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        documenting = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        literals = [node for node in nodes if isinstance(node, ast.Constant)]
        values = [node.value for node in literals if id(node) not in documenting]
        texts += [value for value in values if isinstance(value, str) and " " in value]
    return tuple(texts)


def _commands(command: click.Command) -> Iterator[click.Command]:
    """``command`` and all below it."""
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found)


def test_every_option_that_is_told_exists():
    """Some command has it, or it is one of another program."""
    params = [param for command in _commands(make_program()) for param in command.params]
    known = {name for param in params for name in (*param.opts, *param.secondary_opts)}
    told = {option for text in _texts() for option in _OPTION.findall(text)}
    assert told - known <= _OTHER_PROGRAMS | {"--help"}


def test_every_command_that_is_told_exists():
    """The group and the command; what follows are names of things."""
    for words in {tuple(found.split()) for text in _texts() for found in _COMMAND.findall(text)}:
        command: click.Command = make_program()
        for word in words:
            if not isinstance(command, click.Group):
                break
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"okd-payload {' '.join(words)}"
            command = found
