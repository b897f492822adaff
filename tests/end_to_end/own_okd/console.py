# SPDX-License-Identifier: Apache-2.0
"""Pages that can be carried out: their commands are run, their edits made, their output held.

A block of ``console`` has commands behind ``$`` and below each what it prints; a line of dots
stands for lines that are left out. A block of ``yaml`` that begins with ``# FILE`` is put into
that file: its names are added, or take the place of those that are there. Where both have names
below a name, this holds for those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_FENCE = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# (\S+\.yaml)\n")
DOTS = "..."


class Command(msgspec.Struct, frozen=True):
    """A command line and what it prints."""

    line: str
    prints: tuple[str, ...]


class Edit(msgspec.Struct, frozen=True):
    """What is put into a file."""

    file: str
    text: str


def read_page(text: str) -> Iterator[Command | Edit]:
    """What the page ``text`` asks for, in its order."""
    for kind, block in _FENCE.findall(text):
        if kind == "console":
            yield from _commands(block)
        elif named := _FILE.match(block):
            yield Edit(named[1], block[named.end() :])


def missing_lines(expected: tuple[str, ...], printed: str) -> list[str]:
    """The lines of ``expected`` that ``printed`` has not, or not in this order.

    Lines that follow each other without dots have to do so in ``printed`` as well, but for
    progress, which nobody expects.
    """
    lines = iter([line.rstrip() for line in printed.splitlines()])
    return [line for line in expected if line not in (DOTS, "") and line.rstrip() not in lines]


def put(text: str, edit: str) -> str:
    """The stream file ``text`` with the names of ``edit`` added or replaced."""
    parts, new = _parts(text, ""), _parts(edit, "")
    for name, part in new.items():
        below, wanted = (_parts(it, "  ") for it in (parts.get(name, ""), part))
        parts[name] = part
        if len(below) > 1 and len(wanted) > 1:
            parts[name] = "".join({**below, **wanted, "": below[""]}.values())
    return "\n".join(part.strip("\n") + "\n" for part in parts.values())


def _commands(block: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, rest = part.replace("\\\n", " ").partition("\n")
        yield Command(line, tuple(rest.splitlines()))


def _parts(text: str, indent: str) -> dict[str, str]:
    """The text by the names behind ``indent``, comments above them included; the head by ""."""
    parts: dict[str, list[str]] = {"": []}
    above: list[str] = []
    current = ""
    for line in text.splitlines(keepends=True):
        if named := re.match(rf"{indent}([A-Za-z][^ ]*):", line):
            current = named[1]
            parts[current] = [*above, line]
            above = []
        elif not line.strip() or line.startswith(f"{indent}#"):
            above.append(line)
        else:
            parts[current] += [*above, line]
            above = []
    parts[current] += above
    return {name: "".join(lines) for name, lines in parts.items()}
