# SPDX-License-Identifier: Apache-2.0
"""The options that name a stream and its inputs, shared by all commands that plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

Function = TypeVar("Function", bound=Callable[..., Any])


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of ``stream_options`` were set to."""

    stream: Path | None
    components: tuple[str, ...] = ()
    """Overrides as written: ``NAME=PATH`` or ``NAME=URL@REF``."""
    lock: Path | None = None
    platform: str = ""
    forced: tuple[str, ...] = ()


def stream_options(function: Function) -> Function:
    """The options of a command that plans a stream; see ``StreamOptions``."""
    options = [
        click.argument("stream", required=False, type=click.Path(exists=True, path_type=Path)),
        click.option(
            "--component",
            "components",
            multiple=True,
            metavar="NAME=SOURCE",
            help="Build NAME from a folder, or from URL@REF, instead of its own source.",
        ),
        click.option(
            "--lock",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Take commits and digests from this lock file.",
        ),
        click.option(
            "--platform", default="", metavar="OS/ARCH", help="Build for another platform."
        ),
        click.option(
            "--force",
            "forced",
            multiple=True,
            metavar="TAG",
            help="Make this image although nothing changed; `all` for every one.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function
