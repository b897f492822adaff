# SPDX-License-Identifier: Apache-2.0
"""What the controllers of every cluster do at once: service accounts, and the use of quotas."""

from __future__ import annotations

from okd_payload.cluster import Change
from okd_payload.testing.kubernetes.documents import JsonObject, metadata_of, object_at
from okd_payload.testing.kubernetes.standard.quotas import hard_limits, used_in
from okd_payload.testing.kubernetes.state import State
from okd_payload.testing.kubernetes.store import Key, Record, Stored


def keep_house(state: State) -> None:
    """From now on, do what has to be done after each change of ``state``."""

    def follow(record: Record) -> None:
        key = record.stored.key
        if key.resource == "namespaces" and record.change is Change.ADDED:
            _make_account(state, key.name)
        if key.namespace:
            for quota in state.store.select("resourcequotas", key.namespace):
                _count(state, quota)

    state.store.listen(follow)


def _make_account(state: State, namespace: str) -> None:
    key = Key("serviceaccounts", namespace, "default")
    document: JsonObject = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "default",
            "namespace": namespace,
            "uid": state.new_uid(),
            "creationTimestamp": state.stamp(),
        },
    }
    if state.store.find(key) is None:
        state.store.put(key, document)


def _count(state: State, quota: Stored) -> None:
    """Write into a quota what is used of it."""
    if metadata_of(quota.document).get("deletionTimestamp"):
        return
    hard = hard_limits(quota.document)
    used = used_in(state, quota.key.namespace, hard)
    status = {
        "hard": object_at(quota.document, "spec", "hard"),
        "used": {name: str(amount) for name, amount in sorted(used.items())},
    }
    if quota.document.get("status") != status:
        state.store.put(quota.key, {**quota.document, "status": status})
