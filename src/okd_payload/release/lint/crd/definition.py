# SPDX-License-Identifier: Apache-2.0
"""A custom resource definition outside of its schemas: names, versions, columns, conversion.

Rules: ``apiextensions.k8s.io/v1``. The API server refuses the whole object for any of this, and an
operator with such an object in its payload never gets past it. What is no mapping where one is
needed counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from okd_payload.issues import IssueCode
from okd_payload.release.lint import codes
from okd_payload.release.lint.crd.json_path import find_problem
from okd_payload.release.lint.fields import list_at, map_at, maps_at, text_at

Finding = tuple[IssueCode, str]
"""A kind of issue, and what is wrong; the object's name goes before it."""

_LABEL = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_COLUMN_TYPES = ("integer", "number", "string", "boolean", "date")
_COLUMN_FORMATS = frozenset(
    {"", "int32", "int64", "float", "double", "byte", "date", "date-time", "password"}
)
_REVIEWS = frozenset({"v1", "v1beta1"})


def check_definition(value: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that is wrong with the definition ``value`` but for its schemas."""
    spec = map_at(value, "spec")
    if not spec:
        yield codes.INVALID_CRD, "has no spec"
        return
    yield from _check_names(str(map_at(value, "metadata").get("name")), spec)
    yield from _check_versions(spec)
    yield from _check_conversion(map_at(spec, "conversion"))
    for version in versions_of(spec):
        for column in maps_at(version, "additionalPrinterColumns"):
            yield from _check_column(str(version.get("name")), column)
        yield from _check_scale(str(version.get("name")), version)


def versions_of(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The versions that are mappings; what else stands there is an issue already."""
    return maps_at(spec, "versions")


def _check_names(name: str, spec: Mapping[str, Any]) -> Iterator[Finding]:
    names, group = map_at(spec, "names"), spec.get("group")
    if not isinstance(group, str) or not _DOMAIN.fullmatch(group):
        yield codes.INVALID_CRD, f"has the group {group!r}, which is no domain with a dot"
    for field, text in _names_in(names):
        if not _is_label(text.lower() if field.lower().endswith("kind") else text):
            yield codes.INVALID_CRD, f"has {text!r} as {field}, which is no name"
    for field in ("plural", "kind"):
        if field not in names:
            yield codes.INVALID_CRD, f"has no {field} in its names"
    if "kind" in names and names["kind"] == names.get("listKind"):
        yield codes.INVALID_CRD, "has the same kind and listKind"
    wanted = f"{names.get('plural')}.{group}"
    if "plural" in names and group and name != wanted:
        yield codes.INVALID_CRD, f"must be called {wanted}, after its plural and group"
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        yield codes.INVALID_CRD, f"has the scope {spec.get('scope')!r}: Cluster or Namespaced"


def _names_in(names: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every name that is given, with its field."""
    for field in ("plural", "singular", "kind", "listKind"):
        if names.get(field) is not None:
            yield field, str(names[field])
    for field in ("shortNames", "categories"):
        for text in list_at(names, field):
            yield field, str(text)


def _check_versions(spec: Mapping[str, Any]) -> Iterator[Finding]:
    versions = versions_of(spec)
    if not versions:
        yield codes.INVALID_CRD, "has no versions"
        return
    names = [str(version.get("name")) for version in versions]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield codes.INVALID_CRD, f"has the version {name} more than once"
    for version in versions:
        yield from _check_version(version)
    stored = [str(version.get("name")) for version in versions if version.get("storage") is True]
    if len(stored) != 1:
        told = f"{' and '.join(stored)} are" if stored else "none is"
        yield codes.INVALID_CRD, f"must have one version with storage: true, and {told}"
    if spec.get("preserveUnknownFields") is True:
        yield (
            codes.INVALID_CRD,
            "has preserveUnknownFields: true, which apiextensions.k8s.io/v1 does not allow",
        )


def _check_version(version: Mapping[str, Any]) -> Iterator[Finding]:
    name = version.get("name")
    if not _is_label(name):
        yield codes.INVALID_CRD, f"has a version called {name!r}, which is no lower-case name"
    for field in ("served", "storage"):
        if not isinstance(version.get(field), bool):
            yield codes.INVALID_CRD, f"version {name} does not say whether it is {field}"
    if not map_at(version, "schema", "openAPIV3Schema"):
        yield codes.INVALID_CRD, f"version {name} has no schema.openAPIV3Schema"


def _check_conversion(conversion: Mapping[str, Any]) -> Iterator[Finding]:
    strategy, webhook = conversion.get("strategy", "None"), map_at(conversion, "webhook")
    if strategy not in ("None", "Webhook"):
        yield codes.INVALID_CRD_CONVERSION, f"has the conversion strategy {strategy!r}"
    elif strategy == "None":
        if webhook:
            yield (
                codes.INVALID_CRD_CONVERSION,
                "has a conversion webhook and not the strategy Webhook",
            )
    else:
        yield from _check_webhook(webhook)


def _check_webhook(webhook: Mapping[str, Any]) -> Iterator[Finding]:
    client = map_at(webhook, "clientConfig")
    if ("url" in client) == ("service" in client):
        yield (
            codes.INVALID_CRD_CONVERSION,
            "must have either url or service in conversion.webhook.clientConfig",
        )
    if "url" in client and not str(client["url"]).startswith("https://"):
        yield codes.INVALID_CRD_CONVERSION, f"has the conversion URL {client['url']!r}: use https"
    if "service" in client:
        service = map_at(client, "service")
        for field in ("name", "namespace"):
            if not service.get(field):
                yield codes.INVALID_CRD_CONVERSION, f"has no {field} of its conversion service"
    if _REVIEWS.isdisjoint(map(str, list_at(webhook, "conversionReviewVersions"))):
        yield (
            codes.INVALID_CRD_CONVERSION,
            "has neither v1 nor v1beta1 in conversion.webhook.conversionReviewVersions",
        )


def _check_column(version: str, column: Mapping[str, Any]) -> Iterator[Finding]:
    name, kind, path = (column.get(field) for field in ("name", "type", "jsonPath"))
    where = f"column {name} of version {version}"
    if not name:
        yield codes.INVALID_PRINTER_COLUMN, f"has a column without a name in version {version}"
    if kind not in _COLUMN_TYPES:
        known = ", ".join(_COLUMN_TYPES)
        yield codes.INVALID_PRINTER_COLUMN, f"{where} has the type {kind!r}; known are {known}"
    if text_at(column, "format") not in _COLUMN_FORMATS:
        yield codes.INVALID_PRINTER_COLUMN, f"{where} has the format {column['format']!r}"
    problem = find_problem(path if isinstance(path, str) else "")
    if problem:
        yield codes.INVALID_PRINTER_COLUMN, f"{where} has the jsonPath {path!r}: {problem}"


def _check_scale(version: str, described: Mapping[str, Any]) -> Iterator[Finding]:
    scale = map_at(described, "subresources", "scale")
    wanted = {"specReplicasPath": ".spec.", "statusReplicasPath": ".status."} if scale else {}
    for field, prefix in wanted.items():
        path = scale.get(field)
        if not isinstance(path, str) or not path.startswith(prefix) or find_problem(path):
            yield codes.INVALID_CRD, f"version {version} has {path!r} as scale.{field}"


def _is_label(text: object) -> bool:
    return isinstance(text, str) and _LABEL.fullmatch(text) is not None
