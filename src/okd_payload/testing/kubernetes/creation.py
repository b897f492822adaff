# SPDX-License-Identifier: Apache-2.0
"""Making objects: names, uids, first values, and everything that can be in the way."""

from __future__ import annotations

from okd_payload.testing.kubernetes.admission import Operation
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    metadata_of,
    name_of,
    object_at,
    with_metadata,
)
from okd_payload.testing.kubernetes.fields import created_by
from okd_payload.testing.kubernetes.garbage import collect_if_orphaned
from okd_payload.testing.kubernetes.metadata import cut_base
from okd_payload.testing.kubernetes.preparation import (
    admission_request,
    check_namespace,
    check_place,
    check_rules,
    check_size,
    decode,
    mutate,
    validate,
)
from okd_payload.testing.kubernetes.requests import Answer, Target, WriteOptions
from okd_payload.testing.kubernetes.state import State
from okd_payload.testing.kubernetes.statuses import already_exists, bad_request
from okd_payload.testing.kubernetes.store import Key

COUNTED = frozenset(
    {
        "pods",
        "customresourcedefinitions.apiextensions.k8s.io",
        *(f"{name}.apps" for name in ("deployments", "replicasets", "statefulsets", "daemonsets")),
        *(f"{name}.batch" for name in ("jobs", "cronjobs")),
        *(f"{name}.networking.k8s.io" for name in ("ingresses", "networkpolicies")),
    }
)
"""Built-in resources whose specifications are counted in ``metadata.generation``."""
_GIVEN_BY_THE_SERVER = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "managedFields",
    "generation",
)
_TRIES = 8
"""How many names are made up before one that is taken is told."""


def create(state: State, target: Target, document: JsonObject, options: WriteOptions) -> Answer:
    """Make the object, or only say how it would be. Raises Refusal."""
    warnings: list[str] = []
    document = decode(state, target, document, options, warnings=warnings)
    return create_decoded(state, target, document, options, warnings=warnings)


def create_decoded(
    state: State,
    target: Target,
    document: JsonObject,
    options: WriteOptions,
    *,
    warnings: list[str],
    managed: list[JsonObject] | None = None,
) -> Answer:
    """``create`` for an object that is understood already; apply knows who owns its fields."""
    document = check_place(target, document)
    metadata = metadata_of(document)
    if metadata.get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    check_namespace(state, target, name_of(document))
    document = _with_first_values(target, document)
    request = admission_request(
        state,
        target,
        Operation.CREATE,
        options,
        name=name_of(document),
        old=None,
        warnings=warnings,
    )
    document = mutate(state, document, request)
    document = _with_name(state, target, document)
    document = with_metadata(document, uid=state.new_uid(), creationTimestamp=state.stamp())
    check_rules(state, target, document)
    validate(state, document, request)
    if managed is None:
        managed = created_by(document, state.schema(target), options.manager, state.stamp())
    document = with_metadata(document, managedFields=managed or None)
    stored = state.convert(document, target, target.resource.storage)
    key = Key(target.resource.name, target.namespace, name_of(document))
    if state.store.find(key) is not None:
        raise already_exists(target.resource, key.name)
    check_size(stored)
    if options.dry_run:
        return Answer(document=document, created=True, warnings=tuple(warnings))
    kept = state.store.put(key, stored)
    collect_if_orphaned(state, kept)
    answer = state.convert(kept.document, target)
    return Answer(document=answer, created=True, warnings=tuple(warnings))


def _with_first_values(target: Target, document: JsonObject) -> JsonObject:
    """``document`` as every new object of its kind is."""
    resource = target.resource
    document = with_metadata(document, **dict.fromkeys(_GIVEN_BY_THE_SERVER))
    if resource.custom or resource.name in COUNTED:
        document = with_metadata(document, generation=1)
    if resource.has_status:
        document = {name: value for name, value in document.items() if name != "status"}
    if resource.name == "pods":
        return {**document, "status": {"phase": "Pending", "qosClass": "BestEffort"}}
    if resource.name == "namespaces":
        labels = {**object_at(document, "metadata", "labels")}
        labels["kubernetes.io/metadata.name"] = name_of(document)
        document = with_metadata(document, labels=labels)
        return {**document, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    return document


def _with_name(state: State, target: Target, document: JsonObject) -> JsonObject:
    """``document`` with a name made from ``generateName`` where it has none."""
    base = str(metadata_of(document).get("generateName") or "")
    if name_of(document) or not base:
        return document
    name = ""
    for _ in range(_TRIES):
        name = cut_base(base) + state.new_suffix()
        if state.store.find(Key(target.resource.name, target.namespace, name)) is None:
            break
    return with_metadata(document, name=name)
