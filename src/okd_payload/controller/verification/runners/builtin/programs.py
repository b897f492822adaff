# SPDX-License-Identifier: Apache-2.0
"""What can be said of the program of an image without running it.

It is a file that may be run, for the machine that the image is for, and what it needs is there:
the interpreter that a script names, the loader of a program, and every library that is loaded
with it. That is where "no such file or directory", "exec format error" and "cannot open shared
object file" come from. Where loaders look for libraries depends on caches and variables, so a
library counts as there when any folder of the image has it: nothing sound is refused.

The answer is sought in the layers read so far, from the top: when nothing is missing in them,
nothing below changes that.
"""

from __future__ import annotations

import collections
import posixpath
from collections.abc import Callable
from pathlib import Path

from okd_payload.controller.verification.endings import clean_words
from okd_payload.controller.verification.runners.builtin.starting import SEARCHED
from okd_payload.errors import ContentError
from okd_payload.oci.config import ImageConfig
from okd_payload.oci.elf import Program, read_program
from okd_payload.oci.layers.entry import Entry, EntryKind
from okd_payload.oci.layers.merged_tree import MergedTree, Node

FileOf = Callable[[Node], Path]

_ABSENT = "is not in the image"
_MAY_RUN = 0o111
_MAX_SCRIPTS = 4
"""As many scripts as Linux lets interpret each other."""
_MAX_LINE = 256
_MAX_LIBRARIES = 2000


def may_matter(entry: Entry) -> bool:
    """Whether what is said of a program can depend on the content of ``entry``."""
    return bool(entry.mode & _MAY_RUN) or ".so" in posixpath.basename(entry.name)


def find_problem(tree: MergedTree, file_of: FileOf, config: ImageConfig) -> str:
    """Why the program of an image cannot start; empty when nothing speaks against it.

    Raises ContentError for links that go round in circles.
    """
    command = [*config.config.entrypoint, *config.config.cmd]
    if not command:
        return ""
    problem = _Looking(tree, file_of, config).judge(command[0])
    return f"its command {clean_words(command[0])} {problem}" if problem else ""


class _Looking:
    """One image that is looked into."""

    def __init__(self, tree: MergedTree, file_of: FileOf, config: ImageConfig) -> None:
        self._tree = tree
        self._file_of = file_of
        self._architecture = config.architecture
        path = next((each for each in config.config.env if each.startswith("PATH=")), "")
        self._searched = (path.removeprefix("PATH=") or SEARCHED).split(":")
        self._folder = config.config.working_dir
        self._libraries: dict[str, str] = {}

    def judge(self, program: str, *, depth: int = 0) -> str:
        """Why ``program`` cannot be run; empty when it can."""
        if "/" in program:
            places = [program if program.startswith("/") else f"{self._folder}/{program}"]
        else:
            places = [f"{each}/{program}" for each in self._searched if each]
        told = _ABSENT
        for place in places:
            problem, node = self._find(place.lstrip("/"))
            if node is not None:
                return self._read(node, depth)
            told = problem if problem != _ABSENT else told
        return told

    def _find(self, path: str) -> tuple[str, Node | None]:
        """The file at ``path`` that may be run, or what is wrong with it."""
        resolved = self._tree.resolve(path)
        if resolved is None or self._tree.node(resolved) is None:
            return _ABSENT, None
        node = self._tree.file(resolved)
        if node is None:
            return "is no file", None
        return ("", node) if node.entry.mode & _MAY_RUN else ("may not be run by anybody", None)

    def _read(self, node: Node, depth: int) -> str:
        with self._file_of(node).open("rb") as file:
            beginning = file.read(_MAX_LINE)
            file.seek(0)
            program = read_program(file)
        if beginning.startswith(b"#!"):
            return self._judge_script(beginning[2:].partition(b"\n")[0], depth)
        if program is None:
            return "is neither a program of Linux nor a script that names its interpreter"
        return self._judge_program(program)

    def _judge_script(self, line: bytes, depth: int) -> str:
        words = line.decode(errors="replace").split()
        if not words or depth >= _MAX_SCRIPTS:
            return "is a script whose interpreter cannot be found"
        needed = [words[0]]
        if posixpath.basename(words[0]) == "env":
            needed += [each for each in words[1:] if not each.startswith("-")][:1]
        for name in needed:
            if problem := self.judge(name, depth=depth + 1):
                return f"is a script for {clean_words(name)}, which {problem}"
        return ""

    def _judge_program(self, program: Program) -> str:
        told = program.architecture
        if told and self._architecture and told != self._architecture:
            return f"is for {told}, and the image for {self._architecture}"
        if program.interpreter and self._tree.resolve(program.interpreter.lstrip("/")) is None:
            return f"needs the loader {clean_words(program.interpreter)}, which {_ABSENT}"
        wanted = collections.deque((name, "") for name in program.needed)
        seen = set(program.needed)
        while wanted and len(seen) <= _MAX_LIBRARIES:
            name, by = wanted.popleft()
            library = self._library(name)
            if library is None:
                through = f" for {clean_words(by)}" if by else ""
                return f"needs the library {clean_words(name)}{through}, which {_ABSENT}"
            more = [each for each in library.needed if each not in seen]
            seen.update(more)
            wanted.extend((each, name) for each in more)
        return ""

    def _library(self, name: str) -> Program | None:
        """The library called ``name``, wherever it lies; without needs where it cannot be read."""
        if not self._libraries:
            kinds = (EntryKind.FILE, EntryKind.HARD_LINK, EntryKind.SYMBOLIC_LINK)
            for path in self._tree.walk(""):
                node = self._tree.node(path)
                if node is not None and node.entry.kind in kinds:
                    self._libraries.setdefault(posixpath.basename(path), path)
        place = self._libraries.get(posixpath.basename(name))
        try:
            resolved = self._tree.resolve(place) if place is not None else None
        except ContentError:
            return None
        node = self._tree.file(resolved) if resolved is not None else None
        if node is None:
            return None
        try:
            with self._file_of(node).open("rb") as file:
                return read_program(file) or Program(architecture="")
        except FileNotFoundError:
            return Program(architecture="")
