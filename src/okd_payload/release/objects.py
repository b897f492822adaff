# SPDX-License-Identifier: Apache-2.0
"""Manifest files as the documents and objects that are in them.

Two readers want them: ``check_manifest`` lets into a payload what ``oc`` would let in, looking at
every document; ``read_objects`` is as strict as the cluster that loads the payload. Files are
cut into documents as Kubernetes cuts them: at lines of three dashes, which may bear a comment,
wherever they stand, even in a block of text. What is between is YAML with Go's rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from okd_payload.errors import InvalidDocument
from okd_payload.imagestream import go_json, go_yaml
from okd_payload.release.go_json_text import read_json, skip_blanks
from okd_payload.release.plain_yaml import is_plain_object

_SEPARATOR = re.compile(rb"^---[ \t\r\v\f]*(?:#.*)?$\n?", re.MULTILINE)
_BAD_SEPARATOR = re.compile(rb"^---(?![ \t\r\v\f]*(?:#.*)?$)(.*)$", re.MULTILINE)
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


class ObjectKey(NamedTuple):
    """What the cluster tells objects apart by: versions of a group are the same object."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        namespace = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind}{group} {namespace}{self.name}"


class ManifestObject(msgspec.Struct, frozen=True):
    """One object of a manifest file."""

    key: ObjectKey
    value: dict[str, Any]
    line: int
    source: str = ""
    """The text of a JSON document, which the operator keeps as it is."""

    @property
    def api_version(self) -> str:
        """Group and version, empty where nothing is said."""
        return self.value.get("apiVersion") or ""

    @property
    def raw(self) -> bytes:
        """The JSON that the operator holds: the document's own, or made of the YAML."""
        return self.source.encode() if self.source else go_json.encode(self.value)


class ManifestFile(msgspec.Struct, frozen=True):
    """The objects of a file as the cluster would load them, and why it would not."""

    documents: tuple[ManifestObject | Problem, ...] = ()
    """Everything that is not empty, in the order of the file."""

    @property
    def objects(self) -> tuple[ManifestObject, ...]:
        """The documents that are objects."""
        return tuple(item for item in self.documents if isinstance(item, ManifestObject))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What bars the file from the cluster."""
        return tuple(item for item in self.documents if isinstance(item, Problem))


def check_manifest(content: bytes) -> list[Problem]:
    """Everything that bars a manifest file from a payload: each document must be an API object.

    The first document must be there, with kind and apiVersion; later ones may be empty, and
    need no apiVersion, because the cluster does not ask for it.
    """
    found = [
        _check_document(segment, is_first=number == 0)
        for number, segment in enumerate(_split(content))
        if not is_plain_object(segment.content)
    ]
    return [problem for problem in found if problem is not None]


def read_objects(content: bytes) -> ManifestFile:
    """The objects of a file, by the rules of the cluster-version operator."""
    found = [
        _read_object(document) if isinstance(document, _Document) else document
        for document in _read_documents(content)
    ]
    return ManifestFile(tuple(sorted(found, key=lambda item: item.line)))


class _Document(NamedTuple):
    value: Any
    line: int
    source: str = ""


def _read_documents(content: bytes) -> Iterator[_Document | Problem]:
    """JSON objects one after another as long as there are any, then YAML; without empty ones."""
    rest = content.lstrip()
    if rest.startswith(b"{"):
        documents, rest = _read_json(content)
        yield from documents
    skipped = content.count(b"\n", 0, len(content) - len(rest))
    for bad in _BAD_SEPARATOR.finditer(rest):
        line = skipped + rest.count(b"\n", 0, bad.start()) + 1
        yield Problem(f"invalid document separator: {bad[0].decode(errors='replace')[:80]}", line)
    for segment in _split(rest):
        line = skipped + segment.lines_before
        try:
            value = go_yaml.parse(segment.content, path="")
        except InvalidDocument as error:
            yield Problem(f"error parsing: {error.detail}", line + max(error.line, 1))
        else:
            if value is not None:
                yield _Document(value, line + 1)


def _read_json(content: bytes) -> tuple[list[_Document | Problem], bytes]:
    """The objects at the beginning of ``content``, and what follows: YAML, or nothing."""
    found: list[_Document | Problem] = []
    text = content.decode(errors="replace")
    place = skip_blanks(text, 0)
    try:
        while text[place : place + 1] == "{":
            line = text.count("\n", 0, place) + 1
            value, end = read_json(text, place)
            found.append(_Document(value, line, text[place:end]))
            place = skip_blanks(text, end)
    except ValueError as error:
        return [*found, Problem(f"error parsing JSON: {error}", getattr(error, "lineno", 1))], b""
    rest = text[place:]
    if rest and not rest.startswith("---"):
        line = text.count("\n", 0, place) + 1
        return [*found, Problem(f"text after the JSON object: {rest[:_SHOWN_BYTES]}", line)], b""
    return found, rest.encode()


def _read_object(document: _Document) -> ManifestObject | Problem:
    value, line, source = document
    if not isinstance(value, dict):
        return Problem(f"not an object: {str(value)[:_SHOWN_BYTES]!r}", line)
    version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(version, str | None) or (version or "").count("/") > 1:
        return Problem(f"apiVersion {version!r} is not GROUP/VERSION", line)
    if not isinstance(kind, str) or not kind:
        return Problem("no kind" if kind in (None, "") else f"kind {kind!r} is not text", line)
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not name:
        what = "no metadata.name" if name in (None, "") else f"metadata.name {name!r} is not text"
        return Problem(f"{kind}: {what}", line)
    group, slash, _ = (version or "").partition("/")
    key = ObjectKey(
        group=group if slash else "",
        kind=kind,
        namespace=namespace if isinstance(namespace, str) else "",
        name=name,
    )
    return ManifestObject(key, value, line, source)


def _split(content: bytes) -> Iterator[Segment]:
    """The documents of ``content``, empty ones included, but nothing before a leading separator."""
    start = lines = 0
    for separator in _SEPARATOR.finditer(content) if b"---" in content else ():
        text = content[start : separator.start()]
        if start or not _NOTHING.fullmatch(text):
            yield Segment(text, lines)
        lines += content.count(b"\n", start, separator.end())
        start = separator.end()
    yield Segment(content[start:], lines)


def _check_document(segment: Segment, *, is_first: bool) -> Problem | None:
    try:
        value = go_yaml.parse(segment.content, path="")
    except InvalidDocument as error:
        line = segment.lines_before + error.line if error.line else 0
        return Problem(f"invalid YAML/JSON: {error.detail}", line)
    line = segment.lines_before + 1
    if value is None and not is_first:
        return None
    if not isinstance(value, dict):
        shown = segment.content[:_SHOWN_BYTES].decode(errors="replace")
        more = "..." if len(segment.content) > _SHOWN_BYTES else ""
        return Problem(f"not a valid YAML/JSON object, got: {shown}{more}", line)
    texts = {key: value.get(key) for key in ("kind", "apiVersion")}
    wrong = [key for key, text in texts.items() if isinstance(text, list | dict)]
    if wrong:
        return Problem(f"invalid YAML/JSON: {' and '.join(wrong)} must be text", line)
    missing = [key for key, text in texts.items() if text in (None, "")]
    if missing if is_first else "kind" in missing:
        return Problem(
            "manifests must contain Kubernetes API objects with 'kind' and 'apiVersion' set:"
            f" {' and '.join(missing)} is missing",
            line,
        )
    return None
