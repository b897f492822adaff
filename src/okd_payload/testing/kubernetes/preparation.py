# SPDX-License-Identifier: Apache-2.0
"""What happens to every object before it is stored: decoding, defaults, rules, admission, sizes.

In the order of the API server: what cannot be decoded is 400, mutating admission comes before
the rules of names and schemas (422), validating admission after them, and the store has the last
word about sizes.
"""

from __future__ import annotations

import msgspec

from okd_payload.testing.kubernetes.admission import AdmissionRequest, Operation
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    clone,
    metadata_of,
    name_of,
    with_metadata,
)
from okd_payload.testing.kubernetes.metadata import (
    KNOWN_FIELDS,
    check_types,
    decoding_error,
    metadata_problems,
)
from okd_payload.testing.kubernetes.requests import FieldValidation, Target, WriteOptions
from okd_payload.testing.kubernetes.rules import decoding_problem, rule_problems, written_out
from okd_payload.testing.kubernetes.schema import Schema
from okd_payload.testing.kubernetes.standard import (
    MUTATING_FIRST,
    VALIDATING_FIRST,
    VALIDATING_LAST,
)
from okd_payload.testing.kubernetes.state import State
from okd_payload.testing.kubernetes.statuses import (
    Cause,
    Refusal,
    bad_request,
    forbidden,
    invalid_object,
    invalid_value,
    not_found,
    required,
)

MOST_STORED = 1_572_864
"""Bytes that the store takes in one request: its 1.5 MiB."""
MOST_SENT = 2_097_152
"""Bytes that the server can send to its store at all."""
_ENVELOPE = 411
"""Bytes that a request to the store has beside the object, about."""


def decode(
    state: State,
    target: Target,
    document: JsonObject,
    options: WriteOptions,
    *,
    warnings: list[str],
    before: JsonObject | None = None,
) -> JsonObject:
    """The object as the server understands it: without unknown fields, with defaults.

    What is as it was in ``before`` has been judged already.
    """
    resource = target.resource
    expected = resource.api_version(target.version)
    given = document.get("apiVersion") or expected
    if given != expected:
        raise bad_request(
            f"the API version in the data ({given}) does not match the expected API version "
            f"({expected})"
        )
    kind = str(document.get("kind") or resource.kind)
    if kind != resource.kind and not resource.custom:
        why = f'no kind "{kind}" is registered for version "{expected}" in scheme'
        raise decoding_error(resource.kind, target.version, why)
    document = {"apiVersion": expected, "kind": kind, **_rest(document)}
    check_types(document, target.version)
    if not resource.custom and before is None:
        problem = decoding_problem(document)
        if problem:
            raise decoding_error(kind, target.version, problem)
    schema = state.schema(target)
    _judge_unknown(
        [f'duplicate field "{path}"' for path in options.duplicates]
        + [
            f'unknown field "{path}"'
            for path in (schema.unknown(document, before=before) if schema else ())
        ],
        target,
        options,
        warnings,
    )
    document = _without_unknown_metadata(document)
    if schema is None:
        return document
    if not resource.custom:
        _check_go_types(schema, target, document)
        document = written_out(document)
    return schema.shape(document, before=before)


def check_place(target: Target, document: JsonObject) -> JsonObject:
    """``document`` in the namespace of the request, which must be there and stay."""
    given = str(metadata_of(document).get("namespace") or "")
    if target.resource.namespaced and given and given != target.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if not target.resource.namespaced:
        return with_metadata(document, namespace=None)
    return with_metadata(document, namespace=target.namespace)


def check_namespace(state: State, target: Target, name: str) -> None:
    """Refuse a new object in a namespace that is not there, or going."""
    if not target.resource.namespaced:
        return
    namespace = state.find("namespaces", "", target.namespace)
    if namespace is None:
        kind = state.resources.named("namespaces")
        assert kind is not None
        raise not_found(kind, target.namespace)
    if metadata_of(namespace).get("deletionTimestamp"):
        cause = Cause(
            reason="NamespaceTerminating",
            message=f"namespace {target.namespace} is being terminated",
            field="metadata.namespace",
        )
        why = (
            f"unable to create new content in namespace {target.namespace} "
            "because it is being terminated"
        )
        raise forbidden(target.resource, name, why, causes=[cause])


