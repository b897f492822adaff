# SPDX-License-Identifier: Apache-2.0
"""Names that follow: what refers to an object by name learns its new one.

Done once, at the end, over all objects together. Whom a field refers to is looked up by every
name that an object ever had, among the kinds that the table gives, in the same namespace; of
several the one that got the same prefixes and suffixes is meant.
"""

from __future__ import annotations

from typing import Any

import msgspec

from okd_payload.catalog.kustomize import codes
from okd_payload.catalog.kustomize.field_specs import change_field
from okd_payload.catalog.kustomize.findings import Findings
from okd_payload.catalog.kustomize.reference_table import REFERENCES, Reference
from okd_payload.catalog.kustomize.resource import Resource

_ROLE_REFERENCE = ("roleRef", "name")


class _Ambiguous(ValueError):
    """Several objects that a name may mean."""


def follow_names(resources: list[Resource], findings: Findings) -> list[Resource]:
    """``resources`` with the names of others in them brought up to date."""
    renamed = [each for each in resources if each.previous]
    if not renamed:
        return resources
    return [_followed(resource, renamed, findings) for resource in resources]


def _followed(resource: Resource, renamed: list[Resource], findings: Findings) -> Resource:
    value, identity = resource.value, resource.identity
    for reference in REFERENCES:
        if not reference.field.fits(identity):
            continue
        candidates = [each for each in renamed if _was(each, reference)]
        if not candidates:
            continue
        lookup = _Lookup(resource, reference, candidates)
        try:
            value = change_field(value, reference.field.path, lookup.change)
        except _Ambiguous as error:
            findings.add(
                codes.AMBIGUOUS_NAME,
                f"{identity}: {'.'.join(reference.field.path)}: {error}",
                file=resource.source.path,
                line=resource.source.line_of(()),
            )
    return resource.with_value(value)


def _was(resource: Resource, reference: Reference) -> bool:
    return any(reference.target.fits(each) for each in resource.previous)


class _Lookup(msgspec.Struct, frozen=True):
    """Finds whom one field of one object refers to."""

    referrer: Resource
    reference: Reference
    candidates: list[Resource]

    def change(self, value: Any) -> Any:
        """What the field holds when names have followed."""
        if isinstance(value, list):
            return [self.change(item) for item in value]
        if isinstance(value, dict):
            return self._change_mapping(value)
        if not isinstance(value, str):
            return value
        meant = self._find(value, [each for each in self.candidates if self._is_near(each)])
        return value if meant is None else meant.identity.name

    def _change_mapping(self, value: dict[str, Any]) -> dict[str, Any]:
        name = value.get("name")
        if not isinstance(name, str):
            return value
        if "namespace" in value:
            namespace = value["namespace"]
            before = [e for e in self.candidates if e.identities[0].namespace == namespace]
            now = [e for e in self.candidates if e.identity.namespace == namespace]
            candidates = before or now
        else:
            candidates = [each for each in self.candidates if self._is_near(each)]
        meant = self._find(name, candidates, in_namespace=True)
        if meant is None:
            return value
        changed = {**value, "name": meant.identity.name}
        if meant.identity.namespace:
            changed["namespace"] = meant.identity.namespace
        return changed

    def _find(
        self, name: str, candidates: list[Resource], *, in_namespace: bool = False
    ) -> Resource | None:
        """The one of ``candidates`` that ``name`` means; with its namespace if that is told."""
        found = [
            each
            for each in candidates
            if any(identity.name == name for identity in each.previous)
            and self._is_role_meant(each)
        ]
        if len(found) > 1:
            found = [each for each in found if _has_same_affixes(each, self.referrer)]
        if not found:
            return None
        names = {
            (each.identity.name, each.identity.namespace if in_namespace else "") for each in found
        }
        if len(names) > 1:
            meant = " or ".join(str(each.identity) for each in found)
            raise _Ambiguous(f"{name!r} may mean {meant}")
        return found[0]

    def _is_role_meant(self, candidate: Resource) -> bool:
        """Whether the kind that a role reference gives is that of ``candidate``."""
        if self.reference.field.path[-2:] != _ROLE_REFERENCE:
            return True
        role = self.referrer.value.get("roleRef")
        if not isinstance(role, dict) or not role.get("kind") or not role.get("apiGroup"):
            return True
        return any(
            each.kind == role["kind"] and each.group == role["apiGroup"]
            for each in candidate.previous
        )

    def _is_near(self, candidate: Resource) -> bool:
        """Whether a name without namespace may mean ``candidate``."""
        own, other = self.referrer.identity, candidate.identity
        return (
            own.is_cluster_scoped
            or other.is_cluster_scoped
            or own.effective_namespace == other.effective_namespace
        )


def _has_same_affixes(left: Resource, right: Resource) -> bool:
    return left.prefixes == right.prefixes and left.suffixes == right.suffixes
