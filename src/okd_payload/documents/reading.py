# SPDX-License-Identifier: Apache-2.0
"""YAML text as plain values, and the line where each of them stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from okd_payload.documents.bounds import MAX_BYTES, MAX_DEPTH, MAX_NODES
from okd_payload.documents.files import read_file
from okd_payload.errors import InvalidDocument

FieldPath = tuple[str | int, ...]

_HALVES = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u"
    rb"(?i:(d[89ab][0-9a-f]{2})(?-i:\\u)(d[c-f][0-9a-f]{2})|d[89a-f][0-9a-f]{2})"
)
"""The escaped halves of a character, behind backslashes that escape each other."""


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
    return parse_documents(read_file(path), path=str(path))


def parse_documents(content: bytes, *, path: str) -> list[Document]:
    """Every document of ``content``; ``path`` is only named in errors. Raises InvalidDocument."""
    if len(content) > MAX_BYTES:
        raise InvalidDocument(f"larger than {MAX_BYTES} bytes", path=path)
    documents = []
    try:
        loader = _Loader(_join_escapes(content))
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
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        raise InvalidDocument(
            f"not valid YAML: {problem}", path=path, line=_line_of(error, content)
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(f"not valid YAML: {error}", path=path) from error
    return documents


def _join_escapes(content: bytes) -> bytes:
    """``content`` without what JSON may have and YAML may not: characters escaped in halves.

    A half that stands alone becomes the sign for what cannot be read, as where Go reads it.
    """
    if b"\\u" not in content:
        return content
    is_json = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    return _HALVES.sub(_joined, content) if is_json else content


def _joined(found: re.Match[bytes]) -> bytes:
    before, first, second = found.groups()
    if second is None:
        return before + b"\\ufffd"
    high, low = int(first, 16) - 0xD800, int(second, 16) - 0xDC00
    return before + f"\\U{0x10000 + (high << 10) + low:08x}".encode()


def _line_of(error: yaml.YAMLError, content: bytes) -> int:
    """The line that ``error`` is about; 0 when it says none."""
    if isinstance(error, yaml.reader.ReaderError):
        return content.count(b"\n", 0, error.position) + 1
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 0


def invalid_field(
    document: Document, field: FieldPath, message: str, *, hint: str = ""
) -> InvalidDocument:
    """The error that ``field`` of ``document`` is wrong, for checks that types cannot express."""
    return InvalidDocument(
        message,
        path=document.path,
        line=document.line_of(field),
        field=_name_of(field),
        hint=hint,
    )


def _name_of(field: FieldPath) -> str:
    """``field`` as people write it: ``catalog[0].components``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in field)
    return "".join(steps).removeprefix(".")


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
                    field=_name_of((*field, name)),
                )
            seen.add(name)
            lines[(*field, name)] = key.start_mark.line + 1
            _index(value, (*field, name), lines, budget)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _index(item, (*field, number), lines, budget)
