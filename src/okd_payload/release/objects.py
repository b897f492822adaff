# SPDX-License-Identifier: Apache-2.0
"""Manifest files as the documents that are in them.

Files are cut into documents as Kubernetes cuts them: at lines of three dashes, which may bear a
comment, wherever they stand, even in a block of text. What is between is YAML with Go's rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from okd_payload.errors import InvalidDocument
from okd_payload.imagestream import go_yaml

_SEPARATOR = re.compile(rb"^---[ \t\r\v\f]*(?:#.*)?\n?", re.MULTILINE)
_NOTHING = re.compile(rb"(?:\s|#.*)*")
_SHOWN_BYTES = 30


class Segment(msgspec.Struct, frozen=True):
    """The text of one document, and the number of lines before it."""

    content: bytes
    lines_before: int


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a file, and on which line (0 when unknown)."""

    message: str
    line: int = 0


def split_documents(content: bytes) -> Iterator[Segment]:
    """The documents of ``content``, empty ones included, but nothing before a leading separator."""
    start = 0
    lines = 0
    for separator in _SEPARATOR.finditer(content):
        text = content[start : separator.start()]
        if start or not _NOTHING.fullmatch(text):
            yield Segment(text, lines)
        lines = content.count(b"\n", 0, separator.end())
        start = separator.end()
    yield Segment(content[start:], lines)


def check_manifest(content: bytes) -> list[Problem]:
    """Everything that bars a manifest file from a payload: each document must be an API object.

    The first document must be there, with kind and apiVersion; later ones may be empty, and
    need no apiVersion, because the cluster does not ask for it.
    """
    problems = []
    for number, segment in enumerate(split_documents(content)):
        problem = _check_document(segment, first=number == 0)
        if problem is not None:
            problems.append(problem)
    return problems


def _check_document(segment: Segment, *, first: bool) -> Problem | None:
    try:
        value = go_yaml.parse(segment.content, path="")
    except InvalidDocument as error:
        line = segment.lines_before + error.line if error.line else 0
        return Problem(f"invalid YAML/JSON: {error.detail}", line)
    line = segment.lines_before + 1
    if value is None and not first:
        return None
    if not isinstance(value, dict):
        shown = segment.content[:_SHOWN_BYTES].decode(errors="replace")
        more = "..." if len(segment.content) > _SHOWN_BYTES else ""
        return Problem(f"not a valid YAML/JSON object, got: {shown}{more}", line)
    missing = [key for key in ("kind", "apiVersion") if value.get(key) in (None, "")]
    if missing if first else "kind" in missing:
        return Problem(
            "manifests must contain Kubernetes API objects with 'kind' and 'apiVersion' set:"
            f" {' and '.join(missing)} is missing",
            line,
        )
    return None
