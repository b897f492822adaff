# SPDX-License-Identifier: Apache-2.0
"""Owners and what they own: what goes when its owners are gone.

A real cluster's garbage collector needs a moment; this one acts within the request that makes
garbage, so that nobody has to wait for it. Order is as there: in the background the owner goes
first, in the foreground what it owns does.
"""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    list_at,
    metadata_of,
    object_at,
    text_at,
    uid_of,
    with_metadata,
)
from okd_payload.testing.kubernetes.state import State
from okd_payload.testing.kubernetes.store import Key, Stored

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_GRACE = 30


def remove(state: State, key: Key, last: JsonObject | None = None) -> None:
    """Take the object out of the store, then what it alone owned, then what waited for it."""
    gone = state.store.remove(key, last)
    if key.resource == "pods":
        state.logs.forget(gone.document)
    uid = uid_of(gone.document)
    for owned in list(state.owned(uid)):
        _drop_owner(state, owned, uid)
    for owner in list(_waiting_owners(state, gone.document)):
        finish(state, owner.key)
    if key.namespace:
        finish_namespace(state, key.namespace)


def begin(
    state: State, key: Key, *, finalizers: list[str] | None = None, grace: int | None = None
) -> JsonObject:
    """Mark the object as being deleted, and let it go when nothing holds it.

    ``finalizers`` are added to those it has; a pod that runs on a node is held until whoever
    plays its kubelet deletes it with a grace period of 0. Returns how it looks now, or last.
    """
    stored = state.store.find(key)
    assert stored is not None
    document = stored.document
    metadata = metadata_of(document)
    kept = list(dict.fromkeys([*(metadata.get("finalizers") or []), *(finalizers or [])]))
    seconds = _grace_period(document, grace) if key.resource == "pods" else 0
    before = metadata.get("deletionGracePeriodSeconds")
    if metadata.get("deletionTimestamp") and before is not None:
        seconds = min(seconds, before)
    changes: JsonObject = {
        "deletionTimestamp": metadata.get("deletionTimestamp") or state.stamp(),
        "deletionGracePeriodSeconds": seconds if key.resource != "namespaces" else None,
        "finalizers": kept or None,
    }
    if "generation" in metadata and not metadata.get("deletionTimestamp"):
        changes["generation"] = metadata["generation"] + 1
    marked = with_metadata(document, **changes)
    if key.resource == "namespaces":
        marked = {**marked, "status": {**object_at(marked, "status"), "phase": "Terminating"}}
    if not kept and not seconds and key.resource != "namespaces":
        remove(state, key, marked if key.resource == "pods" else None)
        return with_metadata(marked, resourceVersion=str(stored.revision))
    if marked != document:
        return state.store.put(key, marked).document
    return document


def finish(state: State, key: Key) -> bool:
    """Let an object go that is being deleted, when nothing holds it any longer."""
    stored = state.store.find(key)
    if stored is None or not metadata_of(stored.document).get("deletionTimestamp"):
        return False
    document, uid = stored.document, uid_of(stored.document)
    finalizers = list(metadata_of(document).get("finalizers") or [])
    if FOREGROUND in finalizers:
        if any(_blocks(each.document, uid) for each in state.owned(uid)):
            return False
        finalizers.remove(FOREGROUND)
        document = with_metadata(document, finalizers=finalizers or None)
        if finalizers:
            state.store.put(key, document)
            return False
    if finalizers or metadata_of(document).get("deletionGracePeriodSeconds"):
        return False
    if key.resource == "namespaces":
        return finish_namespace(state, key.name)
    remove(state, key, document)
    return True


def delete_owned(state: State, uid: str) -> None:
    """Begin to delete what an object owns that goes in the foreground."""
    for owned in list(state.owned(uid)):
        if state.store.find(owned.key) is not None and not _has_other_owner(state, owned, uid):
            begin(state, owned.key)


