# SPDX-License-Identifier: Apache-2.0
"""Whether hubs would list every entry, and whether users would find all that they need.

Hubs leave out what they do not like and tell nobody but the owner of the repository, in a log;
so the same conditions are looked at here, before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from okd_payload.engines.tekton.catalogue import codes
from okd_payload.engines.tekton.catalogue.entry import (
    CATEGORIES,
    DISPLAY_NAME,
    MINIMUM_VERSION,
    PLATFORMS,
    TAGS,
    VERSION_LABEL,
    Entry,
)
from okd_payload.errors import InputError
from okd_payload.issues import Issue
from okd_payload.oci.reference import parse_reference
from okd_payload.release.semver import parse_version

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ANNOTATIONS = (CATEGORIES, DISPLAY_NAME, MINIMUM_VERSION, PLATFORMS, TAGS)


def check_entries(entries: Iterable[Entry]) -> list[Issue]:
    """Everything for which an entry would not be listed, or would be listed half empty."""
    found: list[Issue] = []
    for entry in entries:
        found += _check_listing(entry)
        found += _check_descriptions(entry)
    return found


def _check_listing(entry: Entry) -> Iterator[Issue]:
    def unlisted(message: str) -> Issue:
        return codes.CATALOGUE_UNLISTED.issue(f"{entry.kind} {entry.name}: {message}")

    metadata = entry.manifest.metadata
    if not _NAME.fullmatch(entry.name):
        yield unlisted("its name has more than small letters, digits and dashes")
    if metadata.labels.get(VERSION_LABEL) != entry.version:
        yield unlisted(f"its label {VERSION_LABEL} is not {entry.version}")
    try:
        parse_version(entry.version)
    except InputError as error:
        yield unlisted(f"its version is not semantic: {error.message}")
    if not entry.description:
        yield unlisted("it has no description")
    for name in _ANNOTATIONS:
        if not metadata.annotations.get(name):
            yield unlisted(f"its annotation {name} is missing")
    try:
        parse_reference(entry.image)
    except InputError as error:
        yield unlisted(f"its image cannot be named so: {error.message}")


def _check_descriptions(entry: Entry) -> Iterator[Issue]:
    described = (
        *((f"parameter {each.name}", each.description) for each in entry.parameters),
        *((f"workspace {each.name}", each.description) for each in entry.workspaces),
        *((f"result {each.name}", each.description or each.value) for each in entry.results),
    )
    for what, description in described:
        if not description:
            yield codes.CATALOGUE_UNDESCRIBED.issue(
                f"{entry.kind} {entry.name}: {what} has no description"
            )
