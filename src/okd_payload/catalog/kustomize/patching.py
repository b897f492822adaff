# SPDX-License-Identifier: Apache-2.0
"""Patches applied to the objects that they mean.

A patch that cannot be applied to one object is an issue; that object stays as it was, and the
other objects are patched all the same.
"""

from __future__ import annotations

from typing import Any

from okd_payload.catalog.kustomize import codes
from okd_payload.catalog.kustomize.findings import Findings
from okd_payload.catalog.kustomize.identity import Identity, identity_of
from okd_payload.catalog.kustomize.json_patch import PatchFailed, apply_operations
from okd_payload.catalog.kustomize.merge_keys import merge_keys
from okd_payload.catalog.kustomize.patches import Patch
from okd_payload.catalog.kustomize.resource import ReplacedList, Resource
from okd_payload.catalog.kustomize.selectors import InvalidTarget, select
from okd_payload.catalog.kustomize.strategic_merge import MergeFailed, merge

_ALLOW_NAME_CHANGE = "allowNameChange"
_ALLOW_KIND_CHANGE = "allowKindChange"


def apply_patch(resources: list[Resource], patch: Patch, findings: Findings) -> list[Resource]:
    """``resources`` after ``patch``; one that it deletes is no longer there."""
    meant = _meant_by(patch, resources, findings)
    found = []
    for resource in resources:
        changed = _patched(resource, patch, findings) if id(resource) in meant else resource
        if changed is not None:
            found.append(changed)
    return found


def _meant_by(patch: Patch, resources: list[Resource], findings: Findings) -> set[int]:
    file, line = patch.place.file, patch.place.line
    if patch.target is None:
        wanted = identity_of(patch.merged)
        meant = [each for each in resources if _is_called(each, wanted)]
        if len(meant) == 1:
            return {id(meant[0])}
        findings.add(
            codes.PATCH_WITHOUT_TARGET,
            f"{len(meant) or 'no'} objects are {wanted}, which the patch is for",
            file=file,
            line=line,
            hint="patches name kind, API version, namespace and name; or give the patch a target",
        )
        return set()
    try:
        meant = [each for each in resources if select(each, patch.target)]
    except InvalidTarget as error:
        findings.add(codes.INVALID_KUSTOMIZATION, str(error), file=file, line=line)
        return set()
    if not meant:
        findings.add(
            codes.UNMATCHED_PATCH, "the target of the patch selects no object", file=file, line=line
        )
    return {id(each) for each in meant}


def _is_called(resource: Resource, wanted: Identity) -> bool:
    return any(identity.is_same(wanted) for identity in resource.identities)


def _patched(resource: Resource, patch: Patch, findings: Findings) -> Resource | None:
    try:
        if patch.operations:
            value = apply_operations(resource.value, patch.operations)
            _check_names(value)
            return resource.touched(value, patch.place)
        return _merged(resource, patch)
    except (PatchFailed, MergeFailed) as error:
        findings.add(
            codes.FAILED_PATCH,
            f"{resource.identity}: {error}",
            file=patch.place.file,
            line=patch.place.line,
            hint=f"the object comes from {resource.source.path}",
        )
        return resource


def _check_names(value: Any) -> None:
    identity = identity_of(value)
    if not identity.kind or not identity.name:
        raise PatchFailed("it leaves no kind or no name")


def _merged(resource: Resource, patch: Patch) -> Resource | None:
    before = resource.identity
    result = merge(resource.value, patch.merged, merge_keys(before.api_version, before.kind))
    if result.value is None:
        return None
    value = dict(result.value)
    after = identity_of(value)
    if _ALLOW_KIND_CHANGE not in patch.options:
        value["kind"] = before.kind
    _put(value, "apiVersion", before.api_version)
    metadata = dict(value["metadata"])
    if _ALLOW_NAME_CHANGE not in patch.options or not after.name:
        metadata["name"] = before.name
    _put(metadata, "namespace", before.namespace)
    value["metadata"] = metadata
    replaced = tuple(
        ReplacedList(each.field, each.lost, each.replacement, patch.place)
        for each in result.replaced
    )
    return resource.touched(value, patch.place, replaced)


def _put(mapping: dict[str, Any], name: str, text: str) -> None:
    """Keep what identifies an object as it was: ``text``, or absent."""
    if text:
        mapping[name] = text
    else:
        mapping.pop(name, None)
