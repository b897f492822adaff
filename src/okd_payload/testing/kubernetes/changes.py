# SPDX-License-Identifier: Apache-2.0
"""Changing objects: replacing them whole, patching them, and their status apart from the rest.

A change that changes nothing is none: the resource version stays and nobody is told.
"""

from __future__ import annotations

from okd_payload.testing.kubernetes.admission import Operation
from okd_payload.testing.kubernetes.creation import COUNTED
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    metadata_of,
    name_of,
    revision_of,
    uid_of,
    with_metadata,
)
from okd_payload.testing.kubernetes.fields import changed_by
from okd_payload.testing.kubernetes.garbage import remove
from okd_payload.testing.kubernetes.patches import patched
from okd_payload.testing.kubernetes.preparation import (
    admission_request,
    check_place,
    check_rules,
    check_size,
    decode,
    mutate,
    validate,
)
from okd_payload.testing.kubernetes.requests import Answer, PatchType, Target, WriteOptions
from okd_payload.testing.kubernetes.rules import change_problems
from okd_payload.testing.kubernetes.state import State
from okd_payload.testing.kubernetes.statuses import (
    bad_request,
    conflict,
    invalid,
    invalid_object,
    invalid_value,
    modified,
    not_found,
)
from okd_payload.testing.kubernetes.store import Key

_GIVEN_BY_THE_SERVER = (
    "name",
    "namespace",
    "uid",
    "generateName",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "selfLink",
)


def replace(state: State, target: Target, document: JsonObject, options: WriteOptions) -> Answer:
    """Put ``document`` in the place of the object. Raises Refusal."""
    warnings: list[str] = []
    before = state.find(target.resource.name, target.namespace, target.name)
    document = decode(
        state,
        target,
        document,
        options,
        warnings=warnings,
        before=state.convert(before, target) if before else None,
    )
    document = check_place(target, document)
    if name_of(document) != target.name:
        raise bad_request(
            f"the name of the object ({name_of(document)}) does not match the name on the URL "
            f"({target.name})"
        )
    return replace_with(state, target, document, options, warnings=warnings)


def patch(
    state: State, target: Target, kind: PatchType, content: object, *, options: WriteOptions
) -> Answer:
    """Change the object by a patch. Raises Refusal."""
    stored = state.store.find(_key(target))
    if stored is None:
        raise not_found(target.resource, target.name)
    current = state.convert(stored.document, target)
    changed = patched(current, kind, content, state.schema(target))
    warnings: list[str] = []
    document = decode(state, target, changed, options, warnings=warnings, before=current)
    document = check_place(target, document)
    return replace_with(state, target, document, options, warnings=warnings)


def replace_with(
    state: State,
    target: Target,
    document: JsonObject,
    options: WriteOptions,
    *,
    warnings: list[str],
    managed: list[JsonObject] | None = None,
) -> Answer:
    """``replace`` for an object that is understood already; apply knows who owns its fields."""
    key = _key(target)
    stored = state.store.find(key)
    if stored is None:
        raise not_found(target.resource, target.name)
    before = state.convert(stored.document, target)
    _check_identity(target, before, document)
    document = _changed_part(target, before, document)
    request = admission_request(
        state,
        target,
        Operation.UPDATE,
        options,
        name=target.name,
        old=before,
        warnings=warnings,
    )
    document = mutate(state, document, request)
    document = _with_server_fields(target, before, document)
    check_rules(state, target, document, before=before)
    problems = list(change_problems(before, document))
    if problems:
        raise invalid_object(target.resource, target.name, problems)
    validate(state, document, request)
    if managed is None:
        managed = changed_by(
            before,
            document,
            state.schema(target),
            manager=options.manager,
            stamp=state.stamp(),
            subresource=target.subresource,
        )
    document = with_metadata(document, managedFields=managed or None)
    if document == before or options.dry_run:
        return Answer(document=document, warnings=tuple(warnings))
    kept = state.convert(document, target, target.resource.storage)
    check_size(kept)
    if _release(state, key, document, kept):
        return Answer(document=document, warnings=tuple(warnings))
    after = state.store.put(key, kept)
    return Answer(document=state.convert(after.document, target), warnings=tuple(warnings))


def _release(state: State, key: Key, document: JsonObject, kept: JsonObject) -> bool:
    """Whether the change took away the last thing that held an object that is being deleted."""
    metadata = metadata_of(document)
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    if metadata.get("deletionGracePeriodSeconds") or key.resource == "namespaces":
        return False
    remove(state, key, kept)
    return True


def _check_identity(target: Target, before: JsonObject, document: JsonObject) -> None:
    revision, uid = revision_of(document), uid_of(document)
    if uid and uid != uid_of(before):
        place = f"{target.namespace}/" if target.resource.namespaced else ""
        group = f"{target.resource.group}/" if target.resource.group else ""
        raise conflict(
            target.resource,
            target.name,
            "StorageError: invalid object, Code: 4, "
            f"Key: /registry/{group}{target.resource.plural}/{place}{target.name}, "
            "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: "
            f"UID in precondition: {uid}, UID in object meta: {uid_of(before)}",
        )
    if not revision:
        if target.resource.custom:
            why = "must be specified for an update"
            cause = invalid_value("metadata.resourceVersion", 0, why)
            resource = target.resource
            raise invalid(resource.plural, resource.group, target.name, [cause])
        return
    if revision != revision_of(before):
        raise modified(target.resource, target.name)


def _changed_part(target: Target, before: JsonObject, document: JsonObject) -> JsonObject:
    """What this request may change: the status, or everything else."""
    if target.subresource == "status":
        changed = {name: value for name, value in before.items() if name != "status"}
        if "status" in document:
            changed["status"] = document["status"]
        return changed
    if target.resource.has_status:
        document = {name: value for name, value in document.items() if name != "status"}
        if "status" in before:
            document["status"] = before["status"]
    return document


def _with_server_fields(target: Target, before: JsonObject, document: JsonObject) -> JsonObject:
    """``document`` with the metadata that only the server gives."""
    metadata = metadata_of(before)
    given = {name: metadata.get(name) for name in _GIVEN_BY_THE_SERVER}
    document = with_metadata(document, **given, resourceVersion=revision_of(before))
    counted = target.resource.custom or target.resource.name in COUNTED
    if counted and _counted_part(document) != _counted_part(before):
        document = with_metadata(document, generation=(metadata.get("generation") or 0) + 1)
    return document


def _counted_part(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name not in ("metadata", "status")}


def _key(target: Target) -> Key:
    return Key(target.resource.name, target.namespace, target.name)
