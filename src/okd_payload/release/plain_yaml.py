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

_OUTLINE = re.compile(rb"^[^\s#].*", re.MULTILINE)
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
        return _is_typed(go_yaml.parse(b"\n".join(_OUTLINE.findall(content)), path=""))
    except (yaml.YAMLError, ValueError, RecursionError, InvalidDocument):
        return False


def _is_typed(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(key), str) and value[key] for key in ("kind", "apiVersion")
    )


def _is_doubtful(content: bytes) -> bool:
    return (
        b"{{" in content
        or b"<<" in content
        or _NO_NUMBER.search(content) is not None
        or any(_begins_node(content, mark.start()) for mark in _MARK.finditer(content))
    )


def _begins_node(content: bytes, place: int) -> bool:
    """Whether what stands before ``place`` lets a node begin there, so that a mark is one."""
    before = content[max(0, place - _LOOK_BACK) : place].rstrip(b" \t")
    return not before or before[-1:] in _BEFORE_NODE
