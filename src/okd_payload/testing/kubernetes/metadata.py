# SPDX-License-Identifier: Apache-2.0
"""The rules for names, labels, annotations and owners, with the texts of the API server.

They are those of ``k8s.io/apimachinery/pkg/util/validation`` and ``pkg/api/validation``, and are
held against the transcripts of a real server with everything else here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from okd_payload.testing.kubernetes.documents import JsonObject, metadata_of
from okd_payload.testing.kubernetes.statuses import (
    Cause,
    Refusal,
    bad_request,
    invalid_value,
    required,
    too_long,
)

MOST_ANNOTATIONS = 262_144
"""Bytes that keys and values of all annotations may have together."""
_MOST_NAME = 253
_MOST_LABEL = 63
_MOST_GENERATED = 58
"""A longer ``generateName`` is cut, so that a name has no more than 63 characters."""

_LABEL_EXPRESSION = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_EXPRESSION = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_QUALIFIED_EXPRESSION = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE_EXPRESSION = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_LABEL = re.compile(_LABEL_EXPRESSION)
_SUBDOMAIN = re.compile(_SUBDOMAIN_EXPRESSION)
_QUALIFIED = re.compile(_QUALIFIED_EXPRESSION)
_VALUE = re.compile(_VALUE_EXPRESSION)

_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    f"for validation is '{_LABEL_EXPRESSION}')"
)
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{_SUBDOMAIN_EXPRESSION}')"
)
_NAME_PART_WORDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{_QUALIFIED_EXPRESSION}')"
)
_KEY_WORDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{_QUALIFIED_EXPRESSION}') with an optional DNS subdomain prefix and '/' "
    "(e.g. 'example.com/MyName')"
)
_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    f"or '12345', regex used for validation is '{_VALUE_EXPRESSION}')"
)

_LABEL_NAMES = frozenset({"namespaces", "services"})
"""Resources whose names are DNS labels; the others take DNS subdomains."""
_PATH_NAMES = frozenset(
    {
        "roles.rbac.authorization.k8s.io",
        "rolebindings.rbac.authorization.k8s.io",
        "clusterroles.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
        "imagestreams.image.openshift.io",
        "imagestreamtags.image.openshift.io",
        "imagestreamimages.image.openshift.io",
    }
)
"""Resources whose names may be anything that can be a part of a path."""
_MAPS = ("labels", "annotations")
_TEXTS = ("name", "namespace", "generateName", "uid", "resourceVersion")
_JSON_TYPES: dict[type, str] = {bool: "bool", int: "number", float: "number", list: "array"}

KNOWN_FIELDS = frozenset(
    {
        *_MAPS,
        *_TEXTS,
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generation",
        "managedFields",
        "ownerReferences",
        "selfLink",
    }
)
"""All fields that metadata can have."""


def check_types(document: JsonObject, version: str) -> None:
    """Refuse metadata that Go could not decode, in Go's words."""
    kind = document.get("kind", "")
    for name, value in metadata_of(document).items():
        wrong = _wrong_type(name, value)
        if wrong:
            raise decoding_error(str(kind), version, f"json: cannot unmarshal {wrong}")


def decoding_error(kind: str, version: str, why: str) -> Refusal:
    """The object cannot be decoded as what it says it is."""
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


def metadata_problems(document: JsonObject, resource: str) -> Iterator[Cause]:
    """Everything that the metadata of an object of ``resource`` breaks."""
    metadata = metadata_of(document)
    name, base = metadata.get("name", ""), metadata.get("generateName", "")
    if base:
        # What comes behind the last dash is made up, and right.
        whole = f"{base[:-2]}a" if len(base) > 1 and base.endswith("-") else base
        for why in name_problems(whole, resource):
            yield invalid_value("metadata.generateName", base, why)
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        for why in name_problems(name, resource):
            yield invalid_value("metadata.name", name, why)
    yield from label_problems(metadata.get("labels") or {}, "metadata.labels")
    yield from annotation_problems(metadata.get("annotations") or {}, "metadata.annotations")
    for number, owner in enumerate(metadata.get("ownerReferences") or []):
        yield from _owner_problems(owner, f"metadata.ownerReferences[{number}]")
    for finalizer in metadata.get("finalizers") or []:
        for why in key_problems(finalizer):
            yield invalid_value("metadata.finalizers", finalizer, why)


