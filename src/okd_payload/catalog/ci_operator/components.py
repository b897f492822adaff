# SPDX-License-Identifier: Apache-2.0
"""The configurations that count, as components of a stream.

A component is made of every image that becomes a tag of the stream, and of every image that one
of those is built on, under a tag of its own. Imported images of release streams (``ocp/4.20:cli``)
become tags of the stream where it has them; others, builders above all, keep the names that
Dockerfiles know, so that substitutions give them a meaning.
"""

from __future__ import annotations

import msgspec

from okd_payload.catalog.ci_operator import codes
from okd_payload.catalog.ci_operator.configuration import Translation
from okd_payload.catalog.ci_operator.model import Configuration
from okd_payload.catalog.ci_operator.promotion import stream_tags
from okd_payload.catalog.ci_operator.selection import Choice, Match, Wanted, choose, overlooked
from okd_payload.catalog.codes import DUPLICATE_OUTPUT
from okd_payload.catalog.definition import Definition, Definitions, Import
from okd_payload.issues import Issue


class ImportedComponents(msgspec.Struct, frozen=True, kw_only=True):
    """What the configurations define, and which of them counted."""

    definitions: Definitions
    choices: tuple[Choice, ...]
    """Of the repositories that the stream has images of."""


def make_components(
    configurations: tuple[Configuration, ...], wanted: Wanted
) -> ImportedComponents:
    """The components of the stream that is ``wanted``, by their names."""
    issues: list[Issue] = []
    chosen: list[tuple[Choice, dict[str, str]]] = []
    owners: dict[str, Choice] = {}
    choices = choose(configurations, wanted)
    for choice in choices:
        tags = {}
        for tag, image in stream_tags(choice.configuration, wanted.stream).items():
            owner = owners.setdefault(tag, choice)
            if owner is choice:
                tags[tag] = image
            else:
                issues.append(_claimed_twice(tag, choice, owner))
        if tags:
            chosen.append((choice, tags))
    issues += [
        _tell_overlooked(each, wanted) for each in overlooked(configurations, wanted, choices)
    ]
    definitions: dict[str, Definition] = {}
    imports: list[Import] = []
    used = []
    for choice, tags in chosen:
        translation = Translation(choice, tags, stream_tags=owners.keys(), taken=definitions.keys())
        found = translation.translate()
        issues += found.issues
        imports += found.imports
        definitions |= {each.component.name: each for each in found.definitions}
        if found.definitions:
            used.append(choice)
            issues += _tell_fallback(choice)
    return ImportedComponents(
        definitions=Definitions(
            tuple(definitions[name] for name in sorted(definitions)),
            tuple(sorted(imports, key=lambda entry: entry.name)),
            tuple(issues),
        ),
        choices=tuple(used),
    )


def _claimed_twice(tag: str, choice: Choice, owner: Choice) -> Issue:
    origin = choice.configuration.origin
    return DUPLICATE_OUTPUT.issue(
        f"{owner.configuration.origin.file} promotes an image to the tag {tag} already",
        component=tag,
        file=origin.file,
        line=origin.line,
    )


def _tell_overlooked(configuration: Configuration, wanted: Wanted) -> Issue:
    name = configuration.name
    return codes.UNCONFIGURED_BRANCH.issue(
        f"{name.repository} has no configuration of {wanted.branch} that could count",
        file=configuration.origin.file,
        line=configuration.origin.line,
        hint=f"{name.branch} has one",
    )


def _tell_fallback(choice: Choice) -> list[Issue]:
    if choice.match in (Match.SAME, Match.FORK, Match.PROMOTES):
        return []
    origin = choice.configuration.origin
    return [
        codes.FALLBACK_CONFIGURATION.issue(
            f"{choice.configuration.name.repository}: {choice.evidence}",
            file=origin.file,
            line=origin.line,
        )
    ]
