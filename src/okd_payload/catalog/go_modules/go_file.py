# SPDX-License-Identifier: Apache-2.0
"""What the head of a Go file says: its imports, what it embeds, whether it is ever built.

Only what stands before the first declaration is read. Which files belong to a copy of a package
is what ``go mod vendor`` decides: no tests, and nothing that is tagged ``ignore``; every other
build constraint is met on some machine.
"""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath

import msgspec

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`')
_IMPORT = re.compile(
    r"\s*import\s*(?:\((?P<block>[^)]*)\)|(?:[\w.]+\s+)?(?P<one>\"[^\"\n]*\"|`[^`]*`))[ \t]*;?"
)
_PACKAGE = re.compile(r"\s*package\s+\w+[ \t]*;?")
_EMBED = re.compile(r"^//go:embed[ \t]+(.+)$", re.MULTILINE)
_IGNORED = re.compile(r"^//(?:go:build|[ \t]*\+build)[ \t]+ignore[ \t]*$", re.MULTILINE)


class GoFile(msgspec.Struct, frozen=True):
    """The import paths of a file and the patterns of files that it embeds."""

    imports: tuple[str, ...]
    embeds: tuple[str, ...]


def read_go_file(content: bytes) -> GoFile:
    """What the head of the Go file with this ``content`` says; what is no Go says nothing."""
    text = content.decode(errors="replace").removeprefix("\ufeff")
    # Strings have no comments in them where imports stand, but comments may have strings.
    plain = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n") or " ", text)
    package = _PACKAGE.match(plain)
    imports: dict[str, None] = {}
    position = package.end() if package else len(plain)
    while found := _IMPORT.match(plain, position):
        position = found.end()
        for quoted, raw in _STRING.findall(found["block"] or found["one"] or ""):
            imports[quoted or raw] = None
    return GoFile(tuple(imports), _embeds(text))


def is_built(name: str, content: bytes) -> bool:
    """Whether the file ``name`` of a package is part of its copies."""
    if name.endswith("_test.go") or name in ("go.mod", "go.sum"):
        return False
    if not name.endswith(".go"):
        return True
    head = content[: content.find(b"\npackage ") + 1].decode(errors="replace")
    return not _IGNORED.search(head)


def is_standard(package: str) -> bool:
    """Whether ``package`` comes with Go: the first part of its path has no dot."""
    return "." not in PurePosixPath(package).parts[0] if package else True


def _embeds(text: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for line in _EMBED.findall(text):
        try:
            words = shlex.split(line)
        except ValueError:  # a quotation mark without its partner
            words = line.split()
        found |= dict.fromkeys(words)
    return tuple(found)
