# SPDX-License-Identifier: Apache-2.0
"""All that is wrong with the custom resource definitions of a release."""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.issues import Issue
from okd_payload.release.lint.crd.defaults import check_defaults
from okd_payload.release.lint.crd.definition import Finding, check_definition, versions_of
from okd_payload.release.lint.crd.schema import check_schema
from okd_payload.release.lint.fields import map_at
from okd_payload.release.lint.subject import CheckedObject, Subject

_KIND = "CustomResourceDefinition"
_API_VERSION = "apiextensions.k8s.io/v1"
_HINTS = {
    "invalid-crd": "the API server refuses it, and the update stops there",
    "invalid-crd-schema": "the API server refuses it: generate the schema anew",
    "unknown-schema-keyword": "remove it, or correct its spelling",
    "invalid-crd-default": "the API server refuses it: correct the default or the schema",
    "invalid-printer-column": "the API server refuses it: paths look like .spec.field",
    "invalid-crd-conversion": "the API server refuses it, and the update stops there",
}


def check_definitions(subject: Subject) -> Iterator[Issue]:
    """Every definition of version v1; older versions are no longer served anywhere."""
    for item in subject.of_kind(_KIND, "apiextensions.k8s.io"):
        if item.api_version == _API_VERSION:
            for code, message in _findings(item):
                yield item.issue(code, message, hint=_HINTS[code.code])


def _findings(item: CheckedObject) -> Iterator[Finding]:
    yield from check_definition(item.value)
    for version in versions_of(map_at(item.value, "spec")):
        schema = map_at(version, "schema", "openAPIV3Schema")
        if schema:
            yield from check_schema(schema)
            yield from check_defaults(schema)
