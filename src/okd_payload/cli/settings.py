# SPDX-License-Identifier: Apache-2.0
"""The options that every command takes, and what they were set to.

They may stand before or behind the command's name, because fingers put them anywhere:
``share_options`` gives them to each command as it is loaded. Commands ask for the ``Settings``
with ``@click.pass_obj``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # costs 30 ms, which `--version` does not have
    from okd_payload.locations import Locations

_COLORS = {"auto": None, "always": True, "never": False}


class Settings:
    """What the global options say; the defaults hold until an option is read."""

    def __init__(self) -> None:
        self.cache: Path | None = None
        self.state: Path | None = None
        self.quiet = False
        self.verbose = 0
        self.color = "auto"

    @property
    def locations(self) -> Locations:
        """The folders that options and environment choose."""
        from okd_payload.locations import find_locations

        return find_locations(cache=self.cache, state=self.state)

    @property
    def colored(self) -> bool | None:
        """Whether output has colours; None leaves it to whether a terminal reads it."""
        chosen = _COLORS[self.color]
        return False if chosen is None and os.environ.get("NO_COLOR") else chosen

    @property
    def draws(self) -> bool:
        """Whether progress may be drawn and redrawn: a terminal reads it and nothing else."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not self.verbose


def global_options() -> list[click.Option]:
    """New options that write what they are given into the ``Settings`` of the context."""
    folder = click.Path(file_okay=False, path_type=Path)
    return [
        _option(
            ["--cache"],
            type=folder,
            metavar="DIR",
            help="Folder for what may be deleted at any time: git mirrors, blobs.",
        ),
        _option(
            ["--state"],
            type=folder,
            metavar="DIR",
            help="Folder for images, run records and logs.",
        ),
        _option(["-q", "--quiet"], is_flag=True, help="No progress, only results and errors."),
        _option(["-v", "--verbose"], count=True, help="Log what is done; twice for details."),
        _option(
            ["--color"],
            type=click.Choice(tuple(_COLORS)),
            help="Colours: auto (the default) gives them to terminals unless NO_COLOR is set.",
        ),
    ]


def share_options(command: click.Command) -> click.Command:
    """``command``, it and all commands below it taking the global options too."""
    known = {parameter.name for parameter in command.params}
    command.params += [option for option in global_options() if option.name not in known]
    if isinstance(command, click.Group):
        for below in command.commands.values():
            share_options(below)
    return command


def _option(names: list[str], **attributes: Any) -> click.Option:
    return click.Option(names, expose_value=False, callback=_remember, **attributes)


def _remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    name = str(option.name)
    if context.get_parameter_source(name) is click.core.ParameterSource.DEFAULT:
        return
    settings = context.ensure_object(Settings)
    setattr(settings, name, value)
    context.find_root().color = context.color = settings.colored
    if name == "verbose":
        _start_logging(value)


def _start_logging(verbosity: int) -> None:
    import logging

    level = logging.DEBUG if verbosity > 1 else logging.INFO
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", force=True)
