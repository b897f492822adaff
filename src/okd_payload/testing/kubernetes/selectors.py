# SPDX-License-Identifier: Apache-2.0
"""Label and field selectors, in the grammar of ``kubectl -l`` and ``--field-selector``.

The grammar is that of ``k8s.io/apimachinery/pkg/labels`` and ``pkg/fields``. By which fields
objects can be chosen is a list for each kind, as on real servers: any other field is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from okd_payload.testing.kubernetes.documents import JsonObject, labels_of, metadata_of
from okd_payload.testing.kubernetes.resources import Resource
from okd_payload.testing.kubernetes.statuses import bad_request

_TOKEN = re.compile(r"\s*(==|!=|=|!|,|\(|\)|[^\s=!,()]+)")
_FIELD = re.compile(r"(?P<path>[^=!]+)(?P<operator>==|!=|=)(?P<value>[^=!]*)\Z")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
    ),
    "events": (
        "involvedObject.kind",
        "involvedObject.name",
        "involvedObject.namespace",
        "involvedObject.uid",
        "reason",
        "type",
    ),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "jobs.batch": ("status.successful",),
    "builds.build.openshift.io": ("status", "podName"),
}
"""The fields beside name and namespace by which each resource can be chosen."""

Selector = Callable[[JsonObject], bool]


class Requirement(msgspec.Struct, frozen=True):
    """One condition on one label."""

    key: str
    operator: str
    """``in``, ``notin``, ``exists`` or ``!``."""
    values: frozenset[str] = frozenset()

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with ``labels`` is meant."""
        if self.operator == "exists":
            return self.key in labels
        if self.operator == "!":
            return self.key not in labels
        if self.operator == "in":
            return labels.get(self.key) in self.values
        return labels.get(self.key) not in self.values


def read_labels(text: str) -> tuple[Requirement, ...]:
    """The conditions of a label selector. Refuses what does not parse, as the API server does."""
    tokens = _TOKEN.findall(text)
    return _Parser(tokens).parse() if tokens else ()


def select(resource: Resource, labels: str, fields: str) -> Selector | None:
    """Whether an object is meant by both selectors; nothing when everything is."""
    requirements, conditions = read_labels(labels), _read_fields(resource, fields)
    if not requirements and not conditions:
        return None

    def fits(document: JsonObject) -> bool:
        have = labels_of(document)
        return all(each.fits(have) for each in requirements) and all(
            (_field(document, path) == value) is wanted for path, value, wanted in conditions
        )

    return fits


def _read_fields(resource: Resource, text: str) -> list[tuple[str, str, bool]]:
    """Paths with the values that they must have, or must not have."""
    known = {"metadata.name", "metadata.namespace", *_FIELDS.get(resource.name, ())}
    conditions = []
    for part in filter(None, text.split(",")):
        found = _FIELD.match(part)
        if found is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        if found["path"] not in known:
            raise bad_request(f"field label not supported: {found['path']}")
        conditions.append((found["path"], found["value"], found["operator"] != "!="))
    return conditions


def _field(document: JsonObject, path: str) -> str:
    if path == "metadata.name":
        return str(metadata_of(document).get("name", ""))
    value: Any = document
    for name in path.split("."):
        value = value.get(name, "") if isinstance(value, dict) else ""
    return "" if isinstance(value, dict) else str(value)


class _Parser:
    """Reads the tokens of a label selector."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*tokens, ""]
        self._at = 0

    def parse(self) -> tuple[Requirement, ...]:
        requirements = [self._requirement()]
        while self._peek() == ",":
            self._next()
            requirements.append(self._requirement())
        if self._peek():
            raise _unparsable(f"found '{self._peek()}', expected: ',' or 'end of string'")
        return tuple(requirements)

    def _requirement(self) -> Requirement:
        word = self._next()
        if word == "!":
            return Requirement(self._key(self._next()), "!")
        key = self._key(word)
        operator = self._peek()
        if operator in ("", ","):
            return Requirement(key, "exists")
        self._next()
        if operator in ("in", "notin"):
            return Requirement(key, operator, self._values())
        if operator in ("=", "==", "!="):
            value = "" if self._peek() in ("", ",") else self._next()
            return Requirement(key, "notin" if operator == "!=" else "in", frozenset({value}))
        raise _unparsable(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")

    def _key(self, word: str) -> str:
        if word in ("", ",", "(", ")", "=", "==", "!=", "!"):
            raise _unparsable(f"found '{word}', expected: !, identifier, or 'end of string'")
        return word

    def _values(self) -> frozenset[str]:
        if self._next() != "(":
            raise _unparsable(f"found '{self._tokens[self._at - 1]}', expected: '('")
        values: set[str] = set()
        while True:
            word = self._next()
            if word in ("", "(", "=", "==", "!=", "!"):
                raise _unparsable(f"found '{word}', expected: ',', ')' or identifier")
            if word == ")":
                return frozenset(values or {""})
            if word != ",":
                values.add(word)

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _next(self) -> str:
        word = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return word


def _unparsable(why: str) -> Exception:
    return bad_request(f"unable to parse requirement: {why}")
