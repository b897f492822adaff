# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON files as typed values, with errors that point at file, line and field.

YAML is read with YAML 1.1 booleans and numbers, as the Go programs of the field read it, but
dates stay text and duplicate keys are refused. Size, depth and alias expansion are bounded,
because catalogs and payloads bring foreign files. Writing YAML is not done here: what people
write is edited as text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from okd_payload.errors import InvalidDocument

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 2_000_000
"""Bound on nodes after alias expansion: an alias counts as many nodes as it stands for."""

FieldPath = tuple[str | int, ...]
T = TypeVar("T")

_VALIDATION_PATH = re.compile(
    r"^(?P<text>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?$", re.DOTALL
)
_PATH_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


class Document(msgspec.Struct, frozen=True):
    """One document of a file: its plain value, and the line where each field stands."""

    path: str
    value: Any
    lines: dict[FieldPath, int]

    def line_of(self, field: FieldPath) -> int:
        """The line of ``field``, or of its nearest enclosing field that has one."""
        while field and field not in self.lines:
            field = field[:-1]
        return self.lines.get(field, 0)


class BoundedLoader(yaml.CSafeLoader):
    """CSafeLoader that gives up on deep nesting, on which libyaml's composer dies of its stack."""

    _depth = 0

    def descend_resolver(self, current_node: yaml.Node | None, current_index: object) -> None:
        """Called by the composer before every node; nothing else is resolved by path."""
        del current_index
        self._depth += 1
        if self._depth > MAX_DEPTH + 1:
            mark = current_node.start_mark if current_node else None
            raise yaml.composer.ComposerError(None, None, "nested too deeply", mark)

    def ascend_resolver(self) -> None:
        """Called by the composer after every node."""
        self._depth -= 1


class _Loader(BoundedLoader):
    """CSafeLoader without timestamps: a date in a catalog is a name, not a moment."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read_documents(path: Path) -> list[Document]:
    """Every document of the file at ``path``, empty ones left out.

    Raises InvalidDocument when the file is absent, too large, or not YAML.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidDocument(f"larger than {MAX_BYTES} bytes", path=str(path))
        content = path.read_bytes()
    except OSError as error:
        raise InvalidDocument(error.strerror or str(error), path=str(path)) from error
    return parse_documents(content, path=str(path))


def parse_documents(content: bytes, *, path: str) -> list[Document]:
    """Every document of ``content``; ``path`` is only named in errors. Raises InvalidDocument."""
    if len(content) > MAX_BYTES:
        raise InvalidDocument(f"larger than {MAX_BYTES} bytes", path=path)
    documents = []
    try:
        loader = _Loader(content)
        try:
            while loader.check_node():
                node: yaml.Node = loader.get_node()  # type: ignore[assignment]  # checked above
                lines: dict[FieldPath, int] = {}
                budget = _Budget(path)
                _index(node, (), lines, budget)
                value = loader.construct_document(node)
                if value is not None:
                    documents.append(Document(path, value, lines))
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise InvalidDocument(
            f"not valid YAML: {problem}", path=path, line=mark.line + 1 if mark else 0
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(f"not valid YAML: {error}", path=path) from error
    return documents


def convert(document: Document, kind: type[T]) -> T:
    """``document`` as a ``kind``. Raises InvalidDocument that names line and field."""
    try:
        return msgspec.convert(document.value, kind)
    except msgspec.ValidationError as error:
        matched = _VALIDATION_PATH.match(str(error))
        text, dotted = (matched["text"], matched["path"] or "") if matched else (str(error), "")
        field = _field_path(dotted)
        unknown = re.search(r"unknown field `(.+)`", text)
        if unknown:
            field = (*field, unknown[1])
        raise InvalidDocument(
            text,
            path=document.path,
            line=document.line_of(field),
            field=".".join(str(step) for step in field),
        ) from error


def _field_path(dotted: str) -> FieldPath:
    return tuple(
        name or (int(number) if number.isdigit() else number)
        for name, number in _PATH_STEP.findall(dotted)
    )


class _Budget:
    """Counts nodes, aliases expanded, so that nine lines cannot become a billion values."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._left = MAX_NODES

    def spend(self, depth: int, node: yaml.Node) -> None:
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            problem = "nested too deeply" if depth > MAX_DEPTH else "expands to too many values"
            raise InvalidDocument(problem, path=self._path, line=node.start_mark.line + 1)


def _index(node: yaml.Node, field: FieldPath, lines: dict[FieldPath, int], budget: _Budget) -> None:
    """Write the line of ``node`` and of all below it into ``lines``."""
    budget.spend(len(field), node)
    lines.setdefault(field, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if name in seen and name != "<<":
                raise InvalidDocument(
                    "given twice",
                    path=budget._path,  # noqa: SLF001 - the budget is this module's own
                    line=key.start_mark.line + 1,
                    field=".".join(map(str, (*field, name))),
                )
            seen.add(name)
            lines[(*field, name)] = key.start_mark.line + 1
            _index(value, (*field, name), lines, budget)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _index(item, (*field, number), lines, budget)
