# SPDX-License-Identifier: Apache-2.0
"""Names, labels and annotations: what Kubernetes and Tekton allow, and how each says no."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from okd_payload.testing.tekton.admission.refusals import FieldError, Refusal

MOST_NAME_CHARACTERS = 63
"""Tekton's bound on names of its objects, below that of Kubernetes."""

_MOST_LABEL_CHARACTERS = 63
_MOST_SUBDOMAIN_CHARACTERS = 253
_MOST_ANNOTATION_BYTES = 262_144

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")

_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    r"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_QUALIFIED_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_LABEL_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def is_dns_label(name: str) -> bool:
    """Whether the name may be that of a step or of a task in a pipeline."""
    return len(name) <= _MOST_LABEL_CHARACTERS and _LABEL.fullmatch(name) is not None


def qualified_name_problems(name: str) -> list[str]:
    """What is wrong with the name of a Task or Pipeline that is referred to."""
    prefix, slash, rest = name.rpartition("/")
    if prefix.count("/"):
        return [_whole_key_rule()]
    problems = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash and not _SUBDOMAIN.fullmatch(prefix):
        problems.append(f"prefix part {_SUBDOMAIN_RULE}")
    if not rest:
        problems.append("name part must be non-empty")
    elif len(rest) > _MOST_LABEL_CHARACTERS:
        problems.append("name part must be no more than 63 bytes")
    if not _QUALIFIED.fullmatch(rest):
        problems.append(f"name part {_QUALIFIED_RULE}")
    return problems


def check_name(name: str) -> Iterator[FieldError]:
    """Tekton's own rule for the names of its objects."""
    if len(name) > MOST_NAME_CHARACTERS:
        yield FieldError(
            "Invalid resource name: length must be no more than 63 characters", ("metadata.name",)
        )


def check_texts(kind: str, version: str, metadata: Mapping[str, Any]) -> Refusal | None:
    """What the server refuses before anybody else sees the object: labels that are no texts."""
    for field in ("annotations", "labels"):
        for value in (metadata.get(field) or {}).values():
            if not isinstance(value, str):
                found = {bool: "bool", list: "array", dict: "object"}.get(type(value), "number")
                return Refusal(
                    400,
                    "BadRequest",
                    f'{kind} in version "{version}" cannot be handled as a {kind}: json: cannot '
                    f"unmarshal {found} into Go struct field ObjectMeta.{field} of type string",
                )
    return None


def check_metadata(
    kind: str, name: str, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> Refusal | None:
    """The rules of Kubernetes for the metadata of any object."""
    problems = [f"metadata.name: {it}" for it in _name_problems(name)]
    for key, value in sorted(labels.items()):
        problems += [
            f'metadata.labels: Invalid value: "{key}": {it}' for it in _label_key_problems(key)
        ]
        problems += [
            f'metadata.labels: Invalid value: "{value}": {it}' for it in _label_problems(value)
        ]
    if sum(len(key) + len(value) for key, value in annotations.items()) > _MOST_ANNOTATION_BYTES:
        problems.append("metadata.annotations: Too long: may not be more than 262144 bytes")
    if not problems:
        return None
    text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
    return Refusal(422, "Invalid", f'{kind}.tekton.dev "{name}" is invalid: {text}')


def _name_problems(name: str) -> Iterator[str]:
    if not name:
        yield "Required value: name or generateName is required"
        return
    if len(name) > _MOST_SUBDOMAIN_CHARACTERS:
        yield f'Invalid value: "{name}": must be no more than 253 characters'
    if not _SUBDOMAIN.fullmatch(name):
        yield f'Invalid value: "{name}": {_SUBDOMAIN_RULE}'


def _label_key_problems(key: str) -> list[str]:
    problems = qualified_name_problems(key)
    return [it.replace("a qualified name", "a valid label key") for it in problems]


def _label_problems(value: str) -> Iterator[str]:
    if len(value) > _MOST_LABEL_CHARACTERS:
        yield "must be no more than 63 bytes"
    if value and not _QUALIFIED.fullmatch(value):
        yield _LABEL_VALUE_RULE


def _whole_key_rule() -> str:
    return (
        f"a qualified name {_QUALIFIED_RULE} with an optional DNS subdomain prefix and '/' "
        "(e.g. 'example.com/MyName')"
    )
