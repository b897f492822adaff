# SPDX-License-Identifier: Apache-2.0
"""What is wrong with files and documents as such, whatever kind of object they hold.

Bounds are those that etcd and the API server have by default; a cluster may have been given
others, so what exceeds them is not always refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from okd_payload.issues import Issue
from okd_payload.release import codes
from okd_payload.release.conditions import Conditions
from okd_payload.release.lint import codes as lint_codes
from okd_payload.release.lint.subject import CheckedFile, CheckedObject, Subject
from okd_payload.release.objects import ObjectKey

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAX_OBJECT_BYTES = 1_572_864
"""What etcd takes in one request, by default: 1.5 MiB."""
_MAX_MAP_BYTES = 1_048_576
"""What the API server takes as the data of a ConfigMap or Secret."""
_MAX_ANNOTATION_BYTES = 262_144
"""What the API server takes as all names and values of annotations of one object."""
_WORTH_MEASURING = _MAX_ANNOTATION_BYTES
"""No object of a smaller file can be too large, which spares encoding most of them."""


def check_documents(subject: Subject) -> Iterator[Issue]:
    """What the cluster cannot load, and what loads without anything in it."""
    for file in subject.files:
        for problem in file.problems:
            yield codes.INVALID_MANIFEST.issue(
                problem.message,
                file=file.name,
                line=problem.line,
                hint="the cluster refuses the whole payload for it: mend it in the operator's"
                " source",
            )
        if not file.objects and not file.problems:
            yield lint_codes.EMPTY_MANIFEST.issue(
                "there is no object in it",
                file=file.name,
                hint="remove the file, or bring back what was in it",
            )
        if file.content.startswith(_BYTE_ORDER_MARK):
            yield lint_codes.BYTE_ORDER_MARK.issue(
                "the file begins with a byte order mark",
                file=file.name,
                line=1,
                hint="save it as UTF-8 without one: other programs that read it may stumble",
            )


def check_other_files(subject: Subject) -> Iterator[Issue]:
    """Files that the cluster does not look at."""
    for name in subject.content.others:
        yield lint_codes.IGNORED_FILE.issue(
            "the cluster reads files that end in .yaml, .yml or .json only",
            file=name,
            hint="rename it if it is a manifest; else leave it out of the operator's manifests/",
        )


def check_kinds(subject: Subject) -> Iterator[Issue]:
    """Lists, which are not opened, and objects without a version, which cannot be applied."""
    for item in subject.objects:
        if item.key.kind.endswith("List") and isinstance(item.value.get("items"), list):
            yield item.issue(
                lint_codes.UNEXPANDED_LIST,
                "is not opened by the cluster: nothing in it is applied",
                hint="write its items as documents of their own, with --- between them",
            )
        elif not item.api_version and item.is_applied:
            yield item.issue(
                lint_codes.MISSING_API_VERSION,
                "has no apiVersion: the cluster takes the payload and cannot apply the object",
                hint="add apiVersion",
            )


def check_repetitions(subject: Subject) -> Iterator[Issue]:
    """The same object twice: in one file, or in two files on the same cluster."""
    seen: dict[ObjectKey, list[CheckedObject]] = {}
    for file in subject.files:
        yield from _check_repetitions(file, seen)
        for item in file.objects:
            seen.setdefault(item.key, []).append(item)


def _check_repetitions(
    file: CheckedFile, seen: dict[ObjectKey, list[CheckedObject]]
) -> Iterator[Issue]:
    here: set[ObjectKey] = set()
    for item in file.objects:
        if item.key in here:
            yield codes.DUPLICATE_OBJECT.issue(
                f"duplicate resource: {item.key}",
                file=file.name,
                line=item.line,
                hint="the cluster refuses the whole payload for it: remove one of the two",
            )
        here.add(item.key)
        others = [
            other.file for other in seen.get(item.key, []) if _may_meet(other, item.conditions)
        ]
        if others:
            yield codes.REPEATED_OBJECT.issue(
                f"{item.key} is in {others[0]} too",
                file=file.name,
                line=item.line,
                hint="the cluster applies one after the other, again and again: keep one",
            )


def _may_meet(other: CheckedObject, conditions: Conditions) -> bool:
    return other.conditions.may_hold_with(conditions)


def check_sizes(subject: Subject) -> Iterator[Issue]:
    """Objects that are too large for the cluster to store."""
    for file in subject.files:
        if len(file.content) > _WORTH_MEASURING:
            for item in file.objects:
                yield from _check_size(item)


def _check_size(item: CheckedObject) -> Iterator[Issue]:
    size, most = _size_of(item.value), _MAX_OBJECT_BYTES
    if item.key.kind in {"ConfigMap", "Secret"} and not item.key.group:
        size = sum(_size_of(item.value.get(field)) for field in ("data", "binaryData"))
        most = _MAX_MAP_BYTES
    if size > most:
        yield item.issue(
            lint_codes.OVERSIZED_OBJECT,
            f"has {size} bytes, and clusters store {most} at most",
            hint="split it, or shorten descriptions in it",
        )
    size = sum(
        len(name.encode()) + len(text.encode()) for name, text in (item.annotations or {}).items()
    )
    if size > _MAX_ANNOTATION_BYTES:
        yield item.issue(
            lint_codes.OVERSIZED_ANNOTATIONS,
            f"has {size} bytes of annotations, and clusters take {_MAX_ANNOTATION_BYTES} at most",
            hint="move what is in them into a ConfigMap",
        )


def _size_of(value: object) -> int:
    """Bytes of the compact JSON, nothing for nothing."""
    if value is None:
        return 0
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
