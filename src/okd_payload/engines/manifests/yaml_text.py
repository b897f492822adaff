# SPDX-License-Identifier: Apache-2.0
"""Objects as YAML that every reader reads the same way.

Readers follow YAML 1.1 (kubectl, kustomize, PyYAML) or 1.2, which disagree on what is a boolean,
a number or a date. So only text that neither takes for anything else stands plain, all other in
double quotes. Texts of several lines are literal blocks where that is exact. Fields keep the
order of their structs, names in mappings are sorted. A writer of our own, because a Pipeline
with 189 tasks takes a general one as long as planning it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

_PLAIN = re.compile(
    r"[A-Za-z/_$][\w./@+$()\[\]*=,;'-]*(?:(?: |:(?=[^\s]))[\w./@+$()\[\]*=,;'-]+)*", re.ASCII
)
_AMBIGUOUS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "_"})
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_INDENT = "  "


def write_documents(documents: Iterable[msgspec.Struct], *, comment: Iterable[str] = ()) -> str:
    """Each of ``documents`` as one document, below the lines of ``comment``."""
    head = "".join(f"# {' '.join(line.split())}".rstrip() + "\n" for line in comment)
    texts = (_write(document) for document in documents)
    return head + "---\n".join(texts)


def _write(document: msgspec.Struct) -> str:
    value = msgspec.to_builtins(document, order="deterministic")
    return "".join(f"{line}\n" for line in _lines(value, ""))


def _lines(value: Any, indent: str) -> Iterator[str]:
    """The lines of a mapping or a sequence that is not empty."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _entry(f"{indent}{_scalar(str(key))}:", item, indent, in_list=False)
    else:
        for item in value:
            yield from _entry(f"{indent}-", item, indent, in_list=True)


def _entry(lead: str, item: Any, indent: str, *, in_list: bool) -> Iterator[str]:
    """``item`` behind ``lead``, which ends in a colon or is the dash of a list."""
    deeper = indent + _INDENT
    if isinstance(item, (dict, list, tuple)):
        if not item:
            yield f"{lead} {'{}' if isinstance(item, dict) else '[]'}"
            return
        lines = _lines(item, deeper)
        if in_list:
            yield f"{lead} {next(lines).lstrip(' ')}"
        else:
            yield lead
        yield from lines
    elif isinstance(item, str) and _fits_block(item):
        yield f"{lead} |{'' if item.endswith(chr(10)) else '-'}"
        for line in item.removesuffix("\n").split("\n"):
            yield f"{deeper}{line}" if line else ""
    else:
        yield f"{lead} {_scalar(item)}"


def _fits_block(text: str) -> bool:
    """Whether a literal block gives exactly ``text``."""
    if "\n" not in text or text[0].isspace() or text.endswith("\n\n"):
        return False
    lines = text.split("\n")
    return all(
        line.replace("\t", " ").isprintable() and not (line and line.isspace()) for line in lines
    )


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return msgspec.json.encode(value).decode()
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _AMBIGUOUS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if character.isprintable():
        return character
    return f"\\U{ord(character):08x}"
