# SPDX-License-Identifier: Apache-2.0
"""Groups of commands that are imported when they are called for and not before.

Starting costs nothing that way, however many commands there are: the list of commands and their
summaries are data, and only the command that is run is loaded.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from okd_payload.cli.settings import share_options


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for it."""

    def __init__(
        self,
        name: str,
        *,
        modules: Mapping[str, str],
        summaries: Mapping[str, str],
        **attributes: Any,
    ) -> None:
        """``modules`` says in which module each command is, as ``MODULE:ATTRIBUTE``."""
        super().__init__(name, **attributes)
        self._modules = modules
        self._summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order in which they were given."""
        return list(self._modules)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """The command with this name, loaded now unless it was before."""
        if cmd_name not in self._modules:
            return None
        if cmd_name not in self.commands:
            module, _, attribute = self._modules[cmd_name].partition(":")
            found: click.Command = getattr(importlib.import_module(module), attribute)
            self.add_command(share_options(found), cmd_name)
        return self.commands[cmd_name]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their summaries, which are known without loading any."""
        names = self.list_commands(ctx)
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._summaries.get(name, "")) for name in names])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, offering the names that are near a mistyped one."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=self._modules, ctx=ctx
            ) from None
