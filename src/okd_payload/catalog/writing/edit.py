# SPDX-License-Identifier: Apache-2.0
"""Changes of YAML files that people write: every byte that is not changed stays as it is.

The parser says where in the text a value begins and ends, and only that is replaced: comments,
blank lines, quotes and the order of fields are not even read. Lists are replaced as a whole. What
has come out is read again and must be exactly what was wanted; files with anchors and the like,
where it is not, are refused instead of damaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import yaml

from okd_payload.catalog.writing.yaml_text import write_flow, write_yaml
from okd_payload.documents import parse_documents
from okd_payload.errors import InvalidDocument

Path = tuple[str, ...]


class Edit(msgspec.Struct, frozen=True):
    """``field`` gets ``value``; fields on the way to it are made. UNSET takes it away."""

    field: Path
    value: Any = msgspec.UNSET


def edit_yaml(text: str, edits: Iterable[Edit], *, path: str) -> str:
    """``text``, one document, with ``edits`` made in their order; ``path`` is named in errors.

    Raises InvalidDocument when it is no mapping, or one that cannot be edited without harm.
    """
    wanted = read_mapping(text, path)
    edited = text
    try:
        for edit in edits:
            if edit.value is msgspec.UNSET and not _has(wanted, edit.field):
                continue
            wanted = _changed(wanted, edit.field, edit.value)
            edited = _Text(edited).edit(edit)
        harmed = read_mapping(edited, path) != wanted
    except (yaml.YAMLError, InvalidDocument):
        harmed = True
    if harmed:
        raise InvalidDocument(
            "cannot be changed without harm to it",
            path=path,
            hint="anchors and keys of several lines are for people to edit: do it by hand",
        )
    return edited


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Edit]:
    """The edits that make ``new`` of ``old``, mappings gone through and all else as a whole."""
    return list(_differences(old, new, ()))


def read_mapping(text: str, path: str) -> dict[str, Any]:
    """The fields of the one document in ``text``; none when it is empty. Raises InvalidDocument."""
    documents = parse_documents(text.encode(), path=path)
    value = documents[0].value if documents else {}
    if len(documents) > 1 or not isinstance(value, dict):
        raise InvalidDocument(
            "not one mapping", path=path, hint="it must hold one YAML document with fields"
        )
    return value


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], above: Path) -> Iterable[Edit]:
    for key in old:
        if key not in new:
            yield Edit((*above, key))
    for key, value in new.items():
        known = old.get(key)
        if isinstance(known, dict) and isinstance(value, dict) and known and value:
            yield from _differences(known, value, (*above, key))
        elif key not in old or known != value:
            yield Edit((*above, key), value)


def _has(value: Any, field: Path) -> bool:
    for key in field:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def _changed(value: Any, field: Path, new: Any) -> dict[str, Any]:
    """A copy of ``value`` in which ``field`` is ``new``; what becomes empty goes too."""
    copy = dict(value) if isinstance(value, dict) else {}
    key, *below = field
    item = _changed(copy.get(key), tuple(below), new) if below else new
    if item is msgspec.UNSET or (below and new is msgspec.UNSET and item == {}):
        copy.pop(key, None)
    else:
        copy[key] = item
    return copy


class _Text:
    """A document as text, and where its parts are."""

    def __init__(self, text: str) -> None:
        self._text = text if text.endswith("\n") or not text else f"{text}\n"
        self._root = yaml.compose(self._text, Loader=yaml.SafeLoader)

    def edit(self, edit: Edit) -> str:
        """The text after ``edit``."""
        root = self._root
        if not isinstance(root, yaml.MappingNode) or not root.value:
            start = root.start_mark.index if root else len(self._text)
            end = root.end_mark.index if root else len(self._text)
            new = _changed({}, edit.field, edit.value)
            text = write_yaml(new).removesuffix("\n") if new else "{}"
            return self._replace(start, end, text if root else f"{text}\n")
        return self._edit_below(root, edit, 0)

    def _edit_below(self, mapping: yaml.MappingNode, edit: Edit, depth: int) -> str:
        """Edit what ``mapping`` has at the fields from ``depth`` on."""
        if mapping.flow_style:
            new = _changed(_plain(mapping), edit.field[depth:], edit.value)
            start, end = mapping.start_mark.index, mapping.end_mark.index
            return self._replace(start, end, write_flow(new))
        name, below = edit.field[depth], edit.field[depth + 1 :]
        entry = next((each for each in mapping.value if each[0].value == name), None)
        if entry is None:
            return self._insert(mapping, _changed({}, (name, *below), edit.value))
        key, value = entry
        removed = edit.value is msgspec.UNSET
        if removed and (not below or not _changed(_plain(value), below, edit.value)):
            return self._remove(mapping, key, value)
        if below and isinstance(value, yaml.MappingNode) and value.value:
            return self._edit_below(value, edit, depth + 1)
        return self._set(key, value, _changed({}, below, edit.value) if below else edit.value)

    def _set(self, key: yaml.Node, value: yaml.Node, new: Any) -> str:
        """Give ``key`` another value; the comment behind it stays."""
        colon = self._text.index(":", key.end_mark.index)
        end = self._end(value)
        first, *rest = self._behind_colon(key.value, new, key.start_mark.column)
        on_key_line = value.start_mark.line == key.start_mark.line
        block_text = isinstance(value, yaml.ScalarNode) and value.style in ("|", ">")
        if block_text:
            comment = ""
        elif on_key_line:
            comment = self._text[end : self._line_end(end)]
        else:
            comment = self._text[colon + 1 : self._line_end(colon)]
        text = "\n".join([f"{first}{comment}", *rest])
        return self._replace(colon + 1, self._line_end(end), text)

    def _insert(self, mapping: yaml.MappingNode, new: dict[str, Any]) -> str:
        """Add the field in ``new`` behind the last one of ``mapping``."""
        column = mapping.value[0][0].start_mark.column
        place = self._line_end(self._end(mapping))
        lines = write_yaml(new).removesuffix("\n").split("\n")
        return self._replace(place, place, "".join(f"\n{_indent(line, column)}" for line in lines))

    def _remove(self, mapping: yaml.MappingNode, key: yaml.Node, value: yaml.Node) -> str:
        start = self._text.rfind("\n", 0, key.start_mark.index) + 1
        end = self._line_end(self._end(value)) + 1
        left = "" if len(mapping.value) > 1 else "{}\n"
        return self._replace(start, end, left)

    def _behind_colon(self, key: str, value: Any, column: int) -> list[str]:
        """The lines of ``value`` behind its key, those after the first indented below it."""
        lines = write_yaml({key: value}).removesuffix("\n").split("\n")
        written = write_yaml({key: ""}).removesuffix(" ''\n")
        return [lines[0][len(written) :], *(_indent(line, column) for line in lines[1:])]

    def _end(self, node: yaml.Node) -> int:
        """Where the text of ``node`` ends, comments behind it not counted."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        end = node.end_mark.index
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            end = len(self._text[:end].rstrip("\n"))
        return end

    def _line_end(self, index: int) -> int:
        return self._text.index("\n", index)

    def _replace(self, start: int, end: int, text: str) -> str:
        return f"{self._text[:start]}{text}{self._text[end:]}"


def _plain(node: yaml.Node) -> Any:
    return yaml.SafeLoader("").construct_document(node)


def _indent(line: str, column: int) -> str:
    return f"{' ' * column}{line}" if line else line