def admission_request(
    state: State,
    target: Target,
    operation: Operation,
    options: WriteOptions,
    *,
    name: str,
    old: JsonObject | None,
    warnings: list[str],
) -> AdmissionRequest:
    """What admission is told."""
    return AdmissionRequest(
        operation=operation,
        resource=target.resource,
        version=target.version,
        namespace=target.namespace,
        name=name,
        old=old,
        subresource=target.subresource,
        user=options.user,
        dry_run=options.dry_run,
        objects=state,
        warnings=warnings,
    )


def mutate(state: State, document: JsonObject, request: AdmissionRequest) -> JsonObject:
    """``document`` as admission wants it, with the schema's defaults once more.

    A status is nobody's to complete.
    """
    if request.subresource or (not state.mutating and request.resource.custom):
        return document
    document = clone(document)
    for function in (*MUTATING_FIRST, *state.mutating):
        document = function(document, request)
    schema = state.schemas.get((request.resource.name, request.version))
    if schema is None:
        return document
    return schema.shape(document, before=request.old)


def validate(state: State, document: JsonObject, request: AdmissionRequest) -> None:
    """Refuse what validating admission refuses."""
    for function in (*VALIDATING_FIRST, *state.validating, *VALIDATING_LAST):
        function(document, request)


def check_rules(
    state: State, target: Target, document: JsonObject, *, before: JsonObject | None = None
) -> None:
    """Refuse an object that breaks the rules of names, of its schema or of its kind."""
    problems = object_problems(state, target, document, before=before)
    if problems:
        raise invalid_object(target.resource, name_of(document), problems)


def object_problems(
    state: State, target: Target, document: JsonObject, *, before: JsonObject | None = None
) -> list[Cause]:
    """Everything that an object breaks, but for what was so in ``before``."""
    resource = target.resource
    problems: list[Cause] = []
    if document.get("kind") != resource.kind:
        problems.append(invalid_value("kind", document.get("kind"), f"must be {resource.kind}"))
    if resource.namespaced and not metadata_of(document).get("namespace"):
        problems.append(required("metadata.namespace"))
    problems += metadata_problems(document, resource.name)
    schema = state.schema(target)
    if schema is not None:
        problems += schema.problems(document, before=before)
    if not resource.custom and not target.subresource:
        problems += rule_problems(document)
    return problems


def check_size(document: JsonObject) -> None:
    """Refuse what is too large for the store, as the store does."""
    size = len(msgspec.json.encode(document)) + _ENVELOPE
    if size > MOST_SENT:
        raise Refusal(
            500,
            "",
            "rpc error: code = ResourceExhausted desc = trying to send message larger than max "
            f"({size} vs. {MOST_SENT})",
        )
    if size > MOST_STORED:
        raise Refusal(500, "", "etcdserver: request is too large")


def _judge_unknown(
    findings: list[str], target: Target, options: WriteOptions, warnings: list[str]
) -> None:
    if not findings or options.field_validation is FieldValidation.IGNORE:
        return
    if options.field_validation is FieldValidation.WARN:
        warnings += findings
        return
    why = f"strict decoding error: {', '.join(findings)}"
    raise decoding_error(target.resource.kind, target.version, why)


def _check_go_types(schema: Schema, target: Target, document: JsonObject) -> None:
    """Refuse what Go cannot decode as a type of its own: the first of it, as Go does."""
    for cause in schema.problems(document):
        if cause.reason == "FieldValueTypeInvalid":
            wrong = cause.message.removeprefix("Invalid value: ")
            kind = target.resource.kind
            why = f"json: cannot unmarshal into Go struct field {kind}.{cause.field}: {wrong}"
            raise decoding_error(kind, target.version, why)


def _without_unknown_metadata(document: JsonObject) -> JsonObject:
    metadata = metadata_of(document)
    kept = {
        name: value
        for name, value in metadata.items()
        if name in KNOWN_FIELDS and value is not None
    }
    return {**document, "metadata": kept}


def _rest(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name not in ("apiVersion", "kind")}
