# SPDX-License-Identifier: Apache-2.0
"""Reading objects: one by name, or lists in pages that all show the same moment."""

from __future__ import annotations

import base64
import binascii

import msgspec

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.requests import ListOptions, Target
from okd_payload.testing.kubernetes.selectors import select
from okd_payload.testing.kubernetes.state import State
from okd_payload.testing.kubernetes.statuses import (
    Cause,
    Details,
    Refusal,
    bad_request,
    forbidden_field,
    invalid_options,
    not_found,
    unsupported,
)
from okd_payload.testing.kubernetes.store import Compacted, Key, Stored

_MATCHES = ("Exact", "NotOlderThan", "")
_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. "
    "You can start a new list without the continue parameter, or use the continue token in this "
    "response to retrieve the remainder of the results. Continuing with the provided token "
    "results in an inconsistent list - objects that were created, modified, or deleted between "
    "the time the first chunk was returned and now may show up in the list."
)
_NOW = -1
"""The revision in a token that goes on with whatever is there."""


class _Token(msgspec.Struct, frozen=True):
    v: str
    rv: int
    start: str


def get(state: State, target: Target) -> JsonObject:
    """The object. Raises Refusal."""
    stored = state.store.find(Key(target.resource.name, target.namespace, target.name))
    if stored is None:
        raise not_found(target.resource, target.name)
    return state.convert(stored.document, target)


def list_objects(state: State, target: Target, options: ListOptions) -> JsonObject:
    """The objects that are chosen, as a list of their kind. Raises Refusal."""
    chosen = select(target.resource, options.labels, options.fields)
    check_match(options.revision, options.match)
    token = _read_token(options)
    revision, found = _moment(state, target, options, token)
    if token is not None:
        after = token.start.rstrip("\0").lstrip("/")
        found = [each for each in found if _place(target, each.key) > after]
    if chosen is not None:
        found = [each for each in found if chosen(each.document)]
    metadata: JsonObject = {"resourceVersion": str(revision)}
    if options.limit and len(found) > options.limit:
        left = len(found) - options.limit
        found = found[: options.limit]
        start = f"/{_place(target, found[-1].key)}\0"
        metadata["continue"] = _write_token(revision, start)
        if chosen is None:
            metadata["remainingItemCount"] = left
    elif target.resource.custom:
        metadata["continue"] = ""
    return {
        "kind": f"{target.resource.kind}List",
        "apiVersion": target.resource.api_version(target.version),
        "metadata": metadata,
        "items": [state.convert(each.document, target) for each in found],
    }


def check_match(revision: str, match: str) -> None:
    """Refuse a ``resourceVersionMatch`` that means nothing."""
    if match not in _MATCHES:
        cause = unsupported("resourceVersionMatch", match, _MATCHES)
        raise invalid_options("ListOptions", cause)
    if match and not revision:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise invalid_options("ListOptions", forbidden_field("resourceVersionMatch", why))


def parse_revision(text: str) -> int | None:
    """The number of a revision; nothing when it is none."""
    return int(text) if text.isascii() and text.isdecimal() else None


def revision_problem(text: str) -> str:
    """What is said of a revision that is no number."""
    return (
        f'resourceVersion: Invalid value: "{text}": '
        f'strconv.ParseUint: parsing "{text}": invalid syntax'
    )


def _moment(
    state: State, target: Target, options: ListOptions, token: _Token | None
) -> tuple[int, list[Stored]]:
    """The revision that is shown, and all objects at it."""
    store, name, namespace = state.store, target.resource.name, target.namespace
    revision = store.revision
    if token is not None and token.rv != _NOW:
        revision = token.rv
    elif options.revision:
        wanted = parse_revision(options.revision)
        if wanted is None:
            raise bad_request(f"invalid resource version: {revision_problem(options.revision)}")
        if wanted > store.revision:
            raise _too_large(wanted, store.revision)
        if options.match == "Exact":
            revision = wanted
    if revision == store.revision:
        return revision, store.select(name, namespace)
    try:
        return revision, store.as_of(revision, name, namespace)
    except Compacted as error:
        if token is None:
            why = "The resourceVersion for the provided list is too old."
            raise Refusal(410, "Expired", why) from error
        fresh = _write_token(_NOW, token.start.lstrip("/"))
        raise Refusal(410, "Expired", _EXPIRED, next_page=fresh) from error


def _too_large(wanted: int, current: int) -> Refusal:
    cause = Cause(reason="ResourceVersionTooLarge", message="Too large resource version")
    return Refusal(
        504,
        "Timeout",
        f"Timeout: Too large resource version: {wanted}, current: {current}",
        details=Details(causes=(cause,), retry_after_seconds=1),
    )


def _place(target: Target, key: Key) -> str:
    """Where in the list an object stands."""
    if not target.resource.namespaced or target.namespace:
        return key.name
    return f"{key.namespace}/{key.name}"


def _write_token(revision: int, start: str) -> str:
    token = {"v": "meta.k8s.io/v1", "rv": revision, "start": start}
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _read_token(options: ListOptions) -> _Token | None:
    if not options.token:
        return None
    if options.revision:
        raise bad_request("specifying resource version is not allowed when using continue")
    padded = options.token + "=" * (-len(options.token) % 4)
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Token)
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error
