# SPDX-License-Identifier: Apache-2.0
"""Whether objects are applied where their annotations mean them to be.

The cluster drops what it does not understand without a word: a misspelled profile, a blank in a
list, one value without quotes. A payload is the last place where somebody can be told.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from okd_payload.issues import Issue
from okd_payload.release.cluster.annotations import (
    CREATE_ONLY,
    DELETE,
    EXCLUDE,
    FEATURE_GATE,
    FEATURE_SET,
    INCLUDE,
    MAJOR_VERSION,
)
from okd_payload.release.lint import codes
from okd_payload.release.lint.subject import CheckedObject, Subject

_DOMAIN = "release.openshift.io/"
_FOR_CONFIG_OPERATOR = "false-except-for-the-config-operator"
"""The value that keeps feature gates from the cluster-version operator: another reads them."""
PROFILES = frozenset(
    {
        "hypershift",
        "ibm-cloud-managed",
        "self-managed-high-availability",
        "single-node-developer",
        "single-node-production-edge",
    }
)
"""The profiles that clusters have been installed with."""
_KNOWN = frozenset(
    {
        CREATE_ONLY,
        DELETE,
        FEATURE_GATE,
        FEATURE_SET,
        MAJOR_VERSION,
        "release.openshift.io/bootstrap-required",
        "release.openshift.io/verification-config-map",
        "release.openshift.io/version",
    }
)
_NOT_OURS = re.compile(r"[^/]+\.release\.openshift\.io/")


def check_readable(subject: Subject) -> Iterator[Issue]:
    """Annotations that hide all others, because their value is no text."""
    for item in subject.objects:
        if item.annotations is None:
            written = item.written_annotations
            wrong = (
                [name for name, value in written.items() if not isinstance(value, str | None)]
                if isinstance(written, dict)
                else []
            )
            what = f"the value of {', '.join(wrong)} is" if wrong else "they are"
            yield item.issue(
                codes.UNREADABLE_ANNOTATIONS,
                f"has annotations that the cluster cannot read: {what} no text",
                hint='quote the value ("true", not true): one such value hides all annotations'
                " of the object, and it is not applied",
            )


def check_profiles(subject: Subject) -> Iterator[Issue]:
    """Objects that no profile includes, and what was probably meant."""
    for item in subject.objects:
        if item.annotations is None:
            continue
        given = _below(item.annotations, INCLUDE)
        yield from _check_include(item, given)
        if not given:
            yield item.issue(
                codes.NEVER_APPLIED,
                "has no include annotation, so no cluster applies it",
                hint=f'add {INCLUDE}self-managed-high-availability: "true"',
            )


def _check_include(item: CheckedObject, given: Mapping[str, str]) -> Iterator[Issue]:
    for profile, value in given.items():
        if profile not in PROFILES:
            near = difflib.get_close_matches(profile, sorted(PROFILES), 1)
            yield item.issue(
                codes.UNKNOWN_PROFILE,
                f"is for the profile {profile!r}, which no cluster has",
                hint=f"did you mean {near[0]}?"
                if near
                else f"known: {', '.join(sorted(PROFILES))}",
            )
        if value in {"true", "false"}:
            continue
        if value == _FOR_CONFIG_OPERATOR and item.key.kind == "FeatureGate":
            continue
        yield item.issue(
            codes.INVALID_INCLUDE_VALUE,
            f"has {INCLUDE}{profile}: {value!r}, for which no cluster applies it",
            hint='only the value "true" includes',
        )


def check_excludes(subject: Subject) -> Iterator[Issue]:
    """Exclude annotations that exclude nothing."""
    for item in subject.objects:
        for identifier, value in _below(item.annotations or {}, EXCLUDE).items():
            if value not in {"true", "false"}:
                yield item.issue(
                    codes.INVALID_EXCLUDE_VALUE,
                    f"has {EXCLUDE}{identifier}: {value!r}, which excludes nothing",
                    hint='only the value "true" excludes',
                )


def check_actions(subject: Subject) -> Iterator[Issue]:
    """What is to be deleted, or only created: values that do not say so."""
    for item in subject.objects:
        annotations = item.annotations or {}
        delete, create_only = annotations.get(DELETE), annotations.get(CREATE_ONLY)
        if delete not in {None, "true"} and item.is_applied:
            yield item.issue(
                codes.INVALID_DELETE_VALUE,
                f"has {DELETE}: {delete!r}, at which the update stops",
                hint='write "true" exactly, or leave the annotation out',
            )
        if create_only is not None and create_only.lower() not in {"true", "false"}:
            yield item.issue(
                codes.INVALID_CREATE_ONLY_VALUE,
                f"has {CREATE_ONLY}: {create_only!r}, and is updated all the same",
                hint='write "true", or leave the annotation out',
            )


def check_unknown(subject: Subject) -> Iterator[Issue]:
    """Annotations of the cluster-version operator's domain that it does not know."""
    for item in subject.objects:
        for name in item.annotations or {}:
            if name.startswith((INCLUDE, EXCLUDE)) or name in _KNOWN:
                continue
            if name.startswith(_DOMAIN) or _NOT_OURS.match(name):
                near = difflib.get_close_matches(name, sorted(_KNOWN), 1)
                yield item.issue(
                    codes.UNKNOWN_RELEASE_ANNOTATION,
                    f"has the annotation {name}, which no program is known to read",
                    hint=f"did you mean {near[0]}?" if near else "",
                )


def _below(annotations: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The annotations that begin with ``prefix``, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in annotations.items()
        if name.startswith(prefix)
    }
