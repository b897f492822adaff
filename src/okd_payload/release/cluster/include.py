# SPDX-License-Identifier: Apache-2.0
"""Whether an object of a payload is for a cluster, and the operator's words when it is not.

The rules are asked in the operator's order and the first that fails gives the reason. Most of
them compare text to the letter: a space or a comma too many keeps an object away from every
cluster, which is a mistake that ``lint`` looks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from okd_payload.documents.go_quote import quote
from okd_payload.release.cluster.annotations import (
    EXCLUDE,
    FEATURE_GATE,
    FEATURE_SET,
    INCLUDE,
    MAJOR_VERSION,
    capabilities_of,
    read_annotations,
)
from okd_payload.release.cluster.settings import (
    DEFAULT_FEATURE_SET,
    FEATURE_SETS,
    CapabilityStatus,
    ClusterSettings,
    Override,
)
from okd_payload.release.objects import ManifestObject, ObjectKey

_LARGEST_VERSION = 2**64 - 1
_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's ``strings.TrimSpace`` takes away."""
_BY_MAJOR_VERSION = {
    ("config.openshift.io", "FeatureGate"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
}
_Annotations = dict[str, str]


def why_excluded(item: ManifestObject, settings: ClusterSettings) -> str:
    """Why ``item`` is not for a cluster with ``settings``, empty when it is."""
    annotations = read_annotations(item.value)
    if annotations is None:
        return "no annotations"
    rules: tuple[Callable[[], str], ...] = (
        lambda: _check_identifier(annotations, settings.exclude_identifier),
        lambda: _check_clash(annotations, settings),
        lambda: _check_feature_set(annotations, settings.feature_set),
        lambda: _check_gates(annotations, settings.enabled_gates),
        lambda: _check_major_version(annotations, item.key, settings.major_version),
        lambda: _check_profile(annotations, settings.profile),
        lambda: _check_capabilities(annotations, settings),
        lambda: "overridden" if is_overridden(item.key, settings.overrides) else "",
    )
    return next(filter(None, (rule() for rule in rules)), "")


def is_overridden(key: ObjectKey, overrides: tuple[Override, ...]) -> bool:
    """Whether the first override that means the object says that it is unmanaged."""
    for override in overrides:
        namespace = override.namespace if key.namespace else ""
        if key == ObjectKey(override.group, override.kind, namespace, override.name):
            return override.unmanaged
    return False


def check_enabled(
    annotations: _Annotations, status: CapabilityStatus, *, allow_unknown: bool = False
) -> str:
    """Why the capabilities of an object keep it away, empty when they do not."""
    unknown, disabled = [], []
    for name in capabilities_of(annotations):
        if not allow_unknown and name not in status.known:
            unknown.append(name)
        elif name not in status.enabled:
            disabled.append(name)
    if unknown:
        return f"unrecognized capability names: {', '.join(unknown)}"
    return f"disabled capabilities: {', '.join(disabled)}" if disabled else ""


def _check_identifier(annotations: _Annotations, identifier: str | None) -> str:
    key = f"{EXCLUDE}{identifier}"
    return f"{key}=true" if identifier is not None and annotations.get(key) == "true" else ""


def _check_clash(annotations: _Annotations, settings: ClusterSettings) -> str:
    if settings.feature_set is None or settings.enabled_gates is None:
        return ""
    if FEATURE_SET not in annotations or FEATURE_GATE not in annotations:
        return ""
    return (
        "both feature set and feature gate annotations are present: "
        "manifests may specify either a feature set or a feature gate, but not both"
    )


def _check_feature_set(annotations: _Annotations, feature_set: str | None) -> str:
    text = annotations.get(FEATURE_SET)
    if feature_set is None or text is None:
        return ""
    wanted = feature_set or DEFAULT_FEATURE_SET
    named = text.split(",")
    for name in named:
        if name not in FEATURE_SETS:
            return (
                f"unrecognized value {quote(name)} in {FEATURE_SET}={text}; "
                f"known values are: {','.join(sorted(FEATURE_SETS))}"
            )
    if wanted in named:
        return ""
    return f"{quote(wanted)} is required, and {FEATURE_SET}={','.join(sorted(set(named)))}"


def _check_gates(annotations: _Annotations, enabled: frozenset[str] | None) -> str:
    if enabled is None:
        return ""
    for requirement in _split(annotations.get(FEATURE_GATE, "")):
        gate = requirement.removeprefix("-")
        if requirement.startswith("-"):
            if gate in enabled:
                return f"feature gate {gate} is enabled but manifest requires it to be disabled"
        elif gate not in enabled:
            return f"feature gate {gate} is required but not enabled"
    return ""


def _check_major_version(annotations: _Annotations, key: ObjectKey, major: int | None) -> str:
    text = annotations.get(MAJOR_VERSION)
    if major is None or text is None:
        return ""
    if (key.group, key.kind) not in _BY_MAJOR_VERSION:
        return "major version filtering is only supported for feature gates and custom resources"
    included, excluded = set[int](), set[int]()
    for requirement in _split(text):
        digits = requirement.removeprefix("-")
        word = "excluded" if requirement.startswith("-") else "included"
        problem = _problem_of_number(digits)
        if problem:
            return f"invalid {word} major version {quote(digits)} in annotation: {problem}"
        (excluded if word == "excluded" else included).add(int(digits))
    return _compare_major_version(major, included, excluded)


def _compare_major_version(major: int, included: set[int], excluded: set[int]) -> str:
    if included & excluded:
        overlap = " ".join(map(str, sorted(included & excluded)))
        return f"inclusion and exclusion requirements overlap: [{overlap}]"
    if major in excluded:
        return f"major version {major} matches excluded version {major}"
    if included and major not in included:
        return f"major version {major} does not match any required versions"
    return ""


def _problem_of_number(digits: str) -> str:
    """What Go's parser of numbers has against ``digits``."""
    if not re.fullmatch("[0-9]+", digits):
        return f"strconv.ParseUint: parsing {quote(digits)}: invalid syntax"
    if int(digits) > _LARGEST_VERSION:
        return f"strconv.ParseUint: parsing {quote(digits)}: value out of range"
    return ""


def _check_profile(annotations: _Annotations, profile: str | None) -> str:
    if profile is None:
        return ""
    key = f"{INCLUDE}{profile}"
    text = annotations.get(key)
    if text is None:
        return f"{key} unset"
    return "" if text == "true" else f"unrecognized value {key}={text}"


def _check_capabilities(annotations: _Annotations, settings: ClusterSettings) -> str:
    if settings.capabilities is None:
        return ""
    return check_enabled(
        annotations,
        settings.capabilities,
        allow_unknown=settings.allow_unknown_capabilities,
    )


def _split(text: str) -> Iterator[str]:
    return filter(None, (part.strip(_SPACES) for part in text.split(",")))
