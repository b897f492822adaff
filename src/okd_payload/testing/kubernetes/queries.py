# SPDX-License-Identifier: Apache-2.0
"""The queries of requests as options; what they must not be is refused as the server does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from okd_payload.testing.kubernetes.documents import JsonObject, object_at, text_at
from okd_payload.testing.kubernetes.logs import LogOptions, check_options, read_moment
from okd_payload.testing.kubernetes.requests import (
    DeleteOptions,
    FieldValidation,
    ListOptions,
    Propagation,
    WatchOptions,
    WriteOptions,
)
from okd_payload.testing.kubernetes.statuses import bad_request, invalid_options, unsupported

Query = Mapping[str, str]

_FIELD_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_PROPAGATIONS = ("Foreground", "Background", "Orphan", "nil")


def write_options(
    query: Query, kind: str, *, user: str, agent: str, duplicates: Sequence[str] = ()
) -> WriteOptions:
    """How an object is written; ``kind`` is what the options are called."""
    validation = query.get("fieldValidation", "")
    if validation not in _FIELD_VALIDATIONS:
        cause = unsupported("fieldValidation", validation, _FIELD_VALIDATIONS)
        raise invalid_options(kind, cause)
    return WriteOptions(
        user=user,
        manager=query.get("fieldManager", agent),
        dry_run=_dry_run(query.get("dryRun", ""), kind),
        force=is_true(query.get("force", "")),
        field_validation=FieldValidation(validation or "Warn"),
        duplicates=tuple(duplicates),
    )


def delete_options(query: Query, body: JsonObject, *, user: str) -> DeleteOptions:
    """How an object is deleted, from the query and the body, which wins."""
    propagation = text_at(body, "propagationPolicy") or query.get("propagationPolicy", "")
    if propagation and propagation not in _PROPAGATIONS[:-1]:
        cause = unsupported("propagationPolicy", propagation, _PROPAGATIONS)
        raise invalid_options("DeleteOptions", cause)
    if is_true(query.get("orphanDependents", "")):
        propagation = Propagation.ORPHAN.value
    given = body.get("gracePeriodSeconds")
    seconds = given if isinstance(given, int) else _number(query, "gracePeriodSeconds")
    dry_run = body.get("dryRun") or query.get("dryRun", "")
    shown = dry_run[0] if isinstance(dry_run, list) else dry_run
    preconditions = object_at(body, "preconditions")
    return DeleteOptions(
        user=user,
        propagation=Propagation(propagation) if propagation else None,
        grace_seconds=seconds,
        uid=text_at(preconditions, "uid"),
        revision=text_at(preconditions, "resourceVersion"),
        dry_run=_dry_run(shown, "DeleteOptions"),
    )


def list_options(query: Query) -> ListOptions:
    """Which objects are listed."""
    return ListOptions(
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        limit=_number(query, "limit") or 0,
        token=query.get("continue", ""),
        revision=query.get("resourceVersion", ""),
        match=query.get("resourceVersionMatch", ""),
    )


def watch_options(query: Query) -> WatchOptions:
    """Which changes are told."""
    return WatchOptions(
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        revision=query.get("resourceVersion", ""),
        match=query.get("resourceVersionMatch", ""),
        initial=is_true(query.get("sendInitialEvents", "")),
        bookmarks=is_true(query.get("allowWatchBookmarks", "")),
        seconds=_number(query, "timeoutSeconds"),
    )


def log_options(query: Query, pod: str, now: float) -> LogOptions:
    """Which part of a log."""
    numbers = {
        name: value
        for name in ("sinceSeconds", "tailLines", "limitBytes")
        if (value := _number(query, name)) is not None
    }
    check_options(pod, numbers)
    since = 0.0
    if "sinceSeconds" in numbers:
        since = now - numbers["sinceSeconds"]
    elif query.get("sinceTime"):
        since = read_moment(query["sinceTime"])
    return LogOptions(
        container=query.get("container", ""),
        follow=is_true(query.get("follow", "")),
        previous=is_true(query.get("previous", "")),
        timestamps=is_true(query.get("timestamps", "")),
        since=since,
        tail=numbers.get("tailLines"),
        most_bytes=numbers.get("limitBytes"),
    )


def is_true(text: str) -> bool:
    """Whether a parameter says yes."""
    return text.lower() not in ("", "0", "false")


def _dry_run(text: str, kind: str) -> bool:
    if text not in ("", "All"):
        cause = unsupported("dryRun", [text], ["All"])
        raise invalid_options(kind, cause)
    return bool(text)


def _number(query: Query, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error
