# SPDX-License-Identifier: Apache-2.0
"""Deleting objects: preconditions, grace periods, finalizers, and what is answered."""

from __future__ import annotations

from okd_payload.testing.kubernetes.admission import Operation
from okd_payload.testing.kubernetes.documents import JsonObject, metadata_of, uid_of
from okd_payload.testing.kubernetes.garbage import (
    FOREGROUND,
    ORPHAN,
    begin,
    delete_owned,
    empty_namespace,
    finish,
    orphan_owned,
)
from okd_payload.testing.kubernetes.preparation import admission_request, validate
from okd_payload.testing.kubernetes.reading import list_objects
from okd_payload.testing.kubernetes.requests import (
    DeleteOptions,
    ListOptions,
    Propagation,
    Target,
    WriteOptions,
)
from okd_payload.testing.kubernetes.state import State
from okd_payload.testing.kubernetes.statuses import conflict, not_found, success
from okd_payload.testing.kubernetes.store import Key

_ANSWERED_WHOLE = frozenset({"pods"})
"""Resources whose deletion is answered with the object although it is gone."""


def delete(state: State, target: Target, options: DeleteOptions) -> JsonObject:
    """Begin to delete the object: its last state while something holds it, a Status when gone.

    Raises Refusal.
    """
    key = Key(target.resource.name, target.namespace, target.name)
    stored = state.store.find(key)
    if stored is None:
        raise not_found(target.resource, target.name)
    before = stored.document
    _check_preconditions(target, before, options)
    request = admission_request(
        state,
        target,
        Operation.DELETE,
        WriteOptions(user=options.user, dry_run=options.dry_run),
        name=target.name,
        old=before,
        warnings=[],
    )
    validate(state, before, request)
    if options.dry_run:
        return success(target.resource, target.name, uid_of(before))
    document = _delete(state, key, options)
    if state.store.find(key) is None and target.resource.name not in _ANSWERED_WHOLE:
        return success(target.resource, target.name, uid_of(before))
    return state.convert(document, target)


def delete_collection(
    state: State, target: Target, selection: ListOptions, options: DeleteOptions
) -> JsonObject:
    """Delete all objects that are chosen; the list of them as they were."""
    found = list_objects(state, target, selection)
    for document in found["items"]:
        name = metadata_of(document)["name"]
        namespace = metadata_of(document).get("namespace", "")
        key = Key(target.resource.name, namespace, name)
        if not options.dry_run and state.store.find(key) is not None:
            _delete(state, key, options)
    return found


def _delete(state: State, key: Key, options: DeleteOptions) -> JsonObject:
    stored = state.store.find(key)
    assert stored is not None
    uid = uid_of(stored.document)
    finalizers = metadata_of(stored.document).get("finalizers") or []
    propagation = options.propagation
    if propagation is None and ORPHAN in finalizers:
        propagation = Propagation.ORPHAN
    if propagation is Propagation.ORPHAN:
        orphan_owned(state, uid)
    # A namespace owns nothing by reference: what is in it goes first in any case.
    if propagation is Propagation.FOREGROUND and key.resource != "namespaces":
        document = begin(state, key, finalizers=[FOREGROUND], grace=options.grace_seconds)
        delete_owned(state, uid)
        finish(state, key)
        return document
    document = begin(state, key, grace=options.grace_seconds)
    if key.resource == "namespaces":
        empty_namespace(state, key.name)
    return document


def _check_preconditions(target: Target, before: JsonObject, options: DeleteOptions) -> None:
    metadata = metadata_of(before)
    if options.uid and options.uid != metadata.get("uid"):
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record "
            f"({metadata.get('uid')}). The object might have been deleted and then recreated"
        )
        raise conflict(target.resource, target.name, why, by_kind=True)
    if options.revision and options.revision != metadata.get("resourceVersion"):
        why = (
            f"the ResourceVersion in the precondition ({options.revision}) does not match the "
            f"ResourceVersion in record ({metadata.get('resourceVersion')}). "
            "The object might have been modified"
        )
        raise conflict(target.resource, target.name, why, by_kind=True)
