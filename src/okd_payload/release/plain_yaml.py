# SPDX-License-Identifier: Apache-2.0
"""Whether a document is a sound API object, told without making values of it.

Payloads bring megabytes of YAML of which a new release only has to know that it can be read and
has a kind. libyaml alone says the first ten times faster than values are made, and the lines
without indentation, which are few, say the second. Where something is meant that libyaml does
not look at (an alias, a merge, a template, a number that JSON lacks) the answer is no, and the
caller reads the document by all the rules. Keys that are lists or nothing at all, which nobody
writes, are left to ``lint``.
"""

from __future__ import annotations

import json
import re

import yaml

from okd_payload.errors import InvalidDocument
from okd_payload.imagestream import go_yaml

_OUTLINE = re.compile(rb"\n([^\s#].*)")
_PLAIN_LINE = re.compile(rb"([A-Za-z]\w*):(?: +([A-Za-z][\w./-]*))?")
_PLAIN_ITEM = re.compile(rb"- [A-Za-z][\w./-]*:?(?: +[A-Za-z][\w./-]*)?")
_CERTAIN_TEXT = re.compile(rb"[A-Za-z][\w.-]*[\d/][\w./-]*|[A-Za-z]{6,}")
"""No word that YAML takes for a boolean or for nothing has a digit, a slash or a sixth letter."""
_NO_NUMBER = re.compile(rb"\.(?:inf|Inf|INF|nan|NaN|NAN)")
_MARK = re.compile(rb"[&*]\w")
_BEFORE_NODE = b":,[{-?\n"
_LOOK_BACK = 80


def is_plain_object(content: bytes) -> bool:
    """Whether ``content`` is one sound document with kind and apiVersion; no means unknown."""
    try:
        if content.startswith(b"{"):
            return _is_typed(json.loads(content))
        if _is_doubtful(content):
            return False
        yaml.CSafeLoader(content).raw_parse()
        outline = _OUTLINE.findall(b"\n" + content)
        return _is_plainly_typed(outline) or _is_typed(go_yaml.parse(b"\n".join(outline), path=""))
    except (yaml.YAMLError, ValueError, RecursionError, InvalidDocument):
        return False


def _is_typed(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(key), str) and value[key] for key in ("kind", "apiVersion")
    )


def _is_plainly_typed(outline: list[bytes]) -> bool:
    """The same of lines that are keys, keys with a word, and items; no means unknown."""
    members: dict[bytes, bytes] = {}
    for line in outline:
        found = _PLAIN_LINE.fullmatch(line)
        if found and found[1] not in members:
            members[found[1]] = found[2] or b""
        elif found or not _PLAIN_ITEM.fullmatch(line):
            return False
    return all(
        _CERTAIN_TEXT.fullmatch(members.get(key, b"")) is not None
        for key in (b"kind", b"apiVersion")
    )


def _is_doubtful(content: bytes) -> bool:
    """Single bytes are looked for first, which is ten times faster and mostly finds nothing."""
    return (
        (b"{" in content and b"{{" in content)
        or (b"<" in content and b"<<" in content)
        or (b"!" in content and b"!!" in content)
        or _NO_NUMBER.search(content) is not None
        or (
            (b"&" in content or b"*" in content)
            and any(_begins_node(content, mark.start()) for mark in _MARK.finditer(content))
        )
    )


def _begins_node(content: bytes, place: int) -> bool:
    """Whether what stands before ``place`` lets a node begin there, so that a mark is one."""
    before = content[max(0, place - _LOOK_BACK) : place].rstrip(b" \t")
    return not before or before[-1:] in _BEFORE_NODE