def name_problems(name: str, resource: str) -> Iterator[str]:
    """What keeps ``name`` from naming an object of ``resource``."""
    if resource in _PATH_NAMES:
        if name in (".", ".."):
            yield f"may not be '{name}'"
        for part in ("/", "%"):
            if part in name:
                yield f"may not contain '{part}'"
    elif resource in _LABEL_NAMES:
        yield from label_name_problems(name)
    else:
        yield from subdomain_problems(name)


def subdomain_problems(name: str) -> Iterator[str]:
    """What keeps ``name`` from being a DNS subdomain."""
    if len(name) > _MOST_NAME:
        yield f"must be no more than {_MOST_NAME} characters"
    if not _SUBDOMAIN.fullmatch(name):
        yield _SUBDOMAIN_WORDS


def label_name_problems(name: str) -> Iterator[str]:
    """What keeps ``name`` from being a DNS label."""
    if len(name) > _MOST_LABEL:
        yield f"must be no more than {_MOST_LABEL} bytes"
    if not _LABEL.fullmatch(name):
        yield _LABEL_WORDS


def label_problems(labels: dict[str, str], field: str) -> Iterator[Cause]:
    """What labels break, keys in order and each before its value."""
    for key, value in sorted(labels.items()):
        for why in key_problems(key):
            yield invalid_value(field, key, why)
        for why in label_value_problems(value):
            yield invalid_value(field, value, why)


def label_value_problems(value: str) -> Iterator[str]:
    """What keeps ``value`` from being the value of a label."""
    if len(value) > _MOST_LABEL:
        yield f"must be no more than {_MOST_LABEL} bytes"
    if not _VALUE.fullmatch(value):
        yield _VALUE_WORDS


def annotation_problems(annotations: dict[str, str], field: str) -> Iterator[Cause]:
    """What annotations break."""
    for key in sorted(annotations):
        for why in key_problems(key.lower()):
            yield invalid_value(field, key, why)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > MOST_ANNOTATIONS:
        yield too_long(field, MOST_ANNOTATIONS)


def key_problems(key: str) -> Iterator[str]:
    """What keeps ``key`` from being a qualified name: ``name`` or ``prefix/name``."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        yield f"a valid label key {_KEY_WORDS}"
        return
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash:
        for why in subdomain_problems(prefix):
            yield f"prefix part {why}"
    if not name:
        yield "name part must be non-empty"
    elif len(name) > _MOST_LABEL:
        yield f"name part must be no more than {_MOST_LABEL} bytes"
    if not _QUALIFIED.fullmatch(name):
        yield f"name part {_NAME_PART_WORDS}"


def cut_base(base: str) -> str:
    """``generateName`` as it is before a suffix is appended."""
    return base[:_MOST_GENERATED]


def _owner_problems(owner: JsonObject, field: str) -> Iterator[Cause]:
    for name in ("apiVersion", "kind", "name", "uid"):
        if not owner.get(name):
            what = "must not be empty"
            yield invalid_value(f"{field}.{name}", owner.get(name, ""), what)


def _wrong_type(name: str, value: Any) -> str:
    """What Go says of a value of the wrong type; empty when it is right."""
    if value is None:
        return ""
    if name in _TEXTS and not isinstance(value, str):
        return f"{_json_type(value)} into Go struct field ObjectMeta.{name} of type string"
    if name not in _MAPS:
        return ""
    if not isinstance(value, dict):
        kind = "map[string]string"
        return f"{_json_type(value)} into Go struct field ObjectMeta.{name} of type {kind}"
    wrong = next((each for each in value.values() if not isinstance(each, str | None)), None)
    if wrong is None:
        return ""
    return f"{_json_type(wrong)} into Go struct field ObjectMeta.{name} of type string"


def _json_type(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    return _JSON_TYPES.get(type(value), "object")