def orphan_owned(state: State, uid: str) -> None:
    """Let what an object owns stay without it."""
    for owned in list(state.owned(uid)):
        owners = [
            each
            for each in list_at(owned.document, "metadata", "ownerReferences")
            if each.get("uid") != uid
        ]
        state.store.put(owned.key, with_metadata(owned.document, ownerReferences=owners or None))


def collect_if_orphaned(state: State, stored: Stored) -> None:
    """Delete a new object whose owners are all gone, as the garbage collector would."""
    owners = list_at(stored.document, "metadata", "ownerReferences")
    if owners and not any(_exists(state, owner, stored.key.namespace) for owner in owners):
        begin(state, stored.key)


def finish_namespace(state: State, namespace: str) -> bool:
    """Let a namespace go that is being deleted, when it is empty."""
    key = Key("namespaces", "", namespace)
    stored = state.store.find(key)
    if stored is None or not text_at(stored.document, "metadata", "deletionTimestamp"):
        return False
    if any(state.store.count(each.name, namespace) for each in state.resources if each.namespaced):
        return False
    if metadata_of(stored.document).get("finalizers"):
        return False
    remove(state, key, {**stored.document, "spec": {}})
    return True


def empty_namespace(state: State, namespace: str) -> None:
    """Delete everything in a namespace."""
    for resource in list(state.resources):
        if resource.namespaced:
            for stored in state.store.select(resource.name, namespace):
                if state.store.find(stored.key) is not None:
                    begin(state, stored.key)
    finish_namespace(state, namespace)


def _drop_owner(state: State, owned: Stored, uid: str) -> None:
    """The owner ``uid`` is gone: so is what has no other."""
    current = state.store.find(owned.key)
    if current is None:
        return
    if _has_other_owner(state, current, uid):
        orphans = [
            each
            for each in list_at(current.document, "metadata", "ownerReferences")
            if each.get("uid") != uid
        ]
        state.store.put(current.key, with_metadata(current.document, ownerReferences=orphans))
    elif not metadata_of(current.document).get("deletionTimestamp"):
        begin(state, current.key)


def _has_other_owner(state: State, stored: Stored, uid: str) -> bool:
    return any(
        owner.get("uid") != uid and _exists(state, owner, stored.key.namespace)
        for owner in list_at(stored.document, "metadata", "ownerReferences")
    )


def _exists(state: State, owner: JsonObject, namespace: str) -> bool:
    resource = state.resources.of_kind(str(owner.get("apiVersion")), str(owner.get("kind")))
    if resource is None:
        return True  # of kinds that nobody knows nobody can say that they are gone
    place = namespace if resource.namespaced else ""
    found = state.find(resource.name, place, str(owner.get("name")))
    return found is not None and uid_of(found) == owner.get("uid")


def _waiting_owners(state: State, document: JsonObject) -> Iterator[Stored]:
    for owner in list_at(document, "metadata", "ownerReferences"):
        resource = state.resources.of_kind(str(owner.get("apiVersion")), str(owner.get("kind")))
        if resource is None:
            continue
        place = text_at(document, "metadata", "namespace") if resource.namespaced else ""
        found = state.store.find(Key(resource.name, place, str(owner.get("name"))))
        if found is not None and FOREGROUND in list_at(found.document, "metadata", "finalizers"):
            yield found


def _blocks(document: JsonObject, uid: str) -> bool:
    """Whether the deletion of the owner ``uid`` in the foreground waits for this object."""
    return any(
        owner.get("uid") == uid and owner.get("blockOwnerDeletion") is True
        for owner in list_at(document, "metadata", "ownerReferences")
    )


def _grace_period(pod: JsonObject, wanted: int | None) -> int:
    """How long a pod is held after it was deleted; one that runs nowhere is not."""
    if not text_at(pod, "spec", "nodeName") or text_at(pod, "status", "phase") in (
        "Succeeded",
        "Failed",
    ):
        return 0
    if wanted is not None:
        return wanted
    given = object_at(pod, "spec").get("terminationGracePeriodSeconds")
    return given if isinstance(given, int) else _GRACE
