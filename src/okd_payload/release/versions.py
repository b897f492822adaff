# SPDX-License-Identifier: Apache-2.0
"""Versions of components: what images declare, and what one operator may therefore say.

An image declares ``key=version`` pairs in a label. An operator's manifests may name a key
(``0.0.1-snapshot-KEY``) and get the version that the images which *it* lists declare. Only a
few keys exist, because the cluster reports them as versions of the product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from okd_payload.errors import InputError
from okd_payload.release import labels
from okd_payload.release.semver import parse_version

ALLOWED_KEYS = frozenset(
    {"kubernetes", "machine-os", "kernel", "crio", "kubectl", "kubernetes-tests"}
)
KUBECTL = "kubectl"
KUBECTL_TAGS = ("cli", "cli-artifacts")
"""Whoever else ships a kubectl does not decide about its version."""
MACHINE_OS = "machine-os"
"""Several operating systems may be part of one payload."""

_KEY = re.compile(r"[a-z0-9]+[\-a-z0-9]*[a-z0-9]+")
_DISPLAY_NAME = re.compile(r"[a-zA-Z0-9\-:\s().]+", re.ASCII)


class ComponentVersion(msgspec.Struct, frozen=True):
    """What one component is called and which version it has."""

    version: str
    display_name: str = ""


ComponentVersions = dict[str, ComponentVersion]


class DeclaredVersions(msgspec.Struct, frozen=True, kw_only=True):
    """What a pair of labels declares, and every problem that they have."""

    versions: ComponentVersions = {}
    problems: tuple[str, ...] = ()


class VersionTable(msgspec.Struct, frozen=True, kw_only=True):
    """The versions that one operator's manifests may name."""

    versions: ComponentVersions = {}
    ambiguous: dict[str, str] = {}
    """Keys that must not be used, with the reason: their tags disagree, which is permitted."""
    conflicts: tuple[str, ...] = ()
    """Sentences about keys whose tags disagree, which is not."""


def parse_versions(versions: str, display_names: str = "") -> DeclaredVersions:
    """What the two labels declare: ``key=version,...`` and ``key=display name,...``."""
    if not versions.strip():
        return DeclaredVersions()
    problems: list[str] = []
    names = dict(_read_display_names(display_names, problems)) if display_names else {}
    found: ComponentVersions = {}
    for pair in versions.split(","):
        key, equals, text = pair.strip().partition("=")
        if not equals:
            problems.append(f'the version pair "{key}" must be NAME=VERSION')
        elif _check_key(key, problems):
            try:
                version = str(parse_version(text).without_build())
            except InputError as error:
                reason = error.message.partition(": ")[2]
                problems.append(
                    f'the version pair "{pair.strip()}" must have a valid semantic version:'
                    f" {reason}"
                )
            else:
                found[key] = ComponentVersion(version, names.get(key, ""))
    return DeclaredVersions(versions=found, problems=tuple(problems))


def declared_by(annotations: Mapping[str, str] | None) -> ComponentVersions:
    """The versions in the annotations of a tag; what cannot be read counts as absent."""
    return _parse_annotations(annotations).versions


def find_problems(annotations: Mapping[str, str] | None) -> tuple[str, ...]:
    """Why versions in the annotations of a tag cannot be read."""
    return _parse_annotations(annotations).problems


def _parse_annotations(annotations: Mapping[str, str] | None) -> DeclaredVersions:
    found = annotations or {}
    return parse_versions(found.get(labels.VERSIONS, ""), found.get(labels.DISPLAY_NAMES, ""))


def format_versions(versions: ComponentVersions) -> tuple[str, str]:
    """The two labels that declare ``versions``."""
    items = sorted(versions.items())
    return (
        ",".join(f"{key}={item.version}" for key, item in items),
        ",".join(f"{key}={item.display_name}" for key, item in items if item.display_name),
    )


def counts(key: str, tag: str) -> bool:
    """Whether what ``tag`` declares about ``key`` matters."""
    return key != KUBECTL or tag in KUBECTL_TAGS


def make_table(
    declared: Iterable[tuple[str, ComponentVersions]], *, defaults: ComponentVersions
) -> VersionTable:
    """The table of an operator that lists the images ``declared``, as (tag, versions) in order."""
    claims: dict[str, dict[str, ComponentVersion]] = {}
    for tag, versions in declared:
        for key, version in versions.items():
            if counts(key, tag):
                claims.setdefault(key, {})[tag] = version
    firsts = {key: next(iter(claim.values())) for key, claim in claims.items()}
    differing = {
        key: "; ".join(f"{tag} has {item.version}" for tag, item in claim.items())
        for key, claim in claims.items()
        if len({item.version for item in claim.values()}) > 1
    }
    permitted = (MACHINE_OS, KUBECTL)
    return VersionTable(
        versions={**defaults, **firsts},
        ambiguous={key: text for key, text in differing.items() if key in permitted},
        conflicts=tuple(
            f"the listed images declare different versions of {key}: {text}"
            for key, text in differing.items()
            if key not in permitted
        ),
    )


def merge_for_display(
    declared: Sequence[tuple[str, ComponentVersions]],
) -> tuple[ComponentVersions, list[str]]:
    """One version a key over a whole payload, and the keys about which its images disagree.

    Of several versions the first in text order is shown, and independently of it the first of
    several display names, of which none is one: that is what ``oc adm release info`` shows.
    """
    versions: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    for tag, items in declared:
        for key, item in items.items():
            if counts(key, tag):
                versions.setdefault(key, set()).add(item.version)
                names.setdefault(key, set()).add(item.display_name)
    shown = {key: ComponentVersion(min(versions[key]), min(names[key])) for key in sorted(versions)}
    disagreeing = [
        key for key in shown if key != MACHINE_OS and max(len(versions[key]), len(names[key])) > 1
    ]
    return shown, disagreeing


def _read_display_names(text: str, problems: list[str]) -> Iterable[tuple[str, str]]:
    for pair in text.split(","):
        key, equals, name = pair.strip().partition("=")
        if not equals:
            problems.append(f'the display name pair "{key}" must be NAME=DISPLAYNAME')
        elif not _check_key(key, problems):
            continue
        elif not _DISPLAY_NAME.fullmatch(name):
            problems.append(
                f'the display name "{name}" must only be alphanumerics, spaces,'
                " and symbols in [().:-]"
            )
        else:
            yield key, name


def _check_key(key: str, problems: list[str]) -> bool:
    if len(key) < 2:
        problems.append(f'the version name "{key}" must be at least 2 characters')
    elif not _KEY.fullmatch(key):
        problems.append(
            f'the version name "{key}" must only be ASCII alphanumerics and internal hyphens'
        )
    else:
        return True
    return False
