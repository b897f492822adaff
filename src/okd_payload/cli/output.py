# SPDX-License-Identifier: Apache-2.0
"""Results on standard output: text for people, documents for programs.

Text of others (logs, messages, names out of images) may hold terminal sequences; whatever
is printed for people goes through ``escape_controls``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

# C0 and C1 controls, line and paragraph separators, marks that turn the writing direction.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def output_option(*formats: str) -> Callable[[Function], Function]:
    """The option ``-o``: the command gets ``output``, one of ``formats`` or None for text."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        help=f"Print {' or '.join(formats)} instead of text.",
    )


def print_document(value: object, output: str) -> None:
    """Print ``value``, a struct or what structs are made of, as ``json`` or ``yaml``."""
    import msgspec

    if output == "yaml":
        click.echo(msgspec.yaml.encode(value).decode(), nl=False)
    else:
        click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print ``rows`` in aligned columns below their names in capitals."""
    lines = [[column.upper() for column in columns]]
    lines += [[escape_controls(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("   ".join(cells).rstrip())


def print_error(message: str, hint: str, *, colored: bool | None = None) -> None:
    """Print what went wrong, and what to do about it, on standard error."""
    for word, color, text in (("error", "red", message), ("hint", "cyan", hint)):
        if text:
            line = f"{click.style(f'{word}:', fg=color)} {escape_controls(text, keep_lines=True)}"
            click.echo(line, err=True, color=colored)


def describe_class(kind: str, reason: str) -> str:
    """The class of an image and how it is known, for a cell of a table."""
    return ": ".join(filter(None, (kind, reason))) or "-"


def escape_controls(text: str, *, keep_lines: bool = False) -> str:
    r"""``text`` with everything that could steer a terminal made visible, as in ``\x1b``.

    Line ends and tabs stay when ``keep_lines`` is set.
    """
    return _CONTROLS.sub(
        lambda found: found[0] if keep_lines and found[0] in "\n\t" else _name(found[0]), text
    )


def _name(character: str) -> str:
    return character.encode("unicode_escape").decode()
