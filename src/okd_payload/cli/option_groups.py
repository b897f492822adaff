# SPDX-License-Identifier: Apache-2.0
"""Options that several commands take, or that are too many for one: a group is one decorator.

A group is a value, made of options and of other groups; ``--help`` lists them in the order in
which they are written. What they were set to is taken out of a command's options by the module
that owns the group.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Any], Any]
"""A decorator that adds one option or argument, or a group of them."""


def option_group(*options: Option) -> Callable[[Command], Command]:
    """The decorator that adds all ``options`` to a command."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
