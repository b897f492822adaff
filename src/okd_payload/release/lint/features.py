# SPDX-License-Identifier: Apache-2.0
"""What objects ask of a cluster's features: sets, gates, capabilities, major versions.

The cluster is exact about feature sets and capabilities, where a blank makes a name unknown, and
lenient about gates and versions, whose entries it trims. An unknown name is never an error to
it: the object is left out, on every cluster.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator

from okd_payload.issues import Issue
from okd_payload.release.cluster.annotations import (
    FEATURE_GATE,
    FEATURE_SET,
    MAJOR_VERSION,
    capabilities_of,
)
from okd_payload.release.cluster.capabilities import TABLES
from okd_payload.release.cluster.settings import FEATURE_SETS
from okd_payload.release.lint import codes
from okd_payload.release.lint.fields import maps_at, text_at
from okd_payload.release.lint.subject import Subject

_VERSIONED_KINDS = frozenset(
    {("config.openshift.io", "FeatureGate"), ("apiextensions.k8s.io", "CustomResourceDefinition")}
)
_FEW = 20
"""So many names fit into a hint."""
_GATE = re.compile(r"-?[A-Za-z][A-Za-z0-9]*")
_MAJOR = re.compile(r"-?[0-9]+")


def check_feature_sets(subject: Subject) -> Iterator[Issue]:
    """Feature sets that no cluster has, however near they come."""
    for item in subject.objects:
        annotations = item.annotations or {}
        if FEATURE_SET in annotations and FEATURE_GATE in annotations:
            yield item.issue(
                codes.FEATURE_SET_AND_GATE,
                "has both a feature set and a feature gate, so no cluster applies it",
                hint="keep one of the two annotations",
            )
        for name in _entries(annotations.get(FEATURE_SET)):
            if name not in FEATURE_SETS:
                yield item.issue(
                    codes.UNKNOWN_FEATURE_SET,
                    f"is for the feature set {name!r}, which is unknown, so no cluster applies it",
                    hint=_suggest(name, FEATURE_SETS),
                )


def check_feature_gates(subject: Subject) -> Iterator[Issue]:
    """Feature gates that cannot be as they are asked for, or that the payload does not know."""
    declared = _declared_gates(subject)
    for item in subject.objects:
        entries = _entries((item.annotations or {}).get(FEATURE_GATE))
        gates = [entry.strip() for entry in entries if entry.strip()]
        wrong = [gate for gate in gates if not _GATE.fullmatch(gate)]
        both = sorted(_contradictions(gates))
        if wrong or both:
            what = f"the entry {wrong[0]!r}" if wrong else f"{both[0]} and -{both[0]}"
            yield item.issue(
                codes.INVALID_FEATURE_GATE,
                f"has {what} in {FEATURE_GATE}",
                hint="the annotation is a list of gates with commas between them, each with a"
                " minus before it when it must be off",
            )
        for gate in gates:
            name = gate.removeprefix("-")
            if declared and gate not in wrong and name not in declared:
                yield item.issue(
                    codes.UNKNOWN_FEATURE_GATE,
                    f"asks for the feature gate {name}, which the payload does not declare",
                    hint=_suggest(name, declared),
                )


def check_capabilities(subject: Subject) -> Iterator[Issue]:
    """Capabilities that no cluster has."""
    for item in subject.objects:
        for name in capabilities_of(item.annotations or {}):
            if name not in TABLES.known:
                yield item.issue(
                    codes.UNKNOWN_CAPABILITY,
                    f"needs the capability {name!r}, which no cluster has, so none applies it",
                    hint=_suggest(name, TABLES.known),
                )


def check_major_versions(subject: Subject) -> Iterator[Issue]:
    """Major versions where they are not looked at, or that cannot be."""
    for item in subject.objects:
        text = (item.annotations or {}).get(MAJOR_VERSION)
        if text is None:
            continue
        if (item.key.group, item.key.kind) not in _VERSIONED_KINDS:
            yield item.issue(
                codes.MISPLACED_MAJOR_VERSION,
                f"has {MAJOR_VERSION}, with which no cluster applies an object of its kind",
                hint="only feature gates and custom resource definitions may have it",
            )
            continue
        versions = [entry.strip() for entry in text.split(",") if entry.strip()]
        wrong = [version for version in versions if not _MAJOR.fullmatch(version)]
        both = sorted(_contradictions(versions))
        if wrong or both:
            what = f"the entry {wrong[0]!r}" if wrong else f"{both[0]} and -{both[0]}"
            yield item.issue(
                codes.INVALID_MAJOR_VERSION,
                f"has {what} in {MAJOR_VERSION}, so no cluster applies it",
                hint="the annotation is a list of numbers with commas between them, each with a"
                " minus before it when it must not be",
            )


def _entries(text: str | None) -> list[str]:
    return [] if text is None else text.split(",")


def _contradictions(entries: Collection[str]) -> set[str]:
    return {entry for entry in entries if entry and f"-{entry}" in entries}


def _suggest(name: str, known: Collection[str]) -> str:
    if not name.strip():
        return "remove the empty entry: it counts as a name"
    if name != name.strip():
        return "remove the blanks: they count"
    folded = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), sorted(folded), 1)
    if near:
        return f"did you mean {folded[near[0]]}?"
    return f"known: {', '.join(sorted(known))}" if len(known) <= _FEW else ""


def _declared_gates(subject: Subject) -> frozenset[str]:
    """Every gate that a FeatureGate object of the payload has an opinion of."""
    return frozenset(
        text_at(gate, "name")
        for item in subject.of_kind("FeatureGate", "config.openshift.io")
        for version in maps_at(item.value, "status", "featureGates")
        for state in ("enabled", "disabled")
        for gate in maps_at(version, state)
        if text_at(gate, "name")
    )
