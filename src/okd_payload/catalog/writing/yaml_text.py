# SPDX-License-Identifier: Apache-2.0
"""Plain values as YAML that people like to read, the same for the same values.

Block style throughout, texts of several lines as blocks, no folding; what some reader of YAML
takes for a number, a date or a boolean is put in quotes.
"""

from __future__ import annotations

import enum
import re
from typing import Any

import msgspec
import yaml

_NO_FOLDING = 1_000_000
_ODD = re.compile("[\r\x85\u2028\u2029\ufeff]")
"""Line breaks that only some readers take for ones: written by their numbers."""


class _Dumper(yaml.SafeDumper):
    """Keeps the order of mappings, writes no anchors, indents lists below their names."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature of PyYAML
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002 - the signature of PyYAML
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _ODD.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_nothing(dumper: yaml.SafeDumper, nothing: None) -> yaml.ScalarNode:  # noqa: ARG001 - the signature of PyYAML
    return dumper.represent_scalar("tag:yaml.org,2002:null", "~")


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(type(None), _represent_nothing)


def as_written(value: msgspec.Struct) -> dict[str, Any]:
    """The fields of ``value`` that do not have their default, by the names that files use."""
    return {
        field.encode_name: _plain(getattr(value, field.name))
        for field in msgspec.structs.fields(value)
        if not _is_default(field, getattr(value, field.name))
    }


def write_yaml(value: Any) -> str:
    """``value``, mappings and lists of plain values, as one document without its marker."""
    return yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=_NO_FOLDING,
    )


def write_flow(value: Any) -> str:
    """``value`` in braces, on one line."""
    text = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=True,
        allow_unicode=True,
        width=_NO_FOLDING,
    )
    return text.removesuffix("\n")


def write_scalar(text: str | None) -> str:
    """``text`` as it stands behind a colon; None takes a value away."""
    if text is None:
        return "~"
    return (
        write_yaml([text]).removeprefix("- ").removesuffix("\n")
        if "\n" not in text
        else (yaml.dump(text, default_style='"', width=1_000_000).removesuffix("\n"))
    )


def write_comment(lines: tuple[str, ...] | list[str]) -> str:
    """``lines`` as a comment; line breaks and controls inside of them never end it."""
    flat = (" ".join(line.split()) for line in lines)
    return "".join(f"# {line}".rstrip() + "\n" for line in flat)


def _is_default(field: msgspec.structs.FieldInfo, value: object) -> bool:
    if field.default_factory is not msgspec.NODEFAULT:
        return bool(value == field.default_factory())
    return bool(value == field.default)


def _plain(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        return as_written(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value
